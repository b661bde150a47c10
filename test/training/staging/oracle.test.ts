/** Stages and straight-through variants against PyTorch: one training step of a linear layer, on every backend. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { bitLinear } from "../../../src/ops/bit_linear.ts";
import type { LinearQuantization } from "../../../src/ops/linear_quantization.ts";
import { makeActivationQuantizer, makeWeightQuantizer } from "../../../src/quantizers/registry.ts";
import { softTernary } from "../../../training/staging/hestia.ts";
import { nineLevels } from "../../../training/staging/levels.ts";
import { mixture } from "../../../training/staging/staged_weights.ts";
import { type StraightThroughOptions, withStraightThrough } from "../../../training/straight_through/registry.ts";
import { relativeDifference } from "../../support/relative_difference.ts";
import { testedBackends, useBackend } from "../../support/tfjs_backends.ts";
import { cols, readVectors, rows, tokens } from "./golden_vectors.ts";

const learningRate = 0.01;
let vectors: Map<string, Float32Array>;

beforeAll(async () => {
  vectors = await readVectors();
});

const bases = { tensor: "absmean_ternary", row: "absmean_ternary_row" };
const activations = makeActivationQuantizer("absmax_int8");
const passing = (options: StraightThroughOptions) => (final: LinearQuantization) => withStraightThrough(options, final);

const cases: Record<string, (final: LinearQuantization) => LinearQuantization> = {
  lambda: ({ weights }) => ({ weights: mixture(weights!, 0.3, 0.7), activations, activationShare: 0.3 }),
  levels: ({ weights }) => ({ weights: nineLevels(weights!), activations }),
  hestia_pressed: ({ weights }) => ({ weights: softTernary(weights!, 0.4, 0.35088), activations }),
  hestia_soft: ({ weights }) => ({ weights: softTernary(weights!, 1, 0.1), activations }),
  arenas: ({ weights }) => ({ weights: mixture(weights!, 1, 0.6), activations }),
  clipped: passing({ type: "clipped" }),
  trust: passing({ type: "trust", threshold: 0.612 }),
};

describe.each(Object.entries(cases))("%s", (name, stage) => {
  describe.each(Object.entries(bases))("with scales per %s", (per, base) => {
    test.each(testedBackends)("one training step is PyTorch's on %s", async (backend) => {
      await useBackend(backend);
      const quantization = stage({ weights: makeWeightQuantizer(base, "f16"), activations });
      tf.tidy(() => {
        const [w, x, dy] = [
          tf.tensor2d(vectors.get("w")!, [rows, cols]),
          tf.tensor2d(vectors.get("x")!, [tokens, cols]),
          tf.tensor2d(vectors.get("dy")!, [tokens, rows]),
        ];
        const layer = (x: tf.Tensor, w: tf.Tensor) => bitLinear(x, [w as tf.Tensor2D], quantization);
        const [dx, dw] = tf.grads((x, w) => tf.sum(tf.mul(layer(x!, w!), dy)))([x, w]);
        const after = tf.sub(w, tf.mul(dw!, learningRate));
        for (const [what, tensor] of Object.entries({ y: layer(x, w), dx: dx!, dw: dw!, after })) {
          const theirs = vectors.get(`${name}.${per}.${what}`)!;
          expect(relativeDifference(tensor.dataSync<"float32">(), theirs), what).toBeLessThan(2e-6);
        }
      });
    });
  });
});

describe("the gradient of soft codes", () => {
  test.each(Object.values(bases))("is that of differences, through codes and scale, for %s", (base) => {
    const quantizer = softTernary(makeWeightQuantizer(base, "f16")!, 0.7, 0.3);
    const shape = { rows: 2, cols: 8 };
    const latent = vectors.get("w")!.slice(0, 16);
    const dy = vectors.get("dy")!.slice(0, 16);
    const loss = (w: Float32Array) => quantizer.values!(w, shape, []).reduce((sum, value, i) => sum + dy[i] * value, 0);
    const { latent: gradient } = quantizer.backward!(dy, latent, shape, []);
    const h = 2 ** -12;
    const differences = latent.map((w, i) => (loss(latent.with(i, w + h)) - loss(latent.with(i, w - h))) / (2 * h));
    expect(relativeDifference(gradient, differences)).toBeLessThan(2e-3);
  });
});
