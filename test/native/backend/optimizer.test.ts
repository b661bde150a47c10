/** AdamWStep against torch.optim.AdamW's formulas in float64, GlobalNormSquared, RoundToDtype, and the kernel log. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { nativeKernelLog, registerNativeBackend, resetKernelLog } from "../../../native/backend/index.ts";
import { titleUnless } from "../../support/missing.ts";
import { addon, randomSource, randomTensor, randomValues, relativeError, runKernel, withoutAddon } from "./support.ts";

describe.skipIf(withoutAddon)(titleUnless(withoutAddon, "the native addon", "optimizer kernels"), () => {
  beforeAll(async () => {
    registerNativeBackend();
    await tf.setBackend("native");
  });

  it("AdamWStep follows torch's formulas over several steps, in place", () => {
    const random = randomSource(2);
    const count = 40000;
    const settings = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, gradScale: 0.5 };
    const weightDecays = [0.1];
    const start = randomValues(random, count);
    const expected = Float64Array.from(start);
    const [m, v] = [new Float64Array(count), new Float64Array(count)];
    const state = {
      params: [tf.variable(tf.tensor1d(start))],
      m: [tf.variable(tf.zeros([count]))],
      v: [tf.variable(tf.zeros([count]))],
    };
    for (let step = 1; step <= 4; step++) {
      const grad = randomTensor(random, [count]);
      expect(runKernel("AdamWStep", {}, { ...settings, ...state, grads: [grad], weightDecays, step })).toEqual([]);
      grad.dataSync().forEach((value, i) => {
        const g = value * settings.gradScale;
        m[i] = 0.9 * m[i] + 0.1 * g;
        v[i] = 0.95 * v[i] + 0.05 * g * g;
        const denominator = Math.sqrt(v[i]) / Math.sqrt(1 - 0.95 ** step) + settings.epsilon;
        expected[i] *= 1 - settings.learningRate * weightDecays[0];
        expected[i] -= ((settings.learningRate / (1 - 0.9 ** step)) * m[i]) / denominator;
      });
      grad.dispose();
    }
    expect(relativeError(state.params[0].dataSync(), expected)).toBeLessThan(1e-6);
    expect(relativeError(state.m[0].dataSync(), m)).toBeLessThan(1e-6);
    expect(relativeError(state.v[0].dataSync(), v)).toBeLessThan(1e-6);
  });

  it("AdamWStep changes only its variables, not what shared their data", () => {
    const initial = tf.fill([4], 2);
    const zeros = tf.zeros([4]);
    const [param, m, v] = [tf.variable(initial), tf.variable(zeros), tf.variable(zeros)];
    const before = param.clone();
    const settings = { learningRate: 1, beta1: 0.9, beta2: 0.75, epsilon: 1e-8, step: 1, gradScale: 1 };
    const lists = { params: [param], grads: [tf.fill([4], 3)], m: [m], v: [v], weightDecays: [0] };
    runKernel("AdamWStep", {}, { ...settings, ...lists });
    const first = (tensor: tf.Tensor) => tensor.dataSync()[0];
    expect([first(initial), first(before), first(zeros)]).toEqual([2, 2, 0]);
    expect(first(param)).toBeCloseTo(1, 5);
    expect(first(m)).toBeCloseTo(0.3, 6);
    expect(first(v)).toBeCloseTo(2.25, 6);
  });

  it("AdamWStep of several tensors at once is that of each", () => {
    const random = randomSource(4);
    const sizes = [3, 40000, 1, 17, 16384, 16385];
    const settings = { learningRate: 0.1, beta1: 0.9, beta2: 0.75, epsilon: 1e-8, step: 1, gradScale: 0.5 };
    const decays = sizes.map((_, i) => (i % 2) / 10);
    const starts = sizes.map((size) => randomValues(random, size));
    const grads = sizes.map((size) => randomTensor(random, [size]));
    const update = (tensors: number[]) => {
      const params = tensors.map((i) => tf.variable(tf.tensor1d(starts[i])));
      const m = tensors.map((i) => tf.variable(tf.zeros([sizes[i]])));
      const v = tensors.map((i) => tf.variable(tf.zeros([sizes[i]])));
      const weightDecays = tensors.map((i) => decays[i]);
      const lists = { params, grads: tensors.map((i) => grads[i]), m, v, weightDecays };
      runKernel("AdamWStep", {}, { ...settings, ...lists });
      return tensors.map((_, i) => [params, m, v].map((list) => Array.from(list[i].dataSync())));
    };
    expect(update(sizes.map((_, i) => i))).toEqual(sizes.map((_, i) => update([i])[0]));
  });

  it("AdamWStep refuses lists that do not match", () => {
    const [params, m, v] = [0, 1, 2].map(() => [tf.variable(tf.ones([4]))]);
    const settings = { learningRate: 1, beta1: 0.9, beta2: 0.75, epsilon: 1e-8, step: 1, gradScale: 1 };
    const lists = { params, m, v, grads: [tf.ones([4])], weightDecays: [0] };
    const step = (changes: object) => runKernel("AdamWStep", {}, { ...settings, ...lists, ...changes });
    expect(() => step({ weightDecays: [] })).toThrow("argument 4");
    expect(() => step({ grads: [tf.ones([3])] })).toThrow("has 3 elements, not 4");
  });

  it("GlobalNormSquared sums each tensor in float64", () => {
    const values = new Float32Array(300000).fill(1e-3);
    values[7] = 1e4;
    const tensors = [tf.tensor1d([3, 4]), tf.tensor1d(values), tf.tensor1d([])];
    const [sums] = runKernel("GlobalNormSquared", {}, { tensors });
    expect(Array.from(sums.dataSync())).toEqual([25, Math.fround(1e8 + 299999 * Math.fround(1e-3) ** 2), 0]);
  });

  it("RoundToDtype: f16, bf16 and q8_0 values", () => {
    const x = tf.tensor2d([1 + 2 ** -11, 1 + 3 * 2 ** -11, 65520, -(2 ** -25), 3.14159274], [1, 5]);
    const round = (tensor: tf.Tensor, dtype: string) =>
      Array.from(runKernel("RoundToDtype", { x: tensor }, { dtype })[0].dataSync());
    // Ties go to even; 65520 is half way to 65536, beyond the largest float16.
    expect(round(x, "f16")).toEqual([1, 1 + 2 ** -9, Number.POSITIVE_INFINITY, -0, 3.140625]);
    expect(round(tf.tensor2d([[1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.14159274]]), "bf16")).toEqual([
      1,
      1 + 2 ** -6,
      3.140625,
    ]);

    const block = Float32Array.from({ length: 64 }, (_, i) => (i < 32 ? (i - 12) / 7 : 0));
    const rounded = round(tf.tensor2d(block, [1, 64]), "q8_0");
    const scale = Math.fround(Math.fround(19 / 7) / 127);
    const [stored] = round(tf.tensor2d([[scale]]), "f16");
    const codes = rounded.slice(0, 32).map((value) => value / stored);
    for (let i = 0; i < 32; i++) {
      expect(codes[i]).toBeCloseTo(Math.round(codes[i]), 4);
      expect(Math.abs(rounded[i] - block[i])).toBeLessThan(scale * 0.6);
    }
    expect(Math.max(...codes)).toBeCloseTo(127, 4);
    expect(rounded.slice(32)).toEqual(Array(32).fill(0));
    expect(() => round(tf.ones([2, 33]), "q8_0")).toThrow(/multiple of 32/);
  });

  it("logs which fused kernels ran, and on which variant", () => {
    resetKernelLog();
    expect(nativeKernelLog().calls.size).toBe(0);
    runKernel("GlobalNormSquared", {}, { tensors: [tf.ones([3])] });
    tf.add(tf.ones([3]), 1);
    expect([...nativeKernelLog().calls]).toEqual([["GlobalNormSquared", 1]]);
    expect(nativeKernelLog().variant).toBe(addon!.variant());
  });
});
