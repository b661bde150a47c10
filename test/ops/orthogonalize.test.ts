/** The orthogonalization of Muon: singular vectors stay, singular values become about 1. */
import * as tf from "@tensorflow/tfjs";
import { beforeEach, describe, expect, it } from "vitest";
import { orthogonalize } from "../../src/ops/orthogonalize.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

describe.each(testedBackends)("orthogonalize on %s", (backend) => {
  beforeEach(() => useBackend(backend));

  it.each([
    [12, 40],
    [40, 12],
    [16, 16],
  ])("of a random matrix [%i, %i] has rows or columns that are nearly orthonormal", (rows, columns) => {
    const rng = new CounterRng(5, "matrix");
    const matrix = tf.tensor2d(
      Float32Array.from({ length: rows * columns }, () => rng.uniform() - 0.5),
      [rows, columns],
    );
    const x = orthogonalize(matrix, 8);
    const gram = rows > columns ? tf.matMul(x, x, true, false) : tf.matMul(x, x, false, true);
    const size = Math.min(rows, columns);
    const values = gram.dataSync();
    for (let i = 0; i < size; i++) {
      // Squares of singular values between 0.65 and 1.25.
      expect(values[i * size + i]).toBeGreaterThan(0.42);
      expect(values[i * size + i]).toBeLessThan(1.56);
    }
    // The direction is kept: the inner product with the matrix is about its nuclear norm, which is positive.
    expect(tf.sum(tf.mul(x, matrix)).dataSync()[0]).toBeGreaterThan(0);
  });

  it("keeps singular vectors: a diagonal stays one, whatever its size", () => {
    const scale = 1e-3;
    const x = orthogonalize(tf.tensor2d([3 * scale, 0, 0, 0, -1 * scale, 0], [2, 3]), 5).dataSync();
    expect(x[0]).toBeGreaterThan(0.65);
    expect(x[0]).toBeLessThan(1.25);
    expect(x[4]).toBeLessThan(-0.65);
    expect(x[4]).toBeGreaterThan(-1.25);
    expect([x[1], x[2], x[3], x[5]].map(Math.abs)).toEqual([0, 0, 0, 0]);
  });

  it("leaves zeros and keeps no tensors", () => {
    const zeros = tf.zeros<tf.Rank.R2>([3, 2]);
    const before = tf.memory().numTensors;
    const x = orthogonalize(zeros, 5);
    expect(Array.from(x.dataSync())).toEqual(Array(6).fill(0));
    x.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
