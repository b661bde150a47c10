/** What the stages of a run are, step by step, and which configurations cannot have them. */
import { describe, expect, it } from "vitest";
import { makeActivationQuantizer, makeWeightQuantizer } from "../../../src/quantizers/registry.ts";
import { parseRunConfig } from "../../../training/config/load_run_config.ts";
import { makeStaging, type StagingOptions, stagingSchema } from "../../../training/staging/registry.ts";
import { stagePrecision } from "../../../training/staging/staging.ts";
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

  it("has float32 backward products where int8 has none", () => {
    expect(stagePrecision("int8", final)).toBe("int8");
    expect(stagePrecision("int8", { weights: null, activations: null })).toBe("f32");
    expect(stagePrecision("int8", { weights: final.weights, activations: null })).toBe("f32");
    expect(stagePrecision("bf16", { weights: null, activations: null })).toBe("bf16");
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
});
