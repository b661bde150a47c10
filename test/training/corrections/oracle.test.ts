/** Corrections against PyTorch: what they make of updated weights. */
import { beforeAll, describe, expect, test } from "vitest";
import { makeWeightQuantizer } from "../../../src/quantizers/registry.ts";
import { roundOntoGrid } from "../../../training/corrections/dqt.ts";
import { type CorrectionOptions, makeCorrection } from "../../../training/corrections/registry.ts";
import { relativeDifference } from "../../support/relative_difference.ts";
import { cols, readVectors, rows } from "../staging/golden_vectors.ts";

let vectors: Map<string, Float32Array>;

beforeAll(async () => {
  vectors = await readVectors();
});

describe.each([
  ["tensor", "absmean_ternary", rows * cols],
  ["row", "absmean_ternary_row", cols],
])("with scales per %s", (per, base, size) => {
  const corrected = (options: CorrectionOptions, learningRate: number) => {
    const latent = vectors.get("w")!;
    const run = { quantizer: makeWeightQuantizer(base, "f16")!, maxSteps: 10, seed: 1 };
    const correct = makeCorrection(options, run)!.after(10, learningRate)!;
    return correct({ name: "w", shape: { rows, cols }, latent, before: latent, learnt: [] });
  };

  test("cage pulls as PyTorch does", () => {
    const ours = corrected({ type: "cage", strength: 10, silence: 0.8 }, 0.002);
    expect(relativeDifference(ours, vectors.get(`cage.${per}`)!)).toBeLessThan(1e-7);
  });

  test("winq pulls as PyTorch does", () => {
    const ours = corrected({ type: "winq", every: 5, pull: 0.1, noise: 0 }, 0.002);
    expect(relativeDifference(ours, vectors.get(`winq.${per}`)!)).toBeLessThan(1e-7);
  });

  test("dqt rounds as PyTorch does, given the same draws", () => {
    const [before, updated] = [vectors.get(`dqt.${per}.before`)!, vectors.get(`dqt.${per}.updated`)!];
    const ours = roundOntoGrid(updated, before, size, (i) => vectors.get("random")![i]);
    expect(ours.map((value) => value + 0)).toEqual(vectors.get(`dqt.${per}`)!.map((value) => value + 0));
    // A fixture that never rounds away from the nearest level would not tell stochastic rounding from another.
    const nearest = roundOntoGrid(updated, before, size, () => 0.5);
    expect(ours.some((value, i) => value !== nearest[i])).toBe(true);
  });
});
