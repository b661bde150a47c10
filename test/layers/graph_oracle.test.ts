/** Activation quantizers, and decoder layers of every graph, against one step of PyTorch's: on every backend. */
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_file.ts";
import { DecoderLayer, type DecoderLayerArgs } from "../../src/layers/decoder_layer.ts";
import { AbsmeanTernary } from "../../src/layers/quantizers.ts";
import { bitLinear } from "../../src/ops/bit_linear.ts";
import { quantizedActivations } from "../../src/ops/fake_quantize.ts";
import {
  activationQuantizers,
  makeActivationQuantizer,
  makeWeightQuantizer,
  type QuantizerDescription,
} from "../../src/quantizers/registry.ts";
import { relativeDifference } from "../support/relative_difference.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const [tokens, rows, cols, learningRate] = [5, 6, 96, 0.1];
const vectors = new Map<string, Float32Array>();
const of = (name: string) => vectors.get(name)!;

beforeAll(async () => {
  const file = await SafetensorsFile.open(path.resolve(import.meta.dirname, "../golden/graph/vectors.safetensors"));
  for (const name of file.names()) vectors.set(name, await file.readFloat32(name));
  await file.close();
});

const quantizers: [string, QuantizerDescription][] = [
  ["absmax_int8", "absmax_int8"],
  ["absmax_int4", "absmax_int4"],
  ["absmean_int4", "absmean_int4"],
  ["topk_int8", { type: "topk_int8", keep: 0.4 }],
];

test("every activation quantizer has vectors", () => {
  const names = activationQuantizers.map(({ name }) => name).filter((name) => name !== "none");
  expect(quantizers.map(([name]) => name).sort()).toEqual(names.sort());
});

describe.each(quantizers)("%s", (name, description) => {
  const quantizer = makeActivationQuantizer(description)!;

  test("codes and scales are PyTorch's", () => {
    const { codes, actScales } = quantizer.quantize(of("x"), tokens, cols);
    expect(Float32Array.from(codes)).toEqual(of(`${name}.codes`).map((code) => code + 0));
    expect(relativeDifference(actScales, of(`${name}.scales`))).toBeLessThan(1e-7);
  });

  test.each(testedBackends)(
    "one step of H-BitLinear is PyTorch's on %s, and its codes are the reference's",
    async (backend) => {
      await useBackend(backend);
      tf.tidy(() => {
        const x = tf.tensor2d(of("x"), [tokens, cols]);
        const w = tf.tensor2d(of("w"), [rows, cols]);
        const [gain, dy] = [tf.tensor1d(of("gain")), tf.tensor2d(of("dy"), [tokens, rows])];
        const quantization = { weights: makeWeightQuantizer("absmean_ternary", "f32"), activations: quantizer };
        const layer = (x: tf.Tensor, w: tf.Tensor, gain: tf.Tensor) => {
          const norm = { gain: gain as tf.Tensor1D, epsilon: 1e-5 };
          return bitLinear(x, [w as tf.Tensor2D], quantization, { norm, hadamard: true });
        };
        const [dx, dw, dgain] = tf.grads((x, w, gain) => tf.sum(tf.mul(layer(x!, w!, gain!), dy)))([x, w, gain]);
        const step = (value: tf.Tensor, gradient: tf.Tensor) => tf.sub(value, tf.mul(gradient, learningRate));
        const ours = { y: layer(x, w, gain), dx: dx!, w: step(w, dw!), gain: step(gain, dgain!) };
        for (const [key, tensor] of Object.entries(ours)) {
          expect(relativeDifference(tensor.dataSync<"float32">(), of(`${name}.${key}`)), key).toBeLessThan(2e-6);
        }

        // A product with the unit matrix shows what the backend quantizes to.
        const unit = tf.tensor2d(
          Float32Array.from({ length: cols * cols }, (_, i) => Number(i % (cols + 1) === 0)),
          [cols, cols],
        );
        const seen = bitLinear(x, [unit], { weights: null, activations: quantizer });
        const { codes, actScales } = quantizer.quantize(of("x"), tokens, cols);
        const expected = Float32Array.from(codes, (code, i) => code * actScales[Math.floor(i / cols)] + 0);
        expect(seen.dataSync().map((value) => value + 0)).toEqual(expected);
        expect(
          quantizedActivations(x, quantizer)
            .dataSync()
            .map((value) => value + 0),
        ).toEqual(expected);
      });
    },
  );
});

const float = { weightQuantizer: null, activationQuantizer: null };
const layers: [string, Partial<DecoderLayerArgs>][] = [
  ["pre", { ...float, normPlacement: "pre" }],
  ["sub", { ...float, useHadamard: true }],
  ["every_linear", { ...float, normPlacement: "every_linear" }],
  ["mlp", { ...float, feedForward: "mlp" }],
  ["every_linear_mlp_hadamard", { ...float, normPlacement: "every_linear", feedForward: "mlp", useHadamard: true }],
  [
    "quantized",
    {
      weightQuantizer: new AbsmeanTernary({ scaleDtype: "f32" }),
      activationQuantizer: "absmax_int4",
      normPlacement: "every_linear",
      feedForward: "mlp",
      useHadamard: true,
    },
  ],
];

describe.each(layers)("decoder layer %s", (name, args) => {
  test.each(testedBackends)("one step is PyTorch's on %s", async (backend) => {
    await useBackend(backend);
    tf.tidy(() => {
      const shape: [number, number, number] = [2, 3, 24];
      const layer = new DecoderLayer({ numAttentionHeads: 2, intermediateSize: 40, rmsNormEps: 1e-5, ...args });
      layer.build([null, null, shape[2]]);
      const theirs = [...vectors.keys()].filter((key) => key.startsWith(`${name}/`) && !key.endsWith(".after"));
      expect([...layer.parameters.keys()].sort()).toEqual(theirs.map((key) => key.slice(name.length + 1)).sort());
      for (const [key, variable] of layer.parameters) variable.assign(tf.tensor(of(`${name}/${key}`), variable.shape));

      const x = tf.variable(tf.tensor3d(of("hidden"), shape));
      const dy = tf.tensor3d(of("upstream"), shape);
      const y = layer.forward(x);
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(layer.forward(x), dy)) as tf.Scalar);
      const check = (tensor: tf.Tensor, key: string) =>
        expect(relativeDifference(tensor.dataSync<"float32">(), of(key)), key).toBeLessThan(5e-6);
      check(y, `${name}.y`);
      check(grads[x.name], `${name}.dx`);
      for (const [key, variable] of layer.parameters) {
        check(tf.sub(variable, tf.mul(grads[variable.name], learningRate)), `${name}/${key}.after`);
      }
      x.dispose();
      for (const variable of layer.parameters.values()) variable.dispose();
    });
  });
});
