import { describe, expect, test } from "vitest";
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from "../../src/quant/float16.ts";
import { dequantizeQ8, quantizeQ8 } from "../../src/quant/q8_0.ts";
import { roundAndClip, roundHalfEven } from "../../src/quant/round_half_even.ts";
import { roundScale, roundToDtype } from "../../src/quant/round_to_dtype.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";

describe("rounding half to even", () => {
  test.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [126.5, 126],
    [0.49999999999999994, 0],
    [3.2, 3],
    [-3.7, -4],
  ])("%f -> %f", (value, expected) => expect(roundHalfEven(value) + 0).toBe(expected));

  test("clips, and sends NaN to the lower bound as the kernels do", () => {
    expect(roundAndClip(200, -128, 127)).toBe(127);
    expect(roundAndClip(Number.NEGATIVE_INFINITY, -1, 1)).toBe(-1);
    expect(roundAndClip(Number.POSITIVE_INFINITY, -1, 1)).toBe(1);
    expect(roundAndClip(Number.NaN, -1, 1)).toBe(-1);
  });
});

describe("float16", () => {
  test("every finite float16 survives the round trip", () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 0x10000; bits++) {
      if ((bits & 0x7c00) === 0x7c00) continue;
      if (float32ToFloat16(float16ToFloat32(bits)) !== bits) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  test("halfway values between neighbours go to the even one, values beside them to the nearer", () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 0x7bff; bits++) {
      const low = float16ToFloat32(bits);
      const high = float16ToFloat32(bits + 1);
      const middle = (low + high) / 2;
      const beside = (high - low) / 64;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const right =
        float32ToFloat16(middle) === even &&
        float32ToFloat16(-middle) === (even | 0x8000) &&
        float32ToFloat16(middle + beside) === bits + 1 &&
        float32ToFloat16(middle - beside) === bits;
      if (!right) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  test("overflow, infinities and NaN", () => {
    expect(float32ToFloat16(65519)).toBe(0x7bff);
    expect(float32ToFloat16(65520)).toBe(0x7c00);
    expect(float32ToFloat16(Number.NEGATIVE_INFINITY)).toBe(0xfc00);
    expect(float16ToFloat32(float32ToFloat16(Number.NaN))).toBeNaN();
    expect(float16ToFloat32(0x0001)).toBe(2 ** -24);
    expect(Object.is(float16ToFloat32(0x8000), -0)).toBe(true);
  });
});

describe("bfloat16", () => {
  test("ties to even", () => {
    expect(float32ToBfloat16(1 + 2 ** -8)).toBe(0x3f80);
    expect(float32ToBfloat16(1 + 3 * 2 ** -8)).toBe(0x3f82);
    expect(float32ToBfloat16(-(1 + 2 ** -8 + 2 ** -20))).toBe(0xbf81);
    expect(bfloat16ToFloat32(0x3fc0)).toBe(1.5);
    expect(bfloat16ToFloat32(float32ToBfloat16(Number.NaN))).toBeNaN();
  });
});

describe("stored types", () => {
  test("f32 keeps values; rounding twice changes nothing", () => {
    const rng = new CounterRng(3, "round");
    const values = Float32Array.from({ length: 320 }, () => rng.normal());
    expect(roundToDtype(values, "f32")).toEqual(values);
    for (const dtype of ["f16", "bf16"] as const) {
      const once = roundToDtype(values, dtype);
      expect(once).not.toEqual(values);
      expect(roundToDtype(once, dtype)).toEqual(once);
    }
    expect(roundScale(0.1, "f16")).toBe(0.0999755859375);
  });

  test("q8_0: the scale that makes the codes is the one before its float16 rounding", () => {
    const block = Float32Array.from({ length: 32 }, (_, i) => (i - 16) * 0.1);
    const { scales, codes } = quantizeQ8(block);
    const scale = Math.fround(Math.fround(1.6) / 127);
    expect(scales[0]).toBe(float32ToFloat16(scale));
    expect(Array.from(codes)).toEqual(Array.from(block, (x) => roundHalfEven(Math.fround(x * Math.fround(1 / scale)))));
    expect(codes[0]).toBe(-127);
    const values = dequantizeQ8({ scales, codes });
    expect(values[7]).toBe(Math.fround(codes[7] * float16ToFloat32(scales[0])));
  });

  test("q8_0: zeros stay zero; a length that is no multiple of 32 is refused", () => {
    expect(roundToDtype(new Float32Array(64), "q8_0")).toEqual(new Float32Array(64));
    expect(() => quantizeQ8(new Float32Array(33))).toThrow("multiple of 32");
  });
});
