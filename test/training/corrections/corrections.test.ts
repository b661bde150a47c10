/** When corrections act, what keys their draws, and that noise leaves no trace. */
import { describe, expect, it } from "vitest";
import { modelConfigSchema, resolveModelConfig } from "../../../src/config/model_config.ts";
import { CausalLM } from "../../../src/model/causal_lm.ts";
import { makeWeightQuantizer } from "../../../src/quantizers/registry.ts";
import { MatrixCorrections } from "../../../training/corrections/matrix_corrections.ts";
import { correctionSchema, makeCorrection } from "../../../training/corrections/registry.ts";
import { useBackend } from "../../support/tfjs_backends.ts";

const quantizer = makeWeightQuantizer("absmean_ternary", "f32")!;
const correctionOf = (options: unknown, seed = 1) =>
  makeCorrection(correctionSchema.parse(options), { quantizer, maxSteps: 10, seed });
const latent = Float32Array.of(1.5, -0.5, 0.25, 1.75);
const matrix = { name: "w", shape: { rows: 1, cols: 4 }, latent, before: Float32Array.of(1, -1, 0, 1), learnt: [] };

describe("none", () => {
  it("is the default, and nothing", () => expect(correctionOf({})).toBeNull());
});

describe("cage", () => {
  it("is silent for most of the run, and then pulls more from step to step", () => {
    const cage = correctionOf({ type: "cage", strength: 10, silence: 0.8 })!;
    expect(cage.after(8, 0.1)).toBeNull();
    // Q(w) is 1, 0 (a tie), 0, 1: half of the pull, then all of it, which with a rate of 0.1 is the grid itself.
    expect(cage.after(9, 0.1)!(matrix)).toEqual(Float32Array.of(1.25, -0.25, 0.125, 1.375));
    expect(cage.after(10, 0.1)!(matrix)).toEqual(Float32Array.of(1, 0, 0, 1));
    expect(cage.after(10, 0)!(matrix)).toEqual(latent);
  });
});

describe("winq", () => {
  it("pulls on its steps only", () => {
    const winq = correctionOf({ type: "winq", every: 3, pull: 0.5 })!;
    expect([1, 2, 3, 4, 5, 6].map((step) => winq.after(step, 1) !== null)).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
    expect(winq.after(3, 1)!(matrix)).toEqual(Float32Array.of(1.25, -0.25, 0.125, 1.375));
    expect(winq.noise).toBeUndefined();
  });

  it("draws noise by seed, step and parameter", () => {
    const noise = correctionOf({ type: "winq", noise: 0.5 })!.noise!;
    expect(noise(1, "a", 8)).toEqual(noise(1, "a", 8));
    const others = [
      noise(2, "a", 8),
      noise(1, "b", 8),
      correctionOf({ type: "winq", noise: 0.5 }, 2)!.noise!(1, "a", 8),
    ];
    for (const other of others) expect(other).not.toEqual(noise(1, "a", 8));
    const many = noise(1, "a", 20_000);
    expect(Math.sqrt(many.reduce((sum, value) => sum + value * value, 0) / many.length)).toBeCloseTo(0.5, 1);
  });
});

describe("dqt", () => {
  it("starts on the grid, and rounds to the mean of the updated weights, by draws of its own for all that names one", () => {
    const dqt = correctionOf({ type: "dqt" })!;
    expect(dqt.start!(latent, matrix.shape, []).map((value) => value + 0)).toEqual(Float32Array.of(1, 0, 0, 1));
    const cols = 30_000;
    const many = {
      ...matrix,
      shape: { rows: 1, cols },
      before: new Float32Array(cols).map((_, i) => (i % 3) - 1),
      latent: new Float32Array(cols).fill(0.3),
    };
    const rounded = dqt.after(1, 1)!(many);
    expect(new Set(rounded)).toEqual(new Set([0, 1]));
    expect(rounded.reduce((a, b) => a + b) / cols).toBeCloseTo(0.3, 1.7);
    expect(dqt.after(1, 1)!(many)).toEqual(rounded);
    const others = [
      dqt.after(2, 1)!(many),
      dqt.after(1, 1)!({ ...many, name: "v" }),
      correctionOf({ type: "dqt" }, 2)!.after(1, 1)!(many),
    ];
    for (const other of others) expect(other).not.toEqual(rounded);
  });

  it("gives a scale to weights that are all 0", () => {
    const zeros = { ...matrix, before: new Float32Array(4), latent: Float32Array.of(2, -2, 2, -2) };
    expect(correctionOf({ type: "dqt" })!.after(1, 1)!(zeros)).toEqual(zeros.latent);
  });
});

describe("corrections of a model", () => {
  const config = resolveModelConfig(
    modelConfigSchema.parse({
      hidden_size: 8,
      num_hidden_layers: 1,
      intermediate_size: 8,
      num_attention_heads: 1,
      vocab_size: 3,
    }),
  );
  const name = "model.layers.0.mlp.up_proj.weight";

  it("add noise to the matrices alone and take it away to the bit, and observers see the corrected weights", async () => {
    await useBackend("cpu");
    const model = new CausalLM(config, { seed: 1 });
    const values = () => Array.from(model.parameters.values(), (parameter) => parameter.dataSync<"float32">().slice());
    const before = values();
    const corrections = new MatrixCorrections(model, correctionOf({ type: "winq", every: 1, pull: 1, noise: 0.1 })!);
    const restore = corrections.perturb(1)!;
    const kinds = [...model.parameters.keys()].map((key) => /proj/.test(key));
    expect(values().map((now, i) => now.some((value, k) => value !== before[i][k]))).toEqual(kinds);
    restore();
    expect(values()).toEqual(before);

    let seen = new Float32Array();
    const observer = corrections.observer(1, 0, {
      before: () => undefined,
      after: (_name, parameter) => {
        seen = parameter.dataSync<"float32">().slice();
      },
    })!;
    const parameter = model.parameters.get(name)!;
    observer.before(name, parameter, parameter, 1);
    observer.after(name, parameter);
    expect(new Set(seen.map(Math.abs)).size).toBe(2);
    const norm = model.parameters.get("model.norm.weight")!;
    observer.before("model.norm.weight", norm, norm, 1);
    observer.after("model.norm.weight", norm);
    expect(seen).toEqual(new Float32Array(8).fill(1));
    model.dispose();
  });
});
