/** The settings of a backward pass: who is inside sees them, and afterwards they are what they were. */
import { describe, expect, test } from "vitest";
import {
  backwardPrecision,
  backwardRounding,
  duringBackwardPass,
  freesGradients,
} from "../../src/ops/backward_pass.ts";

const pass = { seed: 1, step: 2, microStep: 0 };

describe("duringBackwardPass", () => {
  test("a pass within a pass leaves the outer one as it was, even when it fails", () => {
    duringBackwardPass({ ...pass, precision: "bf16", freesGradients: true }, () => {
      duringBackwardPass({ ...pass, precision: "int8" }, () => {
        expect([backwardPrecision(), freesGradients()]).toEqual(["int8", false]);
      });
      expect([backwardPrecision(), freesGradients()]).toEqual(["bf16", true]);
      const failing = () => {
        throw new Error("in the pass");
      };
      expect(() => duringBackwardPass({ ...pass, precision: "int8" }, failing)).toThrow("in the pass");
      expect([backwardPrecision(), freesGradients()]).toEqual(["bf16", true]);
    });
    expect([backwardPrecision(), freesGradients()]).toEqual(["f32", false]);
  });
});

test("rounding keys depend on seed, step, micro-step and place, not on what was rounded before", () => {
  const keyOf = (changes: object, place = 5, before = 0) =>
    duringBackwardPass({ ...pass, precision: "int8", ...changes }, () => {
      for (let i = 0; i < before; i++) backwardRounding(i);
      return backwardRounding(place).roundingKey;
    });
  expect(keyOf({}, 5, 3)).toBe(keyOf({}));
  const keys = [keyOf({}), keyOf({}, 6), keyOf({ seed: 2 }), keyOf({ step: 3 }), keyOf({ microStep: 1 })];
  expect(new Set(keys).size).toBe(keys.length);
});
