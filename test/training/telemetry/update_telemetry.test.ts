import * as tf from "@tensorflow/tfjs";
import { beforeEach, describe, expect, it } from "vitest";
import { modelConfigSchema, resolveModelConfig } from "../../../src/config/model_config.ts";
import { weightQuantizerOf } from "../../../src/config/model_quantizers.ts";
import { layerSelection } from "../../../training/telemetry/telemetry_options.ts";
import { UpdateTelemetry } from "../../../training/telemetry/update_telemetry.ts";
import { testedBackends, useBackend } from "../../support/tfjs_backends.ts";

const shape = {
  hidden_size: 4,
  num_hidden_layers: 1,
  intermediate_size: 4,
  num_attention_heads: 1,
  vocab_size: 3,
};
const modelOf = (keys: object = {}) => ({
  config: resolveModelConfig(modelConfigSchema.parse({ ...shape, ...keys })),
  parameters: new Map<string, tf.Variable>(),
});
const matrixName = "model.layers.0.self_attn.q_proj.weight";
const embeddingName = "model.embed_tokens.weight";
const detail = { histograms: true, activationTokens: 4, outlierSigma: 6 };
// Scale 0.5 exactly: codes 1 1 0 -1 ... of 16 weights whose magnitudes have the mean 0.5.
const values = [1, 1, 0, -1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0];

/** One update of a parameter, from `before` to `after`. */
function update(telemetry: UpdateTelemetry, name: string, before: number[], after: number[], gradient: number[]): void {
  const [variable, sum] = [tf.variable(tf.tensor2d(before, [4, 4])), tf.tensor2d(gradient, [4, 4])];
  telemetry.before(name, variable, sum, 2);
  variable.assign(tf.tensor2d(after, [4, 4]));
  telemetry.after(name, variable);
  tf.dispose([variable, sum]);
}

describe.each(testedBackends)("UpdateTelemetry on %s", (backend) => {
  beforeEach(() => useBackend(backend));

  it("counts zero codes and flips of ternary matrices only", () => {
    const telemetry = new UpdateTelemetry(modelOf(), weightQuantizerOf(modelOf().config));
    update(telemetry, matrixName, values.with(2, 0.5), values, values);
    update(telemetry, embeddingName, values, values, values);
    expect(telemetry.zeroFraction).toBe(3 / 16);
    expect(telemetry.flipRate).toBe(1 / 16);
    expect(telemetry.rows).toEqual([]);
  });

  it("measures norms, ratio and error of a matrix, and its histograms", () => {
    const telemetry = new UpdateTelemetry(modelOf(), weightQuantizerOf(modelOf().config), detail);
    update(telemetry, matrixName, values.with(2, 0.5), values, [6, 8, ...new Array(14).fill(0)]);
    const [row] = telemetry.rows;
    // Sums of squares: 3 + 10 / 4 after, 1 / 4 more before; three weights of 1 are coded as 0.5.
    expect(row).toMatchObject({ name: matrixName, kind: "matrix", gradient_norm: 5, scale: 0.5 });
    expect(row.norm).toBeCloseTo(Math.sqrt(5.5), 12);
    expect(row.update_ratio).toBeCloseTo(0.5 / Math.sqrt(5.75), 12);
    expect(row.quantization_error).toBeCloseTo(Math.sqrt(0.75 / 5.5), 12);
    expect([row.zero_fraction, row.flip_rate]).toEqual([3 / 16, 1 / 16]);
    // In units of the scale: -2, 0, 1 and 2, in bins of 1 / 8 from -4.
    const filled = (counts: number[]) => counts.flatMap((count, bin) => (count > 0 ? [[bin, count]] : []));
    expect([row.weights!.low, row.weights!.high]).toEqual([-4, 4]);
    expect(filled(row.weights!.counts)).toEqual([
      [16, 1],
      [32, 3],
      [40, 10],
      [48, 2],
    ]);
    // Of the averaged gradient.
    expect([row.gradients!.low, row.gradients!.high]).toEqual([-4, 4]);
    expect(filled(row.gradients!.counts)).toEqual([
      [32, 14],
      [56, 1],
      [63, 1],
    ]);
  });

  it("has norms alone for what is not quantized, and no codes of a float model", () => {
    const telemetry = new UpdateTelemetry(modelOf({ weight_quantizer: "none" }), null, {
      ...detail,
      histograms: false,
    });
    update(telemetry, matrixName, values, values, values);
    expect(telemetry.rows).toEqual([
      { name: matrixName, kind: "matrix", gradient_norm: Math.sqrt(5.5) / 2, norm: Math.sqrt(5.5), update_ratio: 0 },
    ]);
    expect(telemetry.zeroFraction).toBeUndefined();
    expect(telemetry.flipRate).toBeUndefined();
  });

  it("counts what a learnt step flips with the matrix that it belongs to", () => {
    const { config } = modelOf({ weight_quantizer: "lsq_ternary" });
    const [latent, step] = [tf.variable(tf.tensor2d(values, [4, 4])), tf.variable(tf.tensor1d([0.5]))];
    const parameters = new Map<string, tf.Variable>([
      [matrixName, latent],
      [`${matrixName}_step`, step],
    ]);
    const telemetry = new UpdateTelemetry({ config, parameters }, weightQuantizerOf(config), detail);
    telemetry.before(matrixName, latent, latent, 1);
    telemetry.after(matrixName, latent);
    telemetry.before(`${matrixName}_step`, step, step, 1);
    // Ten weights of 0.5 are 0 now.
    step.assign(tf.tensor1d([2]));
    telemetry.after(`${matrixName}_step`, step);
    expect([telemetry.zeroFraction, telemetry.flipRate]).toEqual([1, 13 / 16]);
    expect(telemetry.rows.map(({ name, kind }) => [name, kind])).toEqual([
      [matrixName, "matrix"],
      [`${matrixName}_step`, "quantizer"],
    ]);
    expect(telemetry.rows[0]).toMatchObject({ flip_rate: 13 / 16, scale: 2, quantization_error: 1 });
    tf.dispose([latent, step]);
  });

  it("leaves out layers that are not asked for, but not their codes", () => {
    const telemetry = new UpdateTelemetry(modelOf(), weightQuantizerOf(modelOf().config), { ...detail, layers: [] });
    update(telemetry, matrixName, values, values, values);
    update(telemetry, embeddingName, values, values, values);
    expect(telemetry.rows.map(({ name }) => name)).toEqual([embeddingName]);
    expect(telemetry.zeroFraction).toBe(3 / 16);
  });
});

it("counts layers from the start and from the end", () => {
  const isSelected = layerSelection([0, -1], 12);
  const names = ["model.layers.0.mlp.down", "model.layers.1.mlp.down", "model.layers.11.mlp.down", "lm_head"];
  expect(names.map(isSelected)).toEqual([true, false, true, true]);
});
