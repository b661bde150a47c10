/** Every weight quantizer against PyTorch: codes, values, and one training step of a linear layer, on every backend. */
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_file.ts";
import { bitLinear } from "../../src/ops/bit_linear.ts";
import { scaleDtypes } from "../../src/quant/dtypes.ts";
import {
  defaultActivationQuantizer,
  makeActivationQuantizer,
  makeWeightQuantizer,
  type QuantizerDescription,
  weightQuantizers,
} from "../../src/quantizers/registry.ts";
import { dequantize, integerLevels, learntParameters, weightValues } from "../../src/quantizers/weight_quantizer.ts";
import { relativeDifference } from "../support/relative_difference.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const [tokens, rows, cols] = [5, 6, 256];
const learningRate = 0.01;
const vectors = new Map<string, Float32Array>();
const group = (size: number) => ({ type: "absmean_ternary_group", group_size: size });
const cases: [vector: string, description: QuantizerDescription][] = [
  ["absmean_ternary", "absmean_ternary"],
  ["absmean_ternary_row", "absmean_ternary_row"],
  ["absmean_ternary_group_64", group(64)],
  ["absmean_ternary_group_128", group(128)],
  ["absmean_ternary_group_256", group(256)],
  ["absmedian_ternary", "absmedian_ternary"],
];

/** Of the first half of the columns, with float16 scales alone. */
const others: [vector: string, description: QuantizerDescription][] = [
  ["twn_ternary", "twn_ternary"],
  ["twn_ternary_row", { type: "twn_ternary", scale_per: "row" }],
  ["twn_ternary_group_64", { type: "twn_ternary", scale_per: "group_64" }],
  ["lsq_ternary", "lsq_ternary"],
  ["lsq_ternary_row", { type: "lsq_ternary", scale_per: "row" }],
  ["lsq_ternary_group_64", { type: "lsq_ternary", scale_per: "group_64" }],
  ["seq_ternary", "seq_ternary"],
  ["dlt_ternary", "dlt_ternary"],
  ["tequila_ternary", { type: "tequila_ternary", lambda: 0.05 }],
  ["sherry_ternary", "sherry_ternary"],
  ["sherry_ternary_group_64", { type: "sherry_ternary", scale_per: "group_64" }],
  ["absmean_binary", "absmean_binary"],
  ["absmean_binary_row_signs", { type: "absmean_binary", scale_per: "row", centred: false }],
  ["int2", "int2"],
  ["int4_group_64", { type: "int4", scale_per: "group_64" }],
  ["int8_tensor", { type: "int8", scale_per: "tensor" }],
  ["int4_learnt", { type: "int4", learnt: true }],
];

beforeAll(async () => {
  const file = await SafetensorsFile.open(
    path.resolve(import.meta.dirname, "../golden/quantizers/vectors.safetensors"),
  );
  for (const name of file.names()) vectors.set(name, await file.readFloat32(name));
  await file.close();
});

test("every quantizer of the list has vectors", () => {
  const tested = new Set([...cases, ...others].map(([, description]) => makeWeightQuantizer(description, "f32")!.name));
  expect(weightQuantizers.filter(({ name }) => name !== "none" && !tested.has(name))).toEqual([]);
});

describe.each(cases)("%s", (vector, description) => {
  test.each(scaleDtypes)("codes and values are PyTorch's, scales in %s", (scaleDtype) => {
    const quantizer = makeWeightQuantizer(description, scaleDtype)!;
    const matrix = quantizer.quantize(vectors.get("w")!, { rows, cols }, []);
    expect(Float32Array.from(matrix.codes)).toEqual(vectors.get(`${vector}.codes`)!.map((code) => code + 0));
    const values = dequantize(quantizer, matrix, { rows, cols });
    const theirs = vectors.get(`${vector}.${scaleDtype}.values`)!;
    // Means are summed in other orders; the float32 scale may differ in its last bit, and rarely the rounded one.
    expect(relativeDifference(values, theirs)).toBeLessThan(1e-7);
  });

  test.each(testedBackends)("one training step is PyTorch's on %s", async (backend) => {
    await useBackend(backend);
    expectSameStep(vector, description, cols);
  });
});

describe.each(others)("%s", (vector, description) => {
  const shape = { rows, cols: cols / 2 };
  const latent = () => firstColumns(vectors.get("w")!, shape.cols);
  const learnt = () => learntVectors(vector, "");

  test("codes, values and first values of what is learnt are PyTorch's", () => {
    const quantizer = makeWeightQuantizer(description, "f16")!;
    const parameters = learntParameters(quantizer, shape);
    expect(parameters).toHaveLength(learnt().length);
    for (const [i, values] of learnt().entries()) {
      expect(parameters[i].shape).toEqual([values.length]);
      const initial = parameters[i].initial(latent());
      if (parameters[i].suffix === "shift") expect(initial).toEqual(new Float32Array(values.length));
      else expect(relativeDifference(initial, values)).toBeLessThan(1e-6);
    }
    const levels = integerLevels(quantizer, quantizer.quantize(latent(), shape, learnt()).codes);
    expect(Float32Array.from(levels)).toEqual(vectors.get(`${vector}.codes`)!.map((code) => code + 0));
    const values = weightValues(quantizer, latent(), shape, learnt());
    expect(relativeDifference(values, vectors.get(`${vector}.values`)!)).toBeLessThan(1e-7);
  });

  test.each(testedBackends)("one training step is PyTorch's on %s", async (backend) => {
    await useBackend(backend);
    expectSameStep(vector, description, shape.cols);
  });
});

/** Of each row. */
function firstColumns(values: Float32Array, count: number): Float32Array {
  return values.filter((_, i) => i % cols < count);
}

function learntVectors(vector: string, suffix: string): Float32Array[] {
  return [0, 1].flatMap((i) => vectors.get(`${vector}.learnt${i}${suffix}`) ?? []);
}

/** Output, input gradient, and latent weights and learnt parameters after a step of gradient descent. */
function expectSameStep(vector: string, description: QuantizerDescription, width: number): void {
  const quantization = {
    weights: makeWeightQuantizer(description, "f16"),
    activations: makeActivationQuantizer(defaultActivationQuantizer),
  };
  tf.tidy(() => {
    const [w, x] = [
      tf.tensor2d(firstColumns(vectors.get("w")!, width), [rows, width]),
      tf.tensor2d(firstColumns(vectors.get("x")!, width), [tokens, width]),
    ];
    const dy = tf.tensor2d(vectors.get("dy")!, [tokens, rows]);
    const learnt = learntVectors(vector, "").map((values) => tf.tensor1d(values));
    const layer = (x: tf.Tensor, w: tf.Tensor, ...learnt: tf.Tensor[]) =>
      bitLinear(x, [w as tf.Tensor2D], { ...quantization, learnt: [learnt] });
    const loss = (...operands: tf.Tensor[]) => tf.sum(tf.mul(layer(...(operands as [tf.Tensor, tf.Tensor])), dy));
    const [dx, ...gradients] = tf.grads(loss as (...operands: tf.Tensor[]) => tf.Scalar)([x, w, ...learnt]);
    const [after, ...learntAfter] = [w, ...learnt].map((each, i) => tf.sub(each, tf.mul(gradients[i], learningRate)));
    const ours: [string, tf.Tensor][] = [
      ["y", layer(x, w, ...learnt)],
      ["dx", dx],
      ["after", after],
      ...learntAfter.map((each, i): [string, tf.Tensor] => [`learnt${i}_after`, each]),
    ];
    for (const [name, tensor] of ours) {
      const theirs = vectors.get(`${vector}.${name}`)!;
      expect(relativeDifference(tensor.dataSync<"float32">(), theirs), name).toBeLessThan(1e-6);
    }
  });
}
