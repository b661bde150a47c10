/** Pooled tensor memory: no growth in a steady loop, and recycled memory is never visible through a live tensor. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { BufferPool } from "../../../native/backend/buffer_pool.ts";
import { type NativeBackend, registerNativeBackend } from "../../../native/backend/index.ts";
import { titleUnless } from "../../support/missing.ts";
import { randomSource, randomTensor, runKernel, withoutAddon } from "./support.ts";

const backend = () => tf.backend() as NativeBackend;

/** Fills recycled buffers of the sizes in use with a value that no test expects. */
function scribble(size: number): void {
  for (let i = 0; i < 8; i++) {
    const tensors = [size, size + 7, Math.max(1, size - 5)].map((length) => tf.fill([length], -12345));
    tf.dispose(tensors);
  }
}

describe("BufferPool", () => {
  it("reuses a returned buffer, aligned by the offset it is told", () => {
    const pool = new BufferPool(() => 16);
    const block = pool.take(1000);
    expect(block.offset).toBe(16);
    expect(block.capacity).toBeGreaterThanOrEqual(1000);
    expect(block.buffer.byteLength).toBeGreaterThanOrEqual(block.offset + block.capacity);
    pool.give(block);
    expect(pool.take(1000)).toBe(block);
  });

  it("never hands out a block twice at a time", () => {
    const pool = new BufferPool(() => 0);
    const blocks = Array.from({ length: 50 }, () => pool.take(5000));
    expect(new Set(blocks.map((block) => block.buffer)).size).toBe(50);
  });

  it("serves a request from a larger idle buffer, but not from one of more than twice its size", () => {
    const pool = new BufferPool(() => 0);
    const [small, large] = [pool.take(6000), pool.take(100_000)];
    pool.give(small);
    pool.give(large);
    expect(pool.take(4000)).toBe(small);
    expect(pool.take(4000)).not.toBe(large);
  });

  it("holds no more than 1.5 times what was once in use together, whatever sizes pass by", () => {
    const pool = new BufferPool(() => 0);
    const random = randomSource(1);
    for (let round = 0; round < 200; round++) {
      const blocks = Array.from({ length: 10 }, () => pool.take(1 + Math.floor(random() * 1e6)));
      for (const block of blocks) pool.give(block);
      expect(pool.usage().held).toBeLessThanOrEqual(1.5 * pool.usage().peak);
    }
    expect(pool.usage().live).toBe(0);
    // Ten requests of at most a megabyte, each rounded up by at most a quarter.
    expect(pool.usage().peak).toBeLessThanOrEqual(12.5e6);
  });
});

describe.skipIf(withoutAddon)(
  titleUnless(withoutAddon, "the native addon", "tensor memory of the native backend"),
  () => {
    beforeAll(async () => {
      registerNativeBackend();
      await tf.setBackend("native");
    });

    it("aligns tensors to 64 bytes", () => {
      const { values } = backend().allocate([100]);
      const offset = backend().addon.alignmentOffset(values.buffer as ArrayBuffer, 64);
      expect(values.byteOffset % 64).toBe(offset % 64);
    });

    it("does not grow over the steps of a training loop", () => {
      const model = tf.sequential({
        layers: [
          tf.layers.dense({ units: 64, inputShape: [32], activation: "relu" }),
          tf.layers.dense({ units: 48, activation: "sigmoid" }),
          tf.layers.dense({ units: 4, activation: "softmax" }),
        ],
      });
      const optimizer = tf.train.adam(1e-3);
      const x = tf.randomNormal([128, 32]);
      const labels = tf.oneHot(tf.randomUniformInt([128], 0, 4), 4);
      const step = () => {
        const cost = () => tf.losses.softmaxCrossEntropy(labels, model.apply(x) as tf.Tensor) as tf.Scalar;
        optimizer.minimize(cost);
      };
      for (let i = 0; i < 3; i++) step();
      const [tensors, { live, peak }] = [tf.memory().numTensors, backend().poolUsage()];
      for (let i = 0; i < 20; i++) step();
      expect(tf.memory().numTensors).toBe(tensors);
      expect(backend().poolUsage()).toMatchObject({ live, peak });
      expect(backend().poolUsage().held).toBeLessThanOrEqual(1.5 * peak);
    });

    // Each makes a tensor that could share memory with `source`, which is then disposed and its memory reused.
    const makers: [string, (source: tf.Tensor) => tf.Tensor][] = [
      ["slice of a contiguous part", (x) => tf.slice(x, [2, 0], [5, 16])],
      ["slice of columns", (x) => tf.slice(x, [0, 3], [24, 5])],
      ["reshape", (x) => tf.reshape(x, [16, 24])],
      ["identity", (x) => tf.clone(x)],
      ["expandDims of a slice", (x) => tf.expandDims(tf.slice(x, [4, 0], [1, 16]), 0)],
      ["split", (x) => tf.split(x, 3, 0)[1]],
      ["unstack", (x) => tf.unstack(x)[3]],
      ["gather", (x) => tf.gather(x, tf.tensor1d([1, 1, 5], "int32"))],
      ["cast to the same type", (x) => tf.cast(x, "float32")],
      ["variable", (x) => tf.variable(x)],
      ["stridedSlice", (x) => tf.stridedSlice(x, [1, 0], [9, 16], [1, 1])],
      ["real part of a complex tensor", (x) => tf.real(tf.complex(x, tf.zerosLike(x)))],
      ["concat of one", (x) => tf.concat([x])],
      ["squeeze of a batch", (x) => tf.squeeze(tf.reshape(x, [1, 24, 16]))],
      ["topk values", (x) => tf.topk(x, 16, false).values],
      ["relu of nothing negative", (x) => tf.relu(tf.abs(x))],
    ];
    it.each(makers)("%s outlives its source", (_name, make) => {
      const random = randomSource(3);
      // Pooled, as every kernel result is.
      const source = tf.add(randomTensor(random, [24, 16]), 1);
      const derived = tf.tidy(() => tf.keep(make(source)));
      const expected = derived.dataSync().slice();
      source.dispose();
      scribble(24 * 16);
      scribble(derived.size);
      expect(derived.dataSync()).toEqual(expected);
      derived.dispose();
    });

    it("keeps what the user read", async () => {
      const x = tf.fill([64], 3);
      const [read, readLater] = [x.dataSync(), await x.data()];
      read[0] = 99;
      expect(x.dataSync()[0]).toBe(3);
      x.dispose();
      scribble(64);
      expect(read[1]).toBe(3);
      expect(Array.from(readLater)).toEqual(Array(64).fill(3));
    });

    it("never recycles or changes an array of the user", () => {
      const mine = new Float32Array(64).fill(7);
      const x = tf.tensor1d(mine);
      x.dispose();
      scribble(64);
      expect(Array.from(mine)).toEqual(Array(64).fill(7));

      const variable = tf.variable(tf.tensor1d(mine));
      const [grad, m, v] = [tf.ones([64]), tf.zeros([64]), tf.zeros([64])];
      const settings = {
        learningRate: 1,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        weightDecays: [0],
        params: [variable],
        grads: [grad],
        m: [m],
        v: [v],
        step: 1,
        gradScale: 1,
      };
      runKernel("AdamWStep", {}, settings);
      expect(variable.dataSync()[0]).toBeCloseTo(6, 5);
      expect(Array.from(mine)).toEqual(Array(64).fill(7));
    });

    it("moves tensors between backends", async () => {
      const x = tf.fill([32], 5);
      await tf.setBackend("cpu");
      const doubled = tf.mul(x, 2);
      await tf.setBackend("native");
      scribble(32);
      expect(Array.from(tf.add(doubled, x).dataSync())).toEqual(Array(32).fill(15));
    });
  },
);
