/** Native overrides of plain tfjs kernels against the cpu backend's, over random shapes. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { registerNativeBackend } from "../../../native/backend/index.ts";
import { binaryLayout } from "../../../native/backend/kernels/plain_elementwise.ts";
import { adjacentSwap } from "../../../native/backend/kernels/plain_reshaping.ts";
import { titleUnless } from "../../support/missing.ts";
import { randomInteger, randomSource, randomTensor, relativeError, valuesOn, withoutAddon } from "./support.ts";

const tolerance = 1e-5;
const rounds = 12;

type Random = () => number;

function randomShape(random: Random, rank: number, largest = 12): number[] {
  return Array.from({ length: rank }, () => randomInteger(random, 1, largest));
}

/** Runs `build` with seeded inputs on both backends and compares every output. */
function agree(build: (random: Random) => () => tf.Tensor[]): void {
  for (let seed = 1; seed <= rounds; seed++) {
    tf.tidy(() => {
      const body = build(randomSource(seed));
      const [expected, actual] = [valuesOn("cpu", body), valuesOn("native", body)];
      expect(actual.length).toBe(expected.length);
      actual.forEach((values, i) => {
        expect(relativeError(values, expected[i]), `seed ${seed}, output ${i}`).toBeLessThan(tolerance);
      });
    });
  }
}

const binaryOps: [string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor][] = [
  ["add", tf.add],
  ["sub", tf.sub],
  ["mul", tf.mul],
  ["div", tf.div],
  ["maximum", tf.maximum],
  ["minimum", tf.minimum],
  ["squaredDifference", tf.squaredDifference],
];

const unaryOps: [string, (x: tf.Tensor) => tf.Tensor][] = [
  ["relu", tf.relu],
  ["square", tf.square],
  ["sqrt", (x) => tf.sqrt(tf.abs(x))],
  ["rsqrt", (x) => tf.rsqrt(tf.add(tf.abs(x), 0.01))],
  ["exp", tf.exp],
  ["neg", tf.neg],
  ["abs", tf.abs],
  ["sigmoid", tf.sigmoid],
  ["zerosLike", tf.zerosLike],
  ["onesLike", tf.onesLike],
];

describe("binaryLayout", () => {
  it.each([
    [[2, 3], [2, 3], "same"],
    [[2, 3], [1, 1], "scalar"],
    [[2, 3], [], "scalar"],
    [[4, 2, 3], [3], "row"],
    [[4, 2, 3], [1, 2, 3], "row"],
    [[4, 2, 3], [4, 2, 1], "column"],
    [[4, 2, 3], [4, 1, 1], "column"],
    [[4, 2, 3], [4, 1, 3], undefined],
    [[4, 2, 3], [1, 2, 1], undefined],
  ] as [number[], number[], string | undefined][])("%j with %j is %s", (out, small, layout) => {
    expect(binaryLayout(out, small)).toBe(layout);
  });
});

describe("adjacentSwap", () => {
  it.each([
    [
      [2, 3],
      [1, 0],
      [1, 2, 3, 1],
    ],
    [
      [5, 2, 3, 7],
      [0, 2, 1, 3],
      [5, 2, 3, 7],
    ],
    [
      [5, 2, 3],
      [0, 2, 1],
      [5, 2, 3, 1],
    ],
    [
      [5, 2, 3],
      [1, 2, 0],
      [1, 5, 6, 1],
    ],
    [[5, 2, 3], [2, 1, 0], undefined],
  ] as [number[], number[], number[] | undefined][])("%j by %j", (shape, perm, expected) => {
    expect(adjacentSwap(shape, perm)).toEqual(expected);
  });
});

describe.skipIf(withoutAddon)(titleUnless(withoutAddon, "the native addon", "plain kernels against cpu"), () => {
  beforeAll(async () => {
    registerNativeBackend();
    await tf.setBackend("native");
  });

  it("has every kernel of the cpu backend", () => {
    const names = (backend: string) => tf.getKernelsForBackend(backend).map((config) => config.kernelName);
    const native = new Set(names("native"));
    expect(names("cpu").filter((name) => !native.has(name))).toEqual([]);
  });

  it.each(binaryOps)("%s with broadcasts", (_name, op) => {
    agree((random) => {
      const shape = randomShape(random, randomInteger(random, 1, 4));
      const other = shape.map((length) => (random() < 0.4 ? 1 : length)).slice(random() < 0.3 ? 1 : 0);
      const [a, b] = [randomTensor(random, shape), tf.add(randomTensor(random, other), 4)];
      return () => [op(a, b), op(b, a), op(a, a), op(a, tf.scalar(1.5)), op(tf.scalar(1.5), b)];
    });
  });

  it("binary operations of int32 and of empty tensors", () => {
    const [a, b] = [tf.tensor1d([7, -3], "int32"), tf.tensor1d([2, 2], "int32")];
    expect(Array.from(tf.add(a, b).dataSync())).toEqual([9, -1]);
    expect(tf.add(a, b).dtype).toBe("int32");
    expect(tf.add(tf.zeros([0, 3]), tf.zeros([1, 3])).shape).toEqual([0, 3]);
  });

  it("NaN and infinities go through", () => {
    const x = tf.tensor1d([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 100, -200]);
    const body = () => [
      tf.relu(x),
      tf.exp(x),
      tf.maximum(x, 1),
      tf.minimum(x, 1),
      tf.max(x),
      tf.sqrt(x),
      tf.sigmoid(x),
    ];
    const [expected, actual] = [valuesOn("cpu", body), valuesOn("native", body)];
    actual.forEach((values, i) => {
      for (let j = 0; j < values.length; j++) {
        if (Number.isFinite(expected[i][j])) expect(values[j]).toBeCloseTo(expected[i][j], 6);
        else expect(values[j], `output ${i}, element ${j}`).toBe(expected[i][j]);
      }
    });
  });

  it.each(unaryOps)("%s", (_name, op) => {
    agree((random) => {
      const x = randomTensor(random, randomShape(random, randomInteger(random, 0, 4)), 4);
      return () => [op(x)];
    });
  });

  it("exp has 2 units in the last place over its range", () => {
    const inputs = Float32Array.from({ length: 20001 }, (_, i) => -87 + (i / 20000) * 175);
    const [values] = valuesOn("native", () => [tf.exp(tf.tensor1d(inputs))]);
    for (let i = 0; i < inputs.length; i++) expect(Math.abs(values[i] / Math.exp(inputs[i]) - 1)).toBeLessThan(2.4e-7);
  });

  it("sum, mean and max over any axes", () => {
    agree((random) => {
      const rank = randomInteger(random, 1, 4);
      const x = randomTensor(random, randomShape(random, rank, 20));
      const first = randomInteger(random, 0, rank - 1);
      const axes = Array.from({ length: randomInteger(random, 1, rank - first) }, (_, i) => first + i);
      const scattered = [0, rank - 1].slice(0, rank);
      return () =>
        [axes, scattered, undefined, -1].flatMap((axis) => [
          tf.sum(x, axis),
          tf.mean(x, axis, true),
          tf.max(x, axis),
          tf.sum(x, axis, true),
        ]);
    });
  });

  it("softmax, also of large values", () => {
    agree((random) => {
      const x = randomTensor(random, randomShape(random, randomInteger(random, 1, 3), 60), random() < 0.5 ? 1 : 200);
      return () => [tf.softmax(x)];
    });
  });

  it("matMul with batches, transposes, bias and activation", () => {
    agree((random) => {
      const [m, n, k] = randomShape(random, 3, 50);
      const batch = randomShape(random, randomInteger(random, 0, 2), 4);
      const [transposeA, transposeB] = [random() < 0.5, random() < 0.5];
      const a = randomTensor(random, [...batch, ...(transposeA ? [k, m] : [m, k])]);
      const b = randomTensor(random, [...(random() < 0.3 ? [] : batch), ...(transposeB ? [n, k] : [k, n])]);
      const bias = randomTensor(random, [n]);
      const left = transposeA ? randomTensor(random, [k, m]) : randomTensor(random, [m, k]);
      const right = transposeB ? randomTensor(random, [n, k]) : randomTensor(random, [k, n]);
      const fused = (activation: tf.fused.Activation) =>
        tf.fused.matMul({ a: left as tf.Tensor2D, b: right as tf.Tensor2D, transposeA, transposeB, bias, activation });
      return () => [
        tf.matMul(a, b, transposeA, transposeB),
        fused("linear"),
        fused("relu"),
        fused("elu"),
        fused("sigmoid"),
      ];
    });
  });

  it("refuses matrices that do not fit", () => {
    expect(() => tf.matMul(tf.ones([2, 3]), tf.ones([4, 5]))).toThrow(/inner shapes/);
  });

  it("transpose by any permutation", () => {
    agree((random) => {
      const rank = randomInteger(random, 1, 5);
      const x = randomTensor(random, randomShape(random, rank, 20 - 3 * rank));
      const perms = Array.from({ length: 6 }, () => {
        const order = Array.from({ length: rank }, (_, i) => ({ i, key: random() }));
        return order.sort((p, q) => p.key - q.key).map(({ i }) => i);
      });
      return () => perms.map((perm) => tf.transpose(x, perm));
    });
  });

  it("gather, its gradient, and unsortedSegmentSum", () => {
    agree((random) => {
      const x = randomTensor(random, randomShape(random, randomInteger(random, 1, 3)));
      const count = randomInteger(random, 1, 40);
      const ids = Int32Array.from({ length: count }, () => randomInteger(random, 0, x.shape[0] - 1));
      const indices = tf.tensor1d(ids, "int32");
      // Some are -1: no segment's.
      const segments = tf.tensor1d(
        ids.map((id) => id - 1),
        "int32",
      );
      const rows = randomTensor(random, [count, 5]);
      return () => [
        tf.gather(x, indices),
        tf.gather(x, tf.reshape(indices, [count, 1])),
        tf.grad((table: tf.Tensor) => tf.sum(tf.square(tf.gather(table, indices))))(x),
        tf.unsortedSegmentSum(rows, segments, x.shape[0]),
      ];
    });
  });

  it("addN, cast, fill", () => {
    agree((random) => {
      const shape = randomShape(random, 2, 30);
      const parts = Array.from({ length: randomInteger(random, 1, 6) }, () => randomTensor(random, shape, 100));
      const whole = tf.cast(parts[0], "int32");
      return () => [
        tf.addN(parts),
        tf.cast(parts[0], "int32"),
        tf.cast(whole, "float32"),
        tf.cast(tf.greater(parts[0], 0), "float32"),
        tf.cast(parts[0], "bool"),
        tf.add(tf.cast(whole, "float32"), 0.5),
        tf.fill(shape, 1.25),
        tf.ones(shape),
        tf.zeros(shape, "int32"),
      ];
    });
  });

  it("trains a model of tfjs layers to the weights of the cpu backend", async () => {
    const random = randomSource(4);
    const [x, y] = [randomTensor(random, [64, 12]), randomTensor(random, [64, 3])];
    const initial = [
      randomTensor(random, [12, 16], 0.3),
      randomTensor(random, [16], 0.3),
      randomTensor(random, [16, 3]),
    ];
    const train = (backend: string) =>
      valuesOn(backend, () => {
        const variables = initial.map((value) => tf.variable(value.clone()));
        const optimizer = tf.train.adam(0.01);
        const loss = () => {
          const hidden = tf.relu(tf.add(tf.matMul(x as tf.Tensor2D, variables[0] as tf.Tensor2D), variables[1]));
          return tf.losses.meanSquaredError(
            y,
            tf.matMul(hidden as tf.Tensor2D, variables[2] as tf.Tensor2D),
          ) as tf.Scalar;
        };
        for (let step = 0; step < 20; step++) optimizer.minimize(loss, false, variables);
        return variables;
      });
    const [expected, actual] = [train("cpu"), train("native")];
    actual.forEach((values, i) => {
      expect(relativeError(values, expected[i])).toBeLessThan(1e-3);
    });
  });
});
