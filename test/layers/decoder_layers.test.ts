/** The decoder's layers, each on its own in a tfjs model. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileSystem } from "../../src/checkpoint/file_system.ts";
import { DecoderLayer } from "../../src/layers/decoder_layer.ts";
import { GatedFeedForward } from "../../src/layers/gated_feed_forward.ts";
import { GroupedQueryAttention } from "../../src/layers/grouped_query_attention.ts";
import { AbsmeanTernary, ListedActivationQuantizer, ListedWeightQuantizer } from "../../src/layers/quantizers.ts";
import { RMSNorm } from "../../src/layers/rms_norm.ts";
import { RotaryEmbedding } from "../../src/layers/rotary_embedding.ts";
import { UngatedFeedForward } from "../../src/layers/ungated_feed_forward.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-decoder-"));
afterAll(() => rmSync(folder, { recursive: true }));

const layers: Record<string, () => tf.layers.Layer> = {
  RMSNorm: () => new RMSNorm({ epsilon: 1e-6, inputShape: [7, 24] }),
  RotaryEmbedding: () => new RotaryEmbedding({ theta: 100, inputShape: [7, 4, 6] }),
  GroupedQueryAttention: () =>
    new GroupedQueryAttention({ numAttentionHeads: 4, numKeyValueHeads: 2, ropeTheta: 10000, inputShape: [7, 24] }),
  "GroupedQueryAttention without sub-norm": () =>
    new GroupedQueryAttention({ numAttentionHeads: 2, headDim: 16, useSubNorms: false, inputShape: [7, 24] }),
  GatedFeedForward: () => new GatedFeedForward({ intermediateSize: 40, inputShape: [7, 24] }),
  "GatedFeedForward, SiLU, float": () =>
    new GatedFeedForward({
      intermediateSize: 40,
      hiddenAct: "silu",
      useSubNorms: false,
      weightQuantizer: "none",
      activationQuantizer: "none",
      inputShape: [7, 24],
    }),
  "GatedFeedForward, quantizers with options": () =>
    new GatedFeedForward({
      intermediateSize: 64,
      weightQuantizer: new ListedWeightQuantizer({
        quantizer: { type: "twn_ternary", scale_per: "row", threshold: 0.6 },
      }),
      activationQuantizer: new ListedActivationQuantizer({ quantizer: { type: "topk_int8", keep: 0.4 } }),
      inputShape: [7, 24],
    }),
  UngatedFeedForward: () =>
    new UngatedFeedForward({
      intermediateSize: 40,
      normPlacement: "every_linear",
      activationQuantizer: "absmax_int4",
      inputShape: [7, 24],
    }),
  "DecoderLayer, norms in every linear layer, Hadamard, no gate": () =>
    new DecoderLayer({
      numAttentionHeads: 4,
      intermediateSize: 48,
      normPlacement: "every_linear",
      feedForward: "mlp",
      useHadamard: true,
      inputShape: [7, 24],
    }),
  DecoderLayer: () =>
    new DecoderLayer({
      numAttentionHeads: 4,
      numKeyValueHeads: 1,
      intermediateSize: 32,
      rmsNormEps: 1e-4,
      weightQuantizer: new AbsmeanTernary({ scaleDtype: "bf16" }),
      inputShape: [7, 24],
    }),
};

function random(shape: number[]): tf.Tensor {
  return tf.randomNormal(shape, 0, 1, "float32", 5);
}

describe.each(testedBackends)("decoder layers on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(Object.keys(layers))("%s: trains, round-trips its configuration, saves and loads", async (name) => {
    const layer = layers[name]();
    const model = tf.sequential({ layers: [layer] });
    const shape = (layer.batchInputShape as number[]).slice(1);
    expect(model.outputShape).toEqual([null, ...shape]);

    const config = layer.getConfig();
    const copy = tf.layers.Layer.fromConfig(layer.constructor as never, config) as tf.layers.Layer;
    expect(copy.getConfig()).toEqual(config);

    const x = random([3, ...shape]);
    if (layer.trainableWeights.length > 0) {
      const before = layer.getWeights().map((weight) => Array.from(weight.dataSync()));
      model.compile({ optimizer: tf.train.sgd(1), loss: "meanSquaredError" });
      await model.fit(x, tf.neg(x), { epochs: 2, verbose: 0 });
      layer.getWeights().forEach((weight, i) => {
        expect(Array.from(weight.dataSync())).not.toEqual(before[i]);
      });
    }

    const directory = path.join(folder, `${name}-${backend}`);
    await model.save(fileSystem(directory));
    const loaded = await tf.loadLayersModel(fileSystem(directory));
    expect(loaded.layers[0].getConfig()).toEqual(config);
    const [ours, theirs] = [model, loaded].map((m) => Array.from((m.predict(x) as tf.Tensor).dataSync()));
    expect(theirs).toEqual(ours);
    expect(ours.every(Number.isFinite)).toBe(true);
  });

  test("a layer saved with useSubNorms has the placement of that name", () => {
    const saved = (useSubNorms: boolean) =>
      GatedFeedForward.fromConfig(GatedFeedForward, { intermediateSize: 8, useSubNorms });
    expect([true, false].map((value) => saved(value).getConfig().normPlacement)).toEqual(["sub", "pre"]);
  });

  test("RMSNorm: rows of root mean square 1", () => {
    tf.tidy(() => {
      const y = new RMSNorm({ epsilon: 0 }).apply(tf.mul(random([5, 64]), 37)) as tf.Tensor;
      tf.mean(tf.square(y), 1)
        .dataSync()
        .forEach((value) => {
          expect(value).toBeCloseTo(1, 5);
        });
    });
  });

  test("RotaryEmbedding: position 0 stays, lengths stay, scores depend on the distance only", () => {
    tf.tidy(() => {
      // The same vector at every position.
      const vector = random([1, 1, 1, 8]);
      const rotated = new RotaryEmbedding({ theta: 50 }).apply(tf.tile(vector, [1, 6, 1, 1])) as tf.Tensor;
      const rows = tf.reshape(rotated, [6, 8]) as tf.Tensor2D;
      expect(Array.from(rows.dataSync().slice(0, 8))).toEqual(Array.from(vector.dataSync()));
      const scores = tf.matMul(rows, rows, false, true).arraySync() as number[][];
      for (let i = 0; i < 5; i++) {
        for (let j = 0; j < 5; j++) expect(scores[i + 1][j + 1]).toBeCloseTo(scores[i][j], 4);
      }
      expect(Math.abs(scores[0][3] - scores[0][0])).toBeGreaterThan(0.1);
    });
  });
});

describe("wrong arguments", () => {
  test("are refused with the rule", () => {
    expect(() => new GroupedQueryAttention({ numAttentionHeads: 4, numKeyValueHeads: 3 })).toThrow(
      "numKeyValueHeads (3) must divide numAttentionHeads (4)",
    );
    const odd = new GroupedQueryAttention({ numAttentionHeads: 8 });
    expect(() => odd.apply(tf.zeros([1, 2, 24]))).toThrow("head_dim must be even, got 3");
    expect(() => new GatedFeedForward({ intermediateSize: 4, hiddenAct: "gelu" as never })).toThrow(
      'hiddenAct "gelu" is not one of relu2, silu',
    );
    expect(() => new UngatedFeedForward({ intermediateSize: 4, hiddenAct: "silu" })).toThrow("is not relu2");
    expect(() => new GatedFeedForward({ intermediateSize: 4, normPlacement: "post" as never })).toThrow(
      'normPlacement "post" is not one of pre, sub, every_linear',
    );
    expect(() => new RotaryEmbedding().apply(tf.zeros([1, 2, 3]))).toThrow("even head_dim");
  });
});
