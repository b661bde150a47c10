/** One step of every loss against PyTorch (experiments/oracles/loss_vectors.py), on every backend. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { headLoss } from "../../../src/ops/head_log_probs.ts";
import { largestIndices } from "../../../src/ops/largest_indices.ts";
import { logitsLoss } from "../../../src/ops/logits_loss.ts";
import { roundToDtype } from "../../../src/ops/round_to_dtype.ts";
import { crossEntropyTerm } from "../../../training/losses/cross_entropy.ts";
import { type BatchLoss, batchLoss } from "../../../training/losses/loss.ts";
import { lossSchema } from "../../../training/losses/registry.ts";
import type { TeacherScores } from "../../../training/losses/teacher.ts";
import { relativeDifference } from "../../support/relative_difference.ts";
import { testedBackends, useBackend } from "../../support/tfjs_backends.ts";

interface Vectors {
  width: number;
  vocabulary: number;
  learning_rate: number;
  hidden: number[];
  table: number[];
  teacher: number[];
  targets: number[];
  cases: {
    options: { distillation?: { top_k: number } };
    loss: number;
    parts: Record<string, number>;
    hidden: number[];
    table: number[];
  }[];
}

const file = path.resolve(import.meta.dirname, "../../golden/losses/vectors.json");
const vectors: Vectors = JSON.parse(readFileSync(file, "utf8"));
const { width, vocabulary, targets: given, learning_rate } = vectors;
const targets = Int32Array.from(given);
const tolerance = 2e-6;

/** What a teacher with the vectors' log-probabilities says; 0 for all ids. */
function teacherScores(topK: number): TeacherScores {
  if (topK === 0) return { count: vocabulary, ids: null, logProbs: Float32Array.from(vectors.teacher) };
  const places = given.map((_, place) => vectors.teacher.slice(place * vocabulary, (place + 1) * vocabulary));
  const ids = places.flatMap((values) => largestIndices(values, topK));
  const logProbs = Float32Array.from(ids, (id, i) => places[Math.floor(i / topK)][id]);
  return { count: topK, ids: Int32Array.from(ids), logProbs };
}

describe.each(testedBackends)("on %s", (backend) => {
  beforeEach(() => useBackend(backend));
  afterEach(() => tf.disposeVariables());

  it.each(vectors.cases)("$options has PyTorch's loss, parts and step", ({ options, loss, parts, ...wanted }) => {
    const hidden = tf.variable(tf.tensor2d(vectors.hidden, [given.length, width]));
    const table = tf.variable(tf.tensor2d(vectors.table, [vocabulary, width]));
    const model = {
      loss: (_: tf.Tensor2D, of: tf.Tensor2D) => headLoss(hidden, { table, product: "float" }, tf.reshape(of, [-1])),
      lossOfLogits: (_: tf.Tensor2D, of: tf.Tensor2D, lossOf: Parameters<typeof logitsLoss>[3]) =>
        logitsLoss(hidden, { table, product: "float" }, tf.reshape(of, [-1]), lossOf),
    };
    const tensors = tf.memory().numTensors;
    tf.tidy(() => {
      const teacher = options.distillation && teacherScores(options.distillation.top_k);
      const section = options.distillation && { teacher: "a model", ...options.distillation };
      const parsed = lossSchema.parse({ ...options, ...(section && { distillation: section }) });
      const rows = tf.tensor2d(targets, [1, targets.length], "int32");
      let made: BatchLoss | undefined;
      const { value, grads } = tf.variableGrads(() => {
        made = batchLoss(model, rows, rows, { targets, teacher }, parsed);
        return made.value;
      });
      const total = value.dataSync()[0];
      expect(Math.abs(total / loss - 1)).toBeLessThan(tolerance);
      const got = made!.parts(total);
      expect(Object.keys({ cross_entropy: got.loss, ...got.terms })).toEqual(Object.keys(parts));
      for (const [name, part] of Object.entries({ cross_entropy: got.loss, ...got.terms })) {
        expect(Math.abs(part / parts[name] - 1), name).toBeLessThan(tolerance);
      }
      for (const [name, variable] of Object.entries({ hidden, table })) {
        const stepped = tf.sub(variable, tf.mul(grads[variable.name], learning_rate)).dataSync();
        const moved = wanted[name as "hidden" | "table"];
        expect(relativeDifference(stepped, moved), name).toBeLessThan(tolerance);
        // The step is small beside the values: compared by itself, too.
        const start = vectors[name as "hidden" | "table"];
        const by = (values: ArrayLike<number>) => Array.from(values, (value, i) => value - start[i]);
        expect(relativeDifference(by(stepped), by(moved)), name).toBeLessThan(5e-6);
      }
    });
    expect(tf.memory().numTensors).toBe(tensors);
  });
});

it.each([
  // 3 tokens fill a chunk.
  { product: "float" as const, size: 2 ** 18 + 2 ** 16, inner: 2 },
  { product: "int8" as const, size: 300, inner: 64 },
])("goes through logits in chunks to what the fused $product head has", async ({ product, size, inner }) => {
  await useBackend(testedBackends.at(-1)!);
  const hidden = tf.variable(tf.randomNormal<tf.Rank.R2>([8, inner], 0, 1, "float32", 1));
  const latent = tf.randomNormal<tf.Rank.R2>([size, inner], 0, 1, "float32", 2);
  // The values of an int8 table are those of its codes.
  const table = tf.variable(product === "int8" ? roundToDtype(latent, "int8_row") : latent);
  const head = { table, product };
  const ids = tf.tensor1d([5, 0, -1, size - 1, 9, 77, 100, -1], "int32");
  const { evaluate } = crossEntropyTerm(1);
  const chunked = tf.variableGrads(() => {
    const sum = logitsLoss(hidden, head, ids, (chunk) => {
      const { sum: value, dLogits } = evaluate(chunk);
      return { value, dLogits };
    });
    return tf.div(sum, 6);
  });
  const fused = tf.variableGrads(() => headLoss(hidden, head, ids));
  expect(chunked.value.dataSync()[0]).toBeCloseTo(fused.value.dataSync()[0], 4);
  for (const { name } of [hidden, table]) {
    expect(relativeDifference(chunked.grads[name].dataSync(), fused.grads[name].dataSync())).toBeLessThan(1e-4);
  }
  tf.dispose([ids, chunked.value, fused.value, chunked.grads, fused.grads]);
  tf.disposeVariables();
});
