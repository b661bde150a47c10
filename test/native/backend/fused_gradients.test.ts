/** Fused kernels of the native backend against the same functions composed of cpu operations, forward and backward. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { registerNativeBackend } from "../../../native/backend/index.ts";
import { titleUnless } from "../../support/missing.ts";
import * as composed from "./composed.ts";
import {
  randomInteger,
  randomSource,
  randomTensor,
  relativeError,
  runKernel,
  valuesOn,
  withoutAddon,
} from "./support.ts";

const forwardTolerance = 2e-6;
const gradientTolerance = 1e-4;
const seeds = [1, 2, 3, 4, 5];

/** Values of `f(inputs)` and of its gradients for `dy`, by tfjs's own differentiation on the cpu backend. */
function reference(f: (...inputs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[], dy: tf.Tensor): Float32Array[] {
  return valuesOn("cpu", () => {
    const { value, grads } = tf.valueAndGrads((...xs: tf.Tensor[]) => tf.sum(tf.mul(f(...xs), dy)))(inputs);
    value.dispose();
    return [f(...inputs), ...grads];
  });
}

function compare(actual: Float32Array[], expected: Float32Array[]): void {
  expect(relativeError(actual[0], expected[0])).toBeLessThan(forwardTolerance);
  for (let i = 1; i < expected.length; i++) {
    expect(relativeError(actual[i], expected[i])).toBeLessThan(gradientTolerance);
  }
}

describe.skipIf(withoutAddon)(
  titleUnless(withoutAddon, "the native addon", "fused kernels against composed operations"),
  () => {
    beforeAll(async () => {
      registerNativeBackend();
      await tf.setBackend("native");
    });

    it.each(seeds)("RMSNorm, seed %i", (seed) => {
      const random = randomSource(seed);
      const n = randomInteger(random, 1, 200);
      const rows = randomInteger(random, 1, 300);
      const [x, gain, dy] = [
        randomTensor(random, [rows, n]),
        randomTensor(random, [n]),
        randomTensor(random, [rows, n]),
      ];
      const epsilon = 1e-5;
      const actual = valuesOn("native", () => [
        ...runKernel("RMSNorm", { x, gain }, { epsilon }),
        ...runKernel("RMSNormGrad", { x, gain, dy }, { epsilon }),
      ]);
      compare(
        actual,
        reference((a, b) => composed.rmsNorm(a, b, epsilon), [x, gain], dy),
      );
    });

    it.each(["relu2", "silu"] as const)("GatedActivation %s", (activation) => {
      for (const seed of seeds) {
        const random = randomSource(seed);
        const n = randomInteger(random, 1, 150);
        const rows = randomInteger(random, 1, 40);
        const gateUp = randomTensor(random, [rows, 2 * n], 3);
        const dy = randomTensor(random, [rows, n]);
        const actual = valuesOn("native", () => [
          ...runKernel("GatedActivation", { gateUp }, { activation }),
          ...runKernel("GatedActivationGrad", { gateUp, dy }, { activation }),
        ]);
        compare(
          actual,
          reference((a) => composed.gatedActivation(a, activation), [gateUp], dy),
        );
      }
    });

    it.each([
      { batch: 2, length: 5, heads: 2, kvHeads: 1, headDim: 8 },
      { batch: 1, length: 70, heads: 4, kvHeads: 2, headDim: 16 },
      { batch: 3, length: 33, heads: 3, kvHeads: 3, headDim: 6 },
      { batch: 1, length: 130, heads: 2, kvHeads: 2, headDim: 32 },
      { batch: 2, length: 1, heads: 2, kvHeads: 1, headDim: 4 },
    ])("CausalAttention $batch x $length, $heads heads on $kvHeads, head_dim $headDim", (shape) => {
      const random = randomSource(shape.length);
      const { batch, length, heads, kvHeads, headDim } = shape;
      const attributes = { heads, kvHeads, headDim, ropeTheta: 10000 };
      const qkv = randomTensor(random, [batch, length, (heads + 2 * kvHeads) * headDim]);
      const dy = randomTensor(random, [batch, length, heads * headDim]);
      const actual = valuesOn("native", () => {
        const [out, logSum] = runKernel("CausalAttention", { qkv }, attributes);
        return [out, ...runKernel("CausalAttentionGrad", { qkv, out, logSum, dy }, attributes)];
      });
      compare(
        actual,
        reference((x) => composed.causalAttention(x, attributes), [qkv], dy),
      );
    });

    it.each([
      { tokens: 3, width: 16, vocab: 7 },
      { tokens: 90, width: 24, vocab: 131 },
    ])("HeadLogProbs of $tokens tokens, vocabulary $vocab", ({ tokens, width, vocab }) => {
      const random = randomSource(vocab);
      const hidden = randomTensor(random, [tokens, width]);
      const table = randomTensor(random, [vocab, width]);
      const ids = Int32Array.from({ length: tokens }, (_, i) =>
        i % 5 === 2 ? -1 : randomInteger(random, 0, vocab - 1),
      );
      const targets = tf.tensor1d(ids, "int32");
      const dy = randomTensor(random, [tokens]);
      const actual = valuesOn("native", () => [
        runKernel("HeadLogProbs", { hidden, table, targets }, { product: "float" })[0],
        ...runKernel(
          "HeadLogProbsGrad",
          { hidden, table, targets, dlogProbs: dy },
          { product: "float", precision: "f32" },
        ),
      ]);
      // The gradient kernel's own log-probabilities have the bits of the forward's.
      expect(actual.pop()).toEqual(actual[0]);
      const f = (h: tf.Tensor, t: tf.Tensor) => composed.headLogProbs(h, t, targets);
      const exact = reference(f, [hidden, table], dy);
      compare(actual, exact);
      const rounded = valuesOn("native", () =>
        runKernel(
          "HeadLogProbsGrad",
          { hidden, table, targets, dlogProbs: dy },
          { product: "float", precision: "bf16" },
        ),
      );
      expect(rounded.pop()).toEqual(actual[0]);
      rounded.forEach((values, i) => {
        expect(relativeError(values, exact[i + 1]!)).toBeLessThan(2 ** -7);
      });

      const [argmax, logits] = valuesOn("native", () => [
        runKernel("HeadLogProbs", { hidden, table, targets }, { product: "float" })[1],
        ...runKernel("HeadLogits", { hidden, table }, { product: "float" }),
      ]);
      for (let t = 0; t < tokens; t++) {
        const row = logits.subarray(t * vocab, (t + 1) * vocab);
        expect(argmax[t]).toBe(row.indexOf(row.reduce((a, b) => Math.max(a, b))));
        if (ids[t] < 0) expect(actual[0][t]).toBe(0);
      }
    });

    it("HeadLogProbsGrad of more tokens than one chunk is that of its parts", () => {
      const random = randomSource(11);
      // 2^23 logits are a chunk: 279 tokens of this vocabulary.
      const [tokens, width, vocab] = [300, 8, 30000];
      const hidden = randomTensor(random, [tokens, width]);
      const table = randomTensor(random, [vocab, width]);
      const ids = Int32Array.from({ length: tokens }, () => randomInteger(random, 0, vocab - 1));
      const targets = tf.tensor1d(ids, "int32");
      const dlogProbs = randomTensor(random, [tokens]);
      const gradients = (begin: number, count: number) =>
        valuesOn("native", () =>
          runKernel(
            "HeadLogProbsGrad",
            {
              hidden: tf.slice(hidden, [begin, 0], [count, width]),
              table,
              targets: tf.slice(targets, begin, count),
              dlogProbs: tf.slice(dlogProbs, begin, count),
            },
            { product: "float", precision: "f32" },
          ),
        );
      const [dhidden, dtable] = gradients(0, tokens);
      const parts = [gradients(0, 100), gradients(100, 100), gradients(200, 100)];
      expect(
        relativeError(
          dhidden,
          parts.flatMap(([part]) => Array.from(part)),
        ),
      ).toBeLessThan(1e-6);
      const summed = dtable.map((_, i) => parts[0][1][i] + parts[1][1][i] + parts[2][1][i]);
      expect(relativeError(dtable, summed)).toBeLessThan(1e-5);
    });

    it("EmbeddingGather and its gradient", () => {
      const random = randomSource(9);
      const [vocab, width] = [23, 10];
      const table = randomTensor(random, [vocab, width]);
      const ids = tf.tensor2d(
        Int32Array.from({ length: 60 }, () => randomInteger(random, 0, vocab - 1)),
        [4, 15],
        "int32",
      );
      const dy = randomTensor(random, [4, 15, width]);
      const actual = valuesOn("native", () => [
        ...runKernel("EmbeddingGather", { table, ids }),
        ...runKernel("EmbeddingGatherGrad", { ids, dy }, { vocabSize: vocab }),
      ]);
      compare(
        actual,
        reference((t) => tf.gather(t, ids), [table], dy),
      );
    });

    it("refuses an id outside the table", () => {
      const table = tf.zeros([4, 8]);
      const ids = tf.tensor1d([0, 4], "int32");
      expect(() => runKernel("EmbeddingGather", { table, ids })).toThrow(/the id 4, outside \[0, 4\)/);
    });
  },
);
