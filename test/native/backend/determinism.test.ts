/**
 * The law of the fused kernels: forward bits are the same for every kernel variant and thread count; backward bits are
 * the same for every thread count.
 */
import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { registerNativeBackend } from "../../../native/backend/index.ts";
import { titleUnless } from "../../support/missing.ts";
import { addon, bits, randomSource, randomTensor, runKernel, variants, withoutAddon } from "./support.ts";

const attention = { heads: 4, kvHeads: 2, headDim: 20, ropeTheta: 10000 };
const alone = { activation: "none", epsilon: 0, hadamard: false, keep: 1 };
const quantized = { weights: "absmean_tensor", activations: "absmax_int8", scaleDtype: "f16", ...alone };
const byRow = { ...quantized, weights: "absmean_row" };
const fourBits = { ...quantized, activations: "absmax_int4", hadamard: true };
const largest = { ...quantized, keep: 0.4 };
const given = { ...quantized, weights: "codes" };
const float = { weights: "values", activations: "none", scaleDtype: "f32", ...alone };

interface Case {
  name: string;
  forward: () => tf.Tensor[];
  backward: (outputs: tf.Tensor[]) => tf.Tensor[];
}

/** Shapes with remainders everywhere, large enough for several tasks of every kernel. */
function makeCases(): Case[] {
  const random = randomSource(5);
  const [tokens, cols] = [201, 70];
  const x = randomTensor(random, [3, tokens / 3, cols]);
  const weight0 = randomTensor(random, [101, cols], 0.05);
  const weight1 = randomTensor(random, [64, cols], 0.05);
  const [codes0, codes1] = [weight0, weight1].map((weight) => tf.cast(tf.sign(weight), "int32"));
  const [weightScales0, weightScales1] = [randomTensor(random, [101]), randomTensor(random, [1])];
  const operands = (attributes: object): Record<string, tf.Tensor> =>
    attributes === given ? { codes0, codes1, weightScales0, weightScales1 } : { weight0, weight1 };
  const dy = randomTensor(random, [3, tokens / 3, 165]);
  const gain = randomTensor(random, [cols]);
  const qkv = randomTensor(random, [3, 67, 8 * 20]);
  const dout = randomTensor(random, [3, 67, 4 * 20]);
  const hidden = randomTensor(random, [tokens, cols]);
  const table = randomTensor(random, [300, cols]);
  const ids = Int32Array.from({ length: tokens }, (_, i) => (i * 37) % 300);
  const targets = tf.tensor1d(ids, "int32");
  const dlogProbs = randomTensor(random, [tokens]);
  const linear = (attributes: object, precision: string): Case => ({
    name: `BitLinear ${JSON.stringify(attributes)}, backward ${precision}`,
    forward: () => runKernel("BitLinear", { x, ...operands(attributes) }, attributes),
    backward: ([, scales]) =>
      runKernel(
        "BitLinearGrad",
        { x, ...operands(attributes), dy, ...(scales ? { scales } : {}) },
        { ...attributes, precision, roundingKey: 77 },
      ),
  });
  const gateUp = randomTensor(random, [3, tokens / 3, 2 * cols]);
  const residual = randomTensor(random, [3, tokens / 3, 165]);
  const surrounded = (attributes: object, precision: string): Case => {
    const around = { ...attributes, activation: "relu2", epsilon: 1e-5 };
    const inputs = { x: gateUp, weight0, weight1, gain };
    return {
      name: `BitLinear between gate, norm and residual ${JSON.stringify(around)}, backward ${precision}`,
      forward: () => runKernel("BitLinear", { ...inputs, residual }, around),
      backward: () => runKernel("BitLinearGrad", { ...inputs, dy }, { ...around, precision, roundingKey: 77 }),
    };
  };
  const gated = (activation: string): Case => ({
    name: `GatedActivation ${activation}`,
    forward: () => runKernel("GatedActivation", { gateUp: x }, { activation }),
    backward: ([y]) => runKernel("GatedActivationGrad", { gateUp: x, dy: y }, { activation }),
  });
  return [
    linear(quantized, "f32"),
    linear(quantized, "bf16"),
    linear(quantized, "int8"),
    linear(byRow, "f32"),
    linear(byRow, "int8"),
    linear(given, "bf16"),
    linear(given, "int8"),
    linear(float, "f32"),
    linear(float, "bf16"),
    surrounded(quantized, "f32"),
    surrounded(byRow, "int8"),
    surrounded(float, "f32"),
    surrounded(fourBits, "int8"),
    surrounded(largest, "f32"),
    linear({ ...fourBits, activation: "squared_relu" }, "f32"),
    linear({ ...quantized, activations: "absmean_int4" }, "bf16"),
    gated("relu2"),
    gated("silu"),
    {
      name: "Hadamard",
      forward: () => runKernel("Hadamard", { x }),
      backward: ([y]) => runKernel("Hadamard", { x: y }),
    },
    {
      name: "SquaredRelu",
      forward: () => runKernel("SquaredRelu", { x }),
      backward: ([y]) => runKernel("SquaredReluGrad", { x, dy: y }),
    },
    {
      name: "RMSNorm",
      forward: () => runKernel("RMSNorm", { x, gain }, { epsilon: 1e-5 }),
      backward: ([y]) => runKernel("RMSNormGrad", { x, gain, dy: y }, { epsilon: 1e-5 }),
    },
    {
      name: "CausalAttention",
      forward: () => runKernel("CausalAttention", { qkv }, attention),
      backward: ([out, logSum]) => runKernel("CausalAttentionGrad", { qkv, out, logSum, dy: dout }, attention),
    },
    {
      name: "HeadLogProbs",
      forward: () => runKernel("HeadLogProbs", { hidden, table, targets }, { product: "float" }),
      backward: () =>
        (["f32", "bf16"] as const).flatMap((precision) =>
          runKernel("HeadLogProbsGrad", { hidden, table, targets, dlogProbs }, { product: "float", precision }),
        ),
    },
    {
      name: "EmbeddingGather",
      forward: () => runKernel("EmbeddingGather", { table, ids: targets }),
      backward: () => runKernel("EmbeddingGatherGrad", { ids: targets, dy: hidden }, { vocabSize: 300 }),
    },
    {
      name: "TernaryCodes and RoundToDtype",
      forward: () => [
        ...["absmean_tensor", "absmean_row"].flatMap((weights) =>
          runKernel("TernaryCodes", { weight: table }, { scaleDtype: "bf16", weights }),
        ),
        ...["f16", "bf16"].flatMap((dtype) => runKernel("RoundToDtype", { x: table }, { dtype })),
      ],
      backward: () => runKernel("GlobalNormSquared", {}, { tensors: [table, hidden] }),
    },
  ];
}

describe.skipIf(withoutAddon)(titleUnless(withoutAddon, "the native addon", "bits of the fused kernels"), () => {
  let cases: Case[] = [];
  beforeAll(async () => {
    registerNativeBackend();
    await tf.setBackend("native");
    cases = makeCases();
  });
  afterEach(() => {
    addon!.setVariant("");
    addon!.setThreads(2);
  });

  const run = (body: () => tf.Tensor[]) => tf.tidy(() => body().map((tensor) => bits(tensor.dataSync())));

  it("forward: every variant and thread count gives the scalar bits", () => {
    addon!.setVariant("scalar");
    addon!.setThreads(1);
    const expected = cases.map((each) => run(each.forward));
    for (const variant of variants) {
      addon!.setVariant(variant);
      for (const threads of [1, 2, 3]) {
        addon!.setThreads(threads);
        cases.forEach((each, i) => {
          expect(run(each.forward), `${each.name}, ${variant}, ${threads} threads`).toEqual(expected[i]);
        });
      }
    }
  });

  it("backward: every thread count gives the bits of one thread", () => {
    for (const variant of variants) {
      addon!.setVariant(variant);
      addon!.setThreads(1);
      const expected = cases.map((each) => run(() => each.backward(each.forward())));
      for (const threads of [2, 3]) {
        addon!.setThreads(threads);
        cases.forEach((each, i) => {
          const actual = run(() => each.backward(each.forward()));
          expect(actual, `${each.name}, ${variant}, ${threads} threads`).toEqual(expected[i]);
        });
      }
    }
  });
});
