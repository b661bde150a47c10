/** Weight quantizers by hand: scales per row, per group and by the median, what codes stand for, and the list. */
import { describe, expect, test } from "vitest";
import { scaleDtypes } from "../../src/quant/dtypes.ts";
import { medianMagnitude } from "../../src/quantizers/absmedian_ternary.ts";
import {
  makeActivationQuantizer,
  makeWeightQuantizer,
  weightQuantizerSchema,
  weightQuantizers,
} from "../../src/quantizers/registry.ts";
import {
  dequantize,
  type Learnt,
  learntParameters,
  type MatrixShape,
  scaleCount,
  type WeightQuantizer,
} from "../../src/quantizers/weight_quantizer.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";

const numbers = (values: ArrayLike<number>) => Array.from(values, (value) => value + 0);

describe("absmean_ternary_row", () => {
  test("each row has a scale of its own, and a row of zeros the smallest one", () => {
    const quantizer = makeWeightQuantizer("absmean_ternary_row", "f32")!;
    // Means 1 and 100; a matrix's mean would make the first row zeros.
    const latent = Float32Array.of(0.5, -1.5, 0.25, 1.75, 50, -150, 25, 175, 0, 0, 0, 0);
    const { codes, scales } = quantizer.quantize(latent, { rows: 3, cols: 4 }, []);
    expect(numbers(codes)).toEqual([0, -1, 0, 1, 0, -1, 0, 1, 0, 0, 0, 0]);
    expect(numbers(scales)).toEqual([1, 100, Math.fround(1e-5)]);
  });
});

describe("absmean_ternary_group", () => {
  test("each group has a scale of its own, in memory order", () => {
    const quantizer = makeWeightQuantizer({ type: "absmean_ternary_group", group_size: 64 }, "f16")!;
    const latent = Float32Array.from({ length: 2 * 128 }, (_, i) => 2 ** Math.floor(i / 64) * (i % 2 ? -1 : 1));
    const matrix = quantizer.quantize(latent, { rows: 2, cols: 128 }, []);
    expect(numbers(matrix.scales)).toEqual([1, 2, 4, 8]);
    expect(scaleCount(quantizer.scales, { rows: 2, cols: 128 })).toBe(4);
    expect(dequantize(quantizer, matrix, { rows: 2, cols: 128 })).toEqual(latent);
  });
});

describe("absmedian_ternary", () => {
  test("the lower of two middle magnitudes, whatever their signs", () => {
    expect(medianMagnitude(Float32Array.of(-3, 1, 2))).toBe(2);
    expect(medianMagnitude(Float32Array.of(4, -3, 1, -2))).toBe(2);
    expect(medianMagnitude(Float32Array.of(-0, 0))).toBe(0);
    expect(medianMagnitude(Float32Array.of(7))).toBe(7);
  });

  test.each([1, 2, 255, 1000])("is that of the sorted magnitudes of %i weights, at an offset too", (count) => {
    const rng = new CounterRng(1, "median");
    const values = Float32Array.from({ length: count + 3 }, () => rng.normal() * 2 ** rng.integer(20));
    const weights = values.subarray(3);
    const sorted = weights.map(Math.abs).sort();
    expect(medianMagnitude(weights)).toBe(sorted[(count - 1) >> 1]);
  });

  test("a weight that is not finite shows: no scale is right for it", () => {
    const quantizer = makeWeightQuantizer("absmedian_ternary", "f32")!;
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const latent = Float32Array.of(1, broken, 2, 3);
      expect(medianMagnitude(latent)).toBeNaN();
      expect(quantizer.quantize(latent, { rows: 1, cols: 4 }, []).scales[0]).toBeNaN();
    }
  });

  test("the scale is the median, at least 1e-5", () => {
    const quantizer = makeWeightQuantizer("absmedian_ternary", "f32")!;
    const { codes, scales } = quantizer.quantize(Float32Array.of(1, -3, 2, 100), { rows: 2, cols: 2 }, []);
    // 1 / 2 is a tie and goes to 0.
    expect(numbers(codes)).toEqual([0, -1, 1, 1]);
    expect(scales[0]).toBe(2);
    expect(quantizer.quantize(new Float32Array(4), { rows: 2, cols: 2 }, []).scales[0]).toBe(Math.fround(1e-5));
  });
});

/** What a quantizer has learnt before the first step. */
function firstLearnt(quantizer: WeightQuantizer, latent: Float32Array, shape: MatrixShape): Learnt {
  return learntParameters(quantizer, shape).map((parameter) => parameter.initial(latent));
}

describe("every quantizer of the list", () => {
  const listed = weightQuantizers.flatMap(({ name }) => {
    const quantizer = makeWeightQuantizer(name, "f32");
    return quantizer ? [[name, quantizer] as const] : [];
  });

  test.each(listed)("%s says of itself what it makes", (name, quantizer) => {
    expect(quantizer.name).toBe(name);
    expect([...quantizer.levels]).toEqual([...quantizer.levels].sort((a, b) => a - b));
    const shape = { rows: 16, cols: 256 };
    const rng = new CounterRng(2, name);
    const latent = Float32Array.from({ length: 16 * 256 }, () => 0.02 * rng.normal());
    const { codes, scales } = quantizer.quantize(latent, shape, firstLearnt(quantizer, latent, shape));
    expect(scales.length).toBe(scaleCount(quantizer.scales, shape));
    const middle = quantizer.levels.length >> 1;
    expect([...codes].every((code) => quantizer.levels[code + middle] !== undefined)).toBe(true);
    if (quantizer.product !== "values") expect([-1, 0, 1]).toEqual(expect.arrayContaining([...quantizer.levels]));
    // Of 8 bits the outer ones are rare.
    const used = new Set(codes).size;
    if (quantizer.levels.length <= 16) expect(used).toBe(quantizer.levels.length);
    else expect(used).toBeGreaterThan(quantizer.levels.length / 2);
  });

  test.each(listed)("%s rounds scales that multiply to scale_dtype, and no code", (name, quantizer) => {
    const latent = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i) / 50);
    const shape = { rows: 2, cols: 256 };
    const learnt = firstLearnt(quantizer, latent, shape);
    const exact = quantizer.quantize(latent, shape, learnt);
    for (const scaleDtype of scaleDtypes) {
      const rounded = makeWeightQuantizer(name, scaleDtype)!.quantize(latent, shape, learnt);
      expect(rounded.codes).toEqual(exact.codes);
      const bits = { f16: 11, bf16: 8, f32: 24 }[scaleDtype];
      rounded.scales.forEach((scale, i) => {
        expect(Math.abs(scale / exact.scales[i] - 1)).toBeLessThanOrEqual(2 ** -bits);
        expect(Number.isInteger(scale / 2 ** (Math.floor(Math.log2(scale)) + 1 - bits))).toBe(true);
      });
    }
  });
});

test("dequantize reads levels that are no integers, of even and odd number", () => {
  const quantizer = (levels: number[]): WeightQuantizer => ({
    ...makeWeightQuantizer("absmean_ternary_row", "f32")!,
    levels,
  });
  const matrix = { codes: Int8Array.of(-2, 1, 0, -1), scales: Float32Array.of(1, 10) };
  const shape = { rows: 2, cols: 2 };
  expect(numbers(dequantize(quantizer([-1.5, -0.5, 0.5, 1.5]), matrix, shape))).toEqual([-1.5, 1.5, 5, -5]);
  expect(numbers(dequantize(quantizer([-4, -1, 0, 1, 4]), matrix, shape))).toEqual([-4, 1, 0, -10]);
});

describe("descriptions", () => {
  test("a name without options stays one; options are written out with their defaults", () => {
    const parsed = (value: unknown) => weightQuantizerSchema.parse(value);
    expect(parsed("absmean_ternary")).toBe("absmean_ternary");
    expect(parsed({ type: "absmean_ternary" })).toBe("absmean_ternary");
    const group = { type: "absmean_ternary_group", group_size: 128, product: "integers" };
    expect(parsed("absmean_ternary_group")).toEqual(group);
    expect(parsed({ type: "absmean_ternary_group" })).toEqual(group);
    expect(parsed(group)).toEqual(group);
  });

  test("groups of files that do not say their product keep values", () => {
    const product = (description: unknown) =>
      makeWeightQuantizer(weightQuantizerSchema.parse(description), "f16")!.product;
    const before = { type: "twn_ternary", scale_per: "group_64", threshold: 0.7 };
    expect(weightQuantizerSchema.parse(before)).toEqual(before);
    expect(product(before)).toBe("values");
    expect(product({ ...before, product: "integers" })).toBe("ternary_group");
    expect(product({ ...before, scale_per: "row" })).toBe("ternary_row");
    expect(product({ ...before, scale_per: "row", product: "values" })).toBe("values");
    expect(product({ type: "absmean_ternary_group", group_size: 64, product: "values" })).toBe("values");
    expect(product("absmean_ternary_group")).toBe("ternary_group");
  });

  test("names that do not exist say which do", () => {
    expect(() => makeWeightQuantizer("absmeen", "f16")).toThrow(/unknown quantizer "absmeen": use absmean_ternary, /);
    expect(() => makeActivationQuantizer("int8")).toThrow('unknown quantizer "int8": use absmax_int8, absmax_int4');
  });
});
