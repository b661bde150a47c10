import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import { scaleDtypes } from "../../src/quant/dtypes.ts";
import { absmaxInt8 } from "../../src/quantizers/absmax_int8.ts";
import { absmeanScale, absmeanTernary } from "../../src/quantizers/absmean_ternary.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { hasNative, useBackend } from "../support/tfjs_backends.ts";

function normal(count: number, deviation: number, stream: string): Float32Array {
  const rng = new CounterRng(1, stream);
  return Float32Array.from({ length: count }, () => deviation * rng.normal());
}

describe("absmean ternary", () => {
  test("by hand: mean 1, codes round half to even and clip", () => {
    const weight = Float32Array.of(0.5, -1.5, 1.5, -0.5, 0.25, -0.75, 2, -1);
    expect(absmeanScale(weight, 2, 4)).toBe(1);
    // 0.5 and -0.5 are ties and go to 0.
    expect(Array.from(absmeanTernary(weight, 2, 4, "f32").codes, (code) => code + 0)).toEqual([
      0, -1, 1, 0, 0, -1, 1, -1,
    ]);
  });

  test("zeros have the smallest scale and zero codes", () => {
    const { codes, weightScale } = absmeanTernary(new Float32Array(6), 2, 3, "f32");
    expect(weightScale).toBe(Math.fround(1e-5));
    expect(codes).toEqual(new Int8Array(6));
  });

  test("the mean sums 16 lanes per row in float64, then the tree: a plain sum differs in the last bits", () => {
    const [rows, cols] = [5, 37];
    const weight = normal(rows * cols, 1, "lanes");
    let total = 0;
    for (let row = 0; row < rows; row++) {
      const lanes = Array.from({ length: 16 }, (_, lane) => {
        let sum = 0;
        for (let i = lane; i < cols; i += 16) sum += Math.abs(weight[row * cols + i]);
        return sum;
      });
      const fold = (list: number[]): number =>
        list.length === 1
          ? list[0]
          : fold(list.slice(0, list.length / 2).map((value, i) => value + list[i + list.length / 2]));
      total += fold(lanes);
    }
    expect(absmeanScale(weight, rows, cols)).toBe(Math.fround(total / (rows * cols)));
  });

  test("scale_dtype rounds the multiplying scale, not the codes", () => {
    const weight = normal(64 * 64, 0.02, "scale");
    const exact = absmeanTernary(weight, 64, 64, "f32");
    const half = absmeanTernary(weight, 64, 64, "f16");
    expect(half.codes).toEqual(exact.codes);
    expect(half.weightScale).not.toBe(exact.weightScale);
    expect(Math.abs(half.weightScale / exact.weightScale - 1)).toBeLessThan(2 ** -11);
  });
});

describe("absmax int8", () => {
  test("by hand: one scale per row, ties to even", () => {
    const { codes, actScales } = absmaxInt8(Float32Array.of(127, 0.5, 1.5, -127, 0, 0, 0, 0, 2, -1, 0.5, 0.25), 3, 4);
    expect(Array.from(codes, (code) => code + 0)).toEqual([127, 0, 2, -127, 0, 0, 0, 0, 127, -64, 32, 16]);
    expect(Array.from(actScales)).toEqual([1, Math.fround(Math.fround(1e-5) / 127), Math.fround(2 / 127)]);
  });
});

describe.skipIf(!hasNative)("native TernaryCodes kernel (needs the addon)", () => {
  test.each([
    [1, 1],
    [3, 17],
    [16, 64],
    [33, 250],
    [128, 512],
  ])("same codes and scale bits as the reference for %i x %i", async (rows, cols) => {
    await useBackend("native");
    const weight = normal(rows * cols, 0.05, `${rows} ${cols}`);
    // Values on and beside the rounding edge at half the scale.
    const edge = absmeanScale(weight, rows, cols) / 2;
    weight.set([edge, -edge, edge * (1 + 2 ** -23), edge * (1 - 2 ** -24)].slice(0, weight.length));
    for (const scaleDtype of scaleDtypes) {
      tf.tidy(() => {
        const [codes, scale] = tf
          .engine()
          .runKernel(
            "TernaryCodes",
            { weight: tf.tensor2d(weight, [rows, cols]) },
            { scaleDtype, weights: "absmean_tensor" },
          ) as unknown as tf.Tensor[];
        const reference = absmeanTernary(weight, rows, cols, scaleDtype);
        expect(Array.from(codes.dataSync())).toEqual(Array.from(reference.codes, (code) => code + 0));
        expect(scale.dataSync()[0]).toBe(reference.weightScale);
      });
    }
  });
});
