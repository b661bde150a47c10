/** Straight-through variants by hand: which weights keep their gradient, and that nothing else changes. */
import { describe, expect, it } from "vitest";
import { makeWeightQuantizer, type QuantizerDescription } from "../../../src/quantizers/registry.ts";
import { type StraightThroughOptions, withStraightThrough } from "../../../training/straight_through/registry.ts";

const quantizationOf = (quantizer: QuantizerDescription, options: StraightThroughOptions) =>
  withStraightThrough(options, { weights: makeWeightQuantizer(quantizer, "f32"), activations: null }).weights!;

const ones = (count: number) => new Float32Array(count).fill(1);

describe("straight-through variants", () => {
  it("identity is the quantizer itself", () => {
    const quantization = { weights: makeWeightQuantizer("absmean_ternary", "f32"), activations: null };
    expect(withStraightThrough({ type: "identity" }, quantization).weights).toBe(quantization.weights);
    expect(withStraightThrough({ type: "clipped" }, { weights: null, activations: null }).weights).toBeNull();
  });

  it("keep codes, product and the fused kernel", () => {
    const weights = makeWeightQuantizer("absmean_ternary", "f32")!;
    const variant = withStraightThrough({ type: "clipped" }, { weights, activations: null }).weights!;
    expect({ ...variant, backward: undefined }).toEqual({ ...weights, backward: undefined });
    expect(variant.fused).not.toBeNull();
  });

  it("clipped stops the gradient half a step beyond the levels, row by row", () => {
    // Means 1 and 10.
    const latent = Float32Array.of(1.49, -1.51, 0, 1, 14, -16, 9, 1);
    const { backward } = quantizationOf("absmean_ternary_row", { type: "clipped" });
    expect([...backward!(ones(8), latent, { rows: 2, cols: 4 }, []).latent]).toEqual([1, 0, 1, 1, 1, 0, 1, 1]);
  });

  it("trust stops it where quantization moved a weight by more than its share of the root mean square", () => {
    const latent = Float32Array.of(1, -1, 1.5, 0.5);
    // Scale 1, root mean square 1.06: errors 0, 0, 0.5, 0.5.
    const shape = { rows: 1, cols: 4 };
    const passed = (threshold: number) =>
      quantizationOf("absmean_ternary", { type: "trust", threshold }).backward!(ones(4), latent, shape, []).latent;
    expect([...passed(0.48)]).toEqual([1, 1, 1, 1]);
    expect([...passed(0.46)]).toEqual([1, 1, 0, 0]);
  });
});
