/** What the stages of a run are, step by step, and which configurations cannot have them. */
import { describe, expect, it } from "vitest";
import { modelConfigSchema, resolveModelConfig } from "../../../src/config/model_config.ts";
import { CausalLM } from "../../../src/model/causal_lm.ts";
import { makeActivationQuantizer, makeWeightQuantizer } from "../../../src/quantizers/registry.ts";
import { parseRunConfig } from "../../../training/config/load_run_config.ts";
import { beginLearning } from "../../../training/staging/begin_learning.ts";
import { makeStaging, type StagingOptions, stagingSchema } from "../../../training/staging/registry.ts";
import { stagePrecision } from "../../../training/staging/staging.ts";
import { useBackend } from "../../support/tfjs_backends.ts";
import { leastRecipe, problems } from "../config/least_recipe.ts";

const final = {
  weights: makeWeightQuantizer("absmean_ternary", "f16")!,
  activations: makeActivationQuantizer("absmax_int8")!,
};

function stagesOf(options: unknown, maxSteps: number) {
  const staging = makeStaging(stagingSchema.parse(options) as StagingOptions, { final, maxSteps });
  return Array.from({ length: maxSteps + 1 }, (_, i) => staging.at(i + 1));
}

describe("no staging", () => {
  it("is the default: the final quantizers at every step, without a name", () => {
    expect(parseRunConfig(leastRecipe, "my.yaml").quantization.staging).toEqual({ type: "none" });
    for (const stage of stagesOf({}, 3)) {
      expect(stage).toEqual({ quantization: final });
      // The very values, so that the fused kernels of the grid run.
      expect(stage.quantization.weights).toBe(final.weights);
    }
  });
});

describe("float first", () => {
  it("is float for a fraction of the run, and ends on the grid even where it rounds to all steps", () => {
    const names = (fraction: number, maxSteps: number) =>
      stagesOf({ type: "float_first", fraction }, maxSteps).map((stage) => stage.name);
    expect(names(0.3, 10)).toEqual([...Array(3).fill("float"), ...Array(8).fill("final")]);
    expect(names(0.99, 3)).toEqual(["float", "float", "final", "final"]);
    expect(names(0.2, 1)).toEqual(["final", "final"]);
    expect(stagesOf({ type: "float_first", fraction: 0.5 }, 2)[0].quantization).toEqual({
      weights: null,
      activations: null,
    });
    expect(stagesOf("float_first", 5).at(-1)!.quantization).toBe(final);
  });

  it("begins the optimizer anew only if asked to, and only after a float step", () => {
    const starts = (options: object, maxSteps: number) =>
      stagesOf({ type: "float_first", fraction: 0.5, ...options }, maxSteps).map((stage) => stage.optimizerStart);
    expect(starts({ optimizer: "reset" }, 4)).toEqual([undefined, undefined, 2, 2, 2]);
    expect(starts({ optimizer: "reset" }, 1)).toEqual([undefined, undefined]);
    expect(starts({}, 4)).toEqual(Array(5).fill(undefined));
  });

  it("begins what a quantizer learns at the switch, from the weights of then", async () => {
    await useBackend("cpu");
    expect(stagesOf("float_first", 10).map((stage) => stage.quantizerStart)).toEqual([
      undefined,
      undefined,
      ...Array(9).fill(2),
    ]);
    const shape = { hidden_size: 8, num_hidden_layers: 1, intermediate_size: 8, num_attention_heads: 1, vocab_size: 3 };
    const json = modelConfigSchema.parse({ ...shape, weight_quantizer: "lsq_ternary" });
    const model = new CausalLM(resolveModelConfig(json), { seed: 1 });
    const name = "model.layers.0.mlp.up_proj.weight";
    const [weight, step] = [name, `${name}_step`].map((each) => model.parameters.get(each)!);
    const before = step.dataSync()[0];
    weight.assign(weight.mul(4));
    step.assign(step.mul(3));
    beginLearning(model);
    expect(step.dataSync()[0]).toBeCloseTo(4 * before, 6);
    model.dispose();
  });

  it("has float32 backward products where int8 has none", () => {
    expect(stagePrecision("int8", final)).toBe("int8");
    expect(stagePrecision("int8", { weights: null, activations: null })).toBe("f32");
    expect(stagePrecision("int8", { weights: final.weights, activations: null })).toBe("f32");
    expect(stagePrecision("bf16", { weights: null, activations: null })).toBe("bf16");
  });
});

describe("lambda", () => {
  const sharesOf = (options: object) =>
    stagesOf({ type: "lambda", fraction: 0.4, ...options }, 10).map((stage) => stage.value);

  it("rises in one of three shapes, and then is the quantizers themselves", () => {
    expect(sharesOf({})).toEqual([0.25, 0.5, 0.75, 1, ...Array(7).fill(undefined)]);
    const exponential = sharesOf({ shape: "exponential", steepness: 2 });
    expect(exponential.slice(0, 4)).toEqual([1 - 0.75 ** 2, 0.75, 1 - 0.25 ** 2, 1]);
    const [first, middle, third] = sharesOf({ shape: "sigmoid" });
    expect(middle).toBe(0.5);
    expect(first).toBeCloseTo(1 / (1 + Math.exp(5)), 12);
    expect(first! + third!).toBeCloseTo(1, 12);
    const stages = stagesOf({ type: "lambda", fraction: 0.4 }, 10);
    expect(stages[0].quantization).toMatchObject({
      activationShare: 0.25,
      weights: { product: "values", fused: null },
    });
    expect(stages[3].quantization).toBe(final);
    expect(stages.at(-1)).toEqual({ name: "final", quantization: final });
  });
});

describe("nine levels", () => {
  it("are quarters of the scale, and the top ones hold what is beyond", () => {
    const [fine] = stagesOf("levels", 8);
    const latent = Float32Array.of(1, -1, 0.5, -0.3, 0.1, 2, -3, 0.1);
    const { codes, scales } = fine.quantization.weights!.quantize(latent, { rows: 1, cols: 8 }, []);
    expect(scales).toEqual(Float32Array.of(1));
    expect(Array.from(codes, (code) => code + 0)).toEqual([4, -4, 2, -1, 0, 4, -4, 0]);
    expect(stagesOf("levels", 8).map((stage) => stage.name)).toEqual([
      ...Array(2).fill("nine_levels"),
      ...Array(7).fill("final"),
    ]);
  });
});

describe("hestia", () => {
  const latent = Float32Array.of(1, -1, 0.5, -1.5);
  const valuesAt = (step: number, options: object = {}) =>
    stagesOf({ type: "hestia", ...options }, 10)[step - 1].quantization.weights!.values!(
      latent,
      { rows: 1, cols: 4 },
      [],
    );

  it("presses the soft codes in over a fifth of the run, then cools to the grid at the last step", () => {
    const temperatures = stagesOf({ type: "hestia", temperature: 1 }, 10).map((stage) => stage.value);
    expect(temperatures.slice(0, 2)).toEqual([1, 1]);
    expect(temperatures[2]).toBeCloseTo((1 + Math.cos(Math.PI / 8)) / 2, 12);
    expect(temperatures[8]).toBeCloseTo((1 + Math.cos((7 * Math.PI) / 8)) / 2, 12);
    expect(temperatures[9]).toBeUndefined();
    // tanh-like codes of +-1 by hand: (e^1 - e^-3) / (e^1 + 1 + e^-3), times the scale 1.
    const soft = (Math.E - Math.exp(-3)) / (Math.E + 1 + Math.exp(-3));
    expect(valuesAt(1, { temperature: 1 })[0]).toBeCloseTo(0.5 + 0.5 * soft, 6);
    expect(valuesAt(2, { temperature: 1 })[0]).toBeCloseTo(soft, 6);
    expect(valuesAt(2, { temperature: 1 })[1]).toBeCloseTo(-soft, 6);
  });

  it("is finite and all but hard at a temperature near 0", () => {
    const values = valuesAt(2, { temperature: 1e-9, anneal_fraction: 1 });
    expect(Array.from(values, (value) => Math.round(value * 1e4) / 1e4)).toEqual([1, -1, 0.5, -1]);
  });
});

describe("arenas", () => {
  it("adds the latent weights with a share that rises and fades away", () => {
    const stages = stagesOf({ type: "arenas", warmup_fraction: 0.2, peak: 2 }, 10);
    expect(stages.slice(0, 2).map((stage) => stage.value)).toEqual([1, 2]);
    expect(stages[5].value).toBeCloseTo(1, 12);
    expect(stages[9]).toEqual({ name: "final", quantization: final });
    const latent = Float32Array.of(1, -1, 0.5, -1.5);
    expect(stages[0].quantization.weights!.values!(latent, { rows: 1, cols: 4 }, [])).toEqual(
      Float32Array.of(2, -2, 0.5, -2.5),
    );
  });

  it("has no warm-up where it is told so", () => {
    expect(stagesOf({ type: "arenas", warmup_fraction: 0 }, 4)[0].value).toBeCloseTo((1 + Math.SQRT1_2) / 2, 12);
  });
});

describe("a configuration", () => {
  it("is refused where there is nothing to stage, or no such staging", () => {
    expect(problems(leastRecipe, "model.weight_quantizer=none", "quantization.staging=float_first")).toEqual([
      "--set: quantization.staging: float_first needs a model.weight_quantizer",
    ]);
    expect(problems(leastRecipe, "quantization.staging=float")[0]).toMatch(
      /^--set: quantization\.staging\.type: expected none, float_first.*; got "float"/,
    );
    expect(problems(leastRecipe, "quantization.staging.type=float_first", "quantization.staging.fraction=1")).toEqual([
      "--set: quantization.staging.fraction: must be less than 1, got 1",
    ]);
  });

  it("is refused where the quantizer has no such stage, gradient or grid", () => {
    const refused = (weights: string, key: string, type: string) =>
      problems(leastRecipe, `model.weight_quantizer=${weights}`, "training.allow_unpackable=true", `${key}=${type}`);
    const learnt = (key: string, type: string) => [
      `--set: ${key}: ${type} needs ternary weights without learnt parameters, and model.weight_quantizer is lsq_ternary`,
    ];
    for (const type of ["levels", "hestia"]) {
      expect(refused("lsq_ternary", "quantization.staging", type)).toEqual(learnt("quantization.staging", type));
    }
    expect(refused("lsq_ternary", "quantization.correction", "dqt")).toEqual(learnt("quantization.correction", "dqt"));
    expect(refused("lsq_ternary", "quantization.straight_through", "trust")).toEqual([
      "--set: quantization.straight_through: trust is for quantizers without a gradient of their own, and " +
        "model.weight_quantizer is lsq_ternary",
    ]);
    for (const [key, type] of Object.entries({ staging: "arenas", straight_through: "clipped", correction: "cage" })) {
      expect(refused("none", `quantization.${key}`, type)).toEqual([
        `--set: quantization.${key}: ${type} needs a model.weight_quantizer`,
      ]);
    }
    expect(problems(leastRecipe, "quantization.correction=dqt", "quantization.staging=lambda")).toEqual([
      "--set: quantization.correction: dqt has no latent weights for quantization.staging",
    ]);
    for (const [weights, key, type] of [
      ["lsq_ternary", "staging", "lambda"],
      ["tequila_ternary", "staging", "arenas"],
      ["absmean_binary", "staging", "float_first"],
      ["seq_ternary", "correction", "winq"],
    ]) {
      expect(refused(weights, `quantization.${key}`, type), `${weights} ${type}`).toEqual([]);
    }
  });
});
