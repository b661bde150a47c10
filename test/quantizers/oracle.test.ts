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
import { dequantize } from "../../src/quantizers/weight_quantizer.ts";
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

beforeAll(async () => {
  const file = await SafetensorsFile.open(
    path.resolve(import.meta.dirname, "../golden/quantizers/vectors.safetensors"),
  );
  for (const name of file.names()) vectors.set(name, await file.readFloat32(name));
  await file.close();
});

test("every quantizer of the list has vectors", () => {
  const tested = new Set(cases.map(([, description]) => makeWeightQuantizer(description, "f32")!.name));
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
    const quantization = {
      weights: makeWeightQuantizer(description, "f16"),
      activations: makeActivationQuantizer(defaultActivationQuantizer),
    };
    tf.tidy(() => {
      const [w, x, dy] = [
        tf.tensor2d(vectors.get("w")!, [rows, cols]),
        tf.tensor2d(vectors.get("x")!, [tokens, cols]),
        tf.tensor2d(vectors.get("dy")!, [tokens, rows]),
      ];
      const layer = (x: tf.Tensor, w: tf.Tensor) => bitLinear(x, [w as tf.Tensor2D], quantization);
      const [dx, dw] = tf.grads((x, w) => tf.sum(tf.mul(layer(x!, w!), dy)))([x, w]);
      const after = tf.sub(w, tf.mul(dw!, learningRate));
      for (const [name, tensor] of Object.entries({ y: layer(x, w), dx: dx!, after })) {
        const ours = tensor.dataSync<"float32">();
        expect(relativeDifference(ours, vectors.get(`${vector}.${name}`)!)).toBeLessThan(1e-6);
      }
    });
  });
});
