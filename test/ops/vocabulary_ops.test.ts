/** Embedding, head, stored types and the optimizer's ops on every backend. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { adamWStep } from "../../src/ops/adamw_step.ts";
import { embeddingGather } from "../../src/ops/embedding_gather.ts";
import { quantizedActivations, quantizedWeights } from "../../src/ops/fake_quantize.ts";
import { globalNormSquared } from "../../src/ops/global_norm_squared.ts";
import { headLogits, headLogProbs, headLoss, scoreTargets } from "../../src/ops/head_log_probs.ts";
import type { HeadProduct } from "../../src/ops/head_table.ts";
import { roundToDtype } from "../../src/ops/round_to_dtype.ts";
import { roundRows } from "../../src/quant/round_to_dtype.ts";
import { absmaxInt8 } from "../../src/quantizers/absmax_int8.ts";
import { makeActivationQuantizer, makeWeightQuantizer } from "../../src/quantizers/registry.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { relativeDifference } from "../support/relative_difference.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

function normal(count: number, stream: string): Float32Array {
  const rng = new CounterRng(9, stream);
  return Float32Array.from({ length: count }, () => rng.normal());
}

function read(x: tf.Tensor): Float32Array {
  return x.dataSync<"float32">().slice();
}

/** log P(target), the gradient of sum(weights * logProbs) and the arg max, in float64. */
function headDefinition(hidden: Float32Array, table: Float32Array, targets: number[], width: number, dy: Float32Array) {
  const vocabSize = table.length / width;
  const logProbs: number[] = [];
  const argmax: number[] = [];
  const dHidden = new Float64Array(hidden.length);
  const dTable = new Float64Array(table.length);
  targets.forEach((target, t) => {
    const logits = Array.from({ length: vocabSize }, (_, n) => {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += hidden[t * width + k] * table[n * width + k];
      return sum;
    });
    const largest = Math.max(...logits);
    const logSum = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    argmax.push(logits.indexOf(largest));
    logProbs.push(target < 0 ? 0 : logits[target] - logSum);
    if (target < 0) return;
    logits.forEach((logit, n) => {
      const dLogit = dy[t] * ((n === target ? 1 : 0) - Math.exp(logit - logSum));
      for (let k = 0; k < width; k++) {
        dHidden[t * width + k] += dLogit * table[n * width + k];
        dTable[n * width + k] += dLogit * hidden[t * width + k];
      }
    });
  });
  return { logProbs, argmax, dHidden, dTable };
}

const products = ["float", "int8"] as const;
const int8 = makeActivationQuantizer("absmax_int8")!;

/** What a head of that product effectively multiplies. */
function operandsOf(product: HeadProduct, hidden: Float32Array, table: Float32Array, width: number) {
  if (product === "float") return { hidden, table };
  const { codes, actScales } = absmaxInt8(hidden, hidden.length / width, width);
  return {
    hidden: Float32Array.from(codes, (code, i) => code * actScales[Math.floor(i / width)]),
    table: roundRows(table, width, "int8_row"),
  };
}

describe.each(testedBackends)("vocabulary and optimizer ops on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test("embeddingGather: rows by id; the gradient adds up repeated ids", () => {
    tf.tidy(() => {
      const values = normal(7 * 5, "table");
      const table = tf.tensor2d(values, [7, 5]);
      const ids = [3, 0, 3, 6, 3, 0];
      const tensor = tf.tensor2d(ids, [2, 3], "int32");
      const rows = embeddingGather(table, tensor);
      expect(rows.shape).toEqual([2, 3, 5]);
      expect(Array.from(read(rows))).toEqual(ids.flatMap((id) => Array.from(values.subarray(id * 5, id * 5 + 5))));
      const dy = normal(30, "dy");
      const grad = tf.grad((t) =>
        tf.sum(tf.mul(embeddingGather(t as tf.Tensor2D, tensor), tf.tensor3d(dy, [2, 3, 5]))),
      )(table);
      const expected = new Float32Array(35);
      ids.forEach((id, t) => {
        for (let i = 0; i < 5; i++) expected[id * 5 + i] += dy[t * 5 + i];
      });
      expect(read(grad)).toEqual(expected);
    });
  });

  test.each(products)(
    "%s head: log-probabilities, arg max, logits and gradients; negative targets are ignored",
    (product) => {
      tf.tidy(() => {
        const [tokens, width, vocabSize] = [9, 20, 33];
        const targets = [0, 32, -1, 5, -100, 7, 7, 31, 1];
        const hidden = normal(tokens * width, "hidden");
        const table = normal(vocabSize * width, "head");
        const dy = normal(tokens, "upstream");
        const operands = operandsOf(product, hidden, table, width);
        const expected = headDefinition(operands.hidden, operands.table, targets, width, dy);

        const h = tf.tensor2d(hidden, [tokens, width]);
        const w = tf.tensor2d(operands.table, [vocabSize, width]);
        const ids = tf.tensor1d(targets, "int32");
        const scores = scoreTargets(h, { table: w, product }, ids);
        expect(relativeDifference(read(scores.logProbs), expected.logProbs)).toBeLessThan(1e-6);
        expect(read(scores.logProbs)[2]).toBe(0);
        expect(Array.from(scores.argmax.dataSync())).toEqual(expected.argmax);
        const logits = headLogits(h, { table: w, product });
        expect(Array.from(tf.argMax(logits, 1).dataSync())).toEqual(expected.argmax);

        const [dHidden, dTable] = tf.grads((a, b) =>
          tf.sum(tf.mul(headLogProbs(a as tf.Tensor2D, { table: b as tf.Tensor2D, product }, ids), tf.tensor1d(dy))),
        )([h, w]);
        expect(relativeDifference(read(dHidden), expected.dHidden)).toBeLessThan(2e-6);
        expect(relativeDifference(read(dTable), expected.dTable)).toBeLessThan(2e-6);
      });
    },
  );

  test.each([
    [1, "float"],
    [2.5, "float"],
    [2.5, "int8"],
  ] as const)("head: the mean loss and its gradient, times %f, %s", (factor, product) => {
    tf.tidy(() => {
      const [width, vocabSize] = [20, 33];
      const targets = [0, 32, -1, 5, -100, 7, 7, 31, 1];
      const hidden = normal(targets.length * width, "hidden");
      const table = normal(vocabSize * width, "table");
      const dy = Float32Array.from(targets, () => -factor / 7); // seven targets count
      const operands = operandsOf(product, hidden, table, width);
      const expected = headDefinition(operands.hidden, operands.table, targets, width, dy);
      const inputs = [
        tf.tensor2d(hidden, [targets.length, width]),
        tf.tensor2d(operands.table, [vocabSize, width]),
      ] as const;
      const ids = tf.tensor1d(targets, "int32");
      const loss = (h: tf.Tensor, w: tf.Tensor) =>
        tf.mul(headLoss(h as tf.Tensor2D, { table: w as tf.Tensor2D, product }, ids), factor) as tf.Scalar;
      const sum = expected.logProbs.reduce((total, value) => total + value, 0);
      expect(read(loss(...inputs))[0]).toBeCloseTo((-factor * sum) / 7, 5);
      const [dHidden, dTable] = tf.grads(loss)([...inputs]);
      expect(relativeDifference(read(dHidden), expected.dHidden)).toBeLessThan(2e-6);
      expect(relativeDifference(read(dTable), expected.dTable)).toBeLessThan(2e-6);
    });
  });

  test("head: the first of equal logits is the arg max", () => {
    tf.tidy(() => {
      const table = tf.tensor2d([1, 2, 2, 0], [4, 1]);
      const head = { table, product: "float" } as const;
      const { argmax } = scoreTargets(tf.tensor2d([1], [1, 1]), head, tf.tensor1d([0], "int32"));
      expect(argmax.dataSync()[0]).toBe(1);
    });
  });

  test.each(["f16", "bf16", "q8_0", "int8_row"] as const)(
    "roundToDtype %s: the reference's values, identity gradient",
    (dtype) => {
      tf.tidy(() => {
        const values = normal(4 * 64, "round");
        const x = tf.tensor2d(values, [4, 64]);
        expect(read(roundToDtype(x, dtype))).toEqual(roundRows(values, 64, dtype));
        const grad = tf.grad((t) => tf.sum(tf.mul(roundToDtype(t, dtype), tf.tensor2d(values, [4, 64]))))(x);
        expect(read(grad)).toEqual(values);
      });
    },
  );

  test("f32 is returned as it is", () => {
    const x = tf.tensor1d([1, 2]);
    expect(roundToDtype(x, "f32")).toBe(x);
    x.dispose();
  });

  test("fake quantizers: dequantized forward, identity gradient", () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1, -2, 0.25, 127, 0.4, 63.5], [2, 3]);
      const quantized = read(quantizedActivations(x, int8));
      expect(quantized[1]).toBe(-2);
      expect(Array.from(quantized.slice(3))).toEqual([127, 0, 64]);
      expect(
        read(quantizedWeights(tf.tensor2d([3, -1, 0, 0], [2, 2]), makeWeightQuantizer("absmean_ternary", "f32")!)),
      ).toEqual(Float32Array.of(1, -1, 0, 0));
      const dy = tf.tensor2d([6, 5, 4, 3, 2, 1], [2, 3]);
      expect(read(tf.grad((t) => tf.sum(tf.mul(quantizedActivations(t, int8), dy)))(x))).toEqual(read(dy));
    });
  });

  test("adamWStep: torch.optim.AdamW's formulas over three steps, in place", () => {
    const size = 50;
    const start = normal(size, "param");
    const param = tf.variable(tf.tensor1d(start));
    const [m, v] = [tf.variable(tf.zeros([size])), tf.variable(tf.zeros([size]))];
    const [learningRate, beta1, beta2, epsilon, weightDecay, gradScale] = [0.01, 0.9, 0.95, 1e-8, 0.1, 0.5];
    const expected = Float64Array.from(start);
    const moments = { m: new Float64Array(size), v: new Float64Array(size) };
    for (let step = 1; step <= 3; step++) {
      const grad = normal(size, `grad ${step}`);
      const tensor = tf.tensor1d(grad);
      const updates = [{ param, grad: tensor, m, v, weightDecay }];
      adamWStep(updates, { learningRate, beta1, beta2, epsilon, step, gradScale });
      tensor.dispose();
      for (let i = 0; i < size; i++) {
        const g = gradScale * grad[i];
        moments.m[i] = beta1 * moments.m[i] + (1 - beta1) * g;
        moments.v[i] = beta2 * moments.v[i] + (1 - beta2) * g * g;
        const mHat = moments.m[i] / (1 - beta1 ** step);
        const vHat = moments.v[i] / (1 - beta2 ** step);
        expected[i] =
          expected[i] * (1 - learningRate * weightDecay) - (learningRate * mHat) / (Math.sqrt(vHat) + epsilon);
      }
    }
    expect(relativeDifference(read(param), expected)).toBeLessThan(1e-6);
    expect(relativeDifference(read(m), moments.m)).toBeLessThan(1e-6);
    expect(relativeDifference(read(v), moments.v)).toBeLessThan(1e-6);
    tf.dispose([param, m, v]);
  });

  test("globalNormSquared: small terms beside a large one are not lost", () => {
    tf.tidy(() => {
      const values = new Float32Array(100_001).fill(1);
      values[0] = 8192;
      // 2^26 + 10^5: float32 accumulation would drop every 1.
      const sum = Math.fround(2 ** 26 + 100_000);
      expect(globalNormSquared([tf.tensor1d(values)])).toBe(sum);
      expect(globalNormSquared([tf.tensor1d([3]), tf.tensor1d(values)])).toBe(9 + sum);
    });
  });
});

test("composed head: a vocabulary so large that tokens come in chunks", async () => {
  await useBackend("cpu");
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    // More than 2^20 logits: 2 + 1 tokens.
    const [tokens, vocabSize] = [3, 400_000];
    const h = tf.tensor2d([0.5, 1, -1], [tokens, 1]);
    // tf.linspace adds float32 steps and drifts.
    const table = Float32Array.from({ length: vocabSize }, (_, i) => (2 * i) / (vocabSize - 1) - 1);
    const w = tf.tensor2d(table, [vocabSize, 1]);
    const targets = tf.tensor1d([0, vocabSize - 1, 17], "int32");
    // With logits h * w, w uniform on [-1, 1]: log mean exp = log(sinh(h) / h).
    const logMean = (a: number) => Math.log(Math.sinh(a) / a) + Math.log(vocabSize);
    const logProbs = read(headLogProbs(h, { table: w, product: "float" }, targets));
    expect(logProbs[0]).toBeCloseTo(-0.5 - logMean(0.5), 2);
    expect(logProbs[1]).toBeCloseTo(1 - logMean(1), 2);
    expect(logProbs[2]).toBeCloseTo(1 - logMean(1), 2);
    const sum = (a: tf.Tensor, b: tf.Tensor) =>
      tf.sum(headLogProbs(a as tf.Tensor2D, { table: b as tf.Tensor2D, product: "float" }, targets));
    const [dHidden, dTable] = tf.grads(sum)([h, w]);
    // d log P / d h = w[target] - E[w], E[w] = coth(h) - 1 / h.
    const meanOfW = (a: number) => 1 / Math.tanh(a) - 1 / a;
    expect(read(dHidden)[0]).toBeCloseTo(-1 - meanOfW(0.5), 2);
    expect(read(dHidden)[2]).toBeCloseTo(-1 - meanOfW(-1), 2);
    expect(read(dTable)[vocabSize - 1]).toBeCloseTo(1, 2);
  });
  expect(tf.memory().numTensors).toBe(before);
});
