/** One step of embedding and head, int8 rows and ternary groups, against PyTorch (experiments/oracles/head_vectors.py). */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { embeddingGather } from "../../src/ops/embedding_gather.ts";
import { quantizedWeights } from "../../src/ops/fake_quantize.ts";
import { headLoss } from "../../src/ops/head_log_probs.ts";
import { roundToDtype } from "../../src/ops/round_to_dtype.ts";
import { makeWeightQuantizer } from "../../src/quantizers/registry.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

type TableName = "embedding" | "head";

interface Vectors extends Record<TableName, number[]> {
  shape: { tokens: number; width: number; vocabulary: number; group: number };
  learningRate: number;
  residual: number[];
  ids: number[];
  targets: number[];
  cases: { name: string; tied: boolean; loss: number; updated: Partial<Record<TableName, number[]>> }[];
}

const vectors: Vectors = JSON.parse(readFileSync(new URL("../golden/head/vectors.json", import.meta.url), "utf8"));
const { tokens, width, vocabulary, group } = vectors.shape;
const ternary = makeWeightQuantizer({ type: "absmean_ternary_group", group_size: group }, "f16")!;

function values(table: tf.Tensor2D, name: string): tf.Tensor2D {
  return name === "int8_row" ? roundToDtype(table, "int8_row") : quantizedWeights(table, ternary);
}

describe.each(testedBackends)("embedding and head on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  it.each(vectors.cases)("$name, tied: $tied: one step equals PyTorch's", ({ name, tied, loss, updated }) => {
    const names: TableName[] = tied ? ["embedding"] : ["embedding", "head"];
    tf.tidy(() => {
      const latent = names.map((each) => tf.tensor2d(vectors[each], [vocabulary, width]));
      const lossOf = (...tables: tf.Tensor[]) => {
        const [embedding, head = embedding] = tables.map((table) => values(table as tf.Tensor2D, name));
        const rows = embeddingGather(embedding, tf.tensor2d(vectors.ids, [1, tokens], "int32"));
        const hidden: tf.Tensor2D = tf.add(
          tf.reshape(rows, [tokens, width]),
          tf.tensor2d(vectors.residual, [tokens, width]),
        );
        const product = name === "int8_row" ? "int8" : "float";
        return headLoss(hidden, { table: head, product }, tf.tensor1d(vectors.targets, "int32"));
      };
      const { value, grads } = tf.valueAndGrads(lossOf)(latent);
      expect(Math.abs(value.dataSync()[0] - loss)).toBeLessThan(2e-6);
      names.forEach((each, i) => {
        const stepped = tf.sub(latent[i], tf.mul(grads[i], vectors.learningRate)).dataSync();
        const distance = Math.max(...Array.from(stepped, (x, k) => Math.abs(x - updated[each]![k])));
        expect(distance, each).toBeLessThan(1e-6);
      });
    });
  });
});
