/**
 * The float ops on every backend against tfjs's own differentiation of the plain formula on the cpu backend, and
 * against a direct reading of the definition where there is one.
 */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { rotaryOf } from "../../src/config/rope_scaling.ts";
import { causalAttention } from "../../src/ops/causal_attention.ts";
import { concatColumns } from "../../src/ops/concat_columns.ts";
import { gatedActivation } from "../../src/ops/gated_activation.ts";
import { hadamard } from "../../src/ops/hadamard.ts";
import { headNorm } from "../../src/ops/head_norm.ts";
import { rmsNorm } from "../../src/ops/rms_norm.ts";
import { squaredRelu } from "../../src/ops/squared_relu.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { relativeDifference } from "../support/relative_difference.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

interface Operand {
  values: Float32Array;
  shape: number[];
}

function operand(stream: string, ...shape: number[]): Operand {
  const rng = new CounterRng(11, stream);
  return { values: Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => rng.normal()), shape };
}

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Value and gradients of sum(op(inputs) * weights), as arrays. */
function valueAndGradients(op: Op, inputs: Operand[], weights: Operand): Float32Array[] {
  return tf.tidy(() => {
    const tensors = inputs.map(({ values, shape }) => tf.tensor(values, shape, "float32"));
    const dy = tf.tensor(weights.values, weights.shape, "float32");
    const value = op(...tensors);
    expect(value.shape).toEqual(weights.shape);
    const grads = tf.grads((...args: tf.Tensor[]) => tf.sum(tf.mul(op(...args), dy)))(tensors);
    return [value, ...grads].map((tensor) => tensor.dataSync<"float32">().slice());
  });
}

function rotated(x: tf.Tensor, theta: number, factor = (_: number) => 1, magnitude = 1): tf.Tensor {
  const [, length, , headDim] = x.shape;
  const half = headDim! / 2;
  const angles = Float32Array.from({ length: length! * half }, (_, i) => {
    const frequency = theta ** ((-2 * (i % half)) / headDim!) / factor(i % half);
    return Math.floor(i / half) * frequency;
  });
  const angle = tf.tensor(angles, [length!, 1, half]);
  const [a, b] = tf.split(tf.mul(x, magnitude), 2, -1);
  return tf.concat(
    [
      tf.sub(tf.mul(a, tf.cos(angle)), tf.mul(b, tf.sin(angle))),
      tf.add(tf.mul(b, tf.cos(angle)), tf.mul(a, tf.sin(angle))),
    ],
    -1,
  );
}

/** Attention head by head, key heads repeated: nothing of the grouped form. */
function plainAttention(
  qkv: tf.Tensor,
  heads: number,
  kvHeads: number,
  headDim: number,
  rotate: (x: tf.Tensor) => tf.Tensor,
  window = -1,
): tf.Tensor {
  const [batch, length] = qkv.shape;
  const parts = tf.split(qkv, [heads * headDim, kvHeads * headDim, kvHeads * headDim], 2);
  const q = rotate(tf.reshape(parts[0], [batch, length!, heads, headDim]));
  const k = rotate(tf.reshape(parts[1], [batch, length!, kvHeads, headDim]));
  const v = tf.reshape(parts[2], [batch, length!, kvHeads, headDim]);
  const mask = tf.linalg.bandPart(tf.ones([length!, length!]), window < 0 ? -1 : window - 1, 0);
  const outputs = Array.from({ length: heads }, (_, head) => {
    const of = (x: tf.Tensor, index: number) => tf.squeeze(tf.slice(x, [0, 0, index, 0], [-1, -1, 1, -1]), [2]);
    const keyHead = Math.floor((head * kvHeads) / heads);
    const scores = tf.mul(tf.matMul(of(q, head), of(k, keyHead), false, true), 1 / Math.sqrt(headDim));
    const hidden = tf.mul(tf.sub(1, mask), -1e9);
    return tf.matMul(tf.softmax(tf.add(tf.mul(scores, mask), hidden)), of(v, keyHead));
  });
  return tf.concat(outputs, 2);
}

/** x . H of each block, with the matrix by its definition: H[i][j] is negative where i & j has an odd number of bits. */
function blockProduct(x: tf.Tensor, block: number): tf.Tensor {
  const isOdd = (bits: number) => bits.toString(2).replaceAll("0", "").length % 2;
  const matrix = tf.buffer([block, block]);
  for (let i = 0; i < block; i++) for (let j = 0; j < block; j++) matrix.set(isOdd(i & j) ? -1 : 1, i, j);
  const blocks: tf.Tensor2D = tf.reshape(x, [x.size / block, block]);
  return tf.reshape(tf.div(tf.matMul(blocks, matrix.toTensor() as tf.Tensor2D), Math.sqrt(block)), x.shape);
}

const yarn = rotaryOf(
  100,
  { type: "yarn", factor: 4, original_max_position_embeddings: 64, beta_fast: 4, beta_slow: 1 },
  4,
);
const attention = { heads: 6, kvHeads: 2, headDim: 4, rotary: rotaryOf(100, null, 4) };

const cases: Record<string, { op: Op; plain: Op; inputs: Operand[]; weights: Operand }> = {
  rmsNorm: {
    op: (x, gain) => rmsNorm(x, gain as tf.Tensor1D, 1e-5),
    plain: (x, gain) => tf.mul(gain, tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-5)))),
    inputs: [operand("x", 2, 3, 24), operand("gain", 24)],
    weights: operand("norm", 2, 3, 24),
  },
  relu2: {
    op: (gateUp) => gatedActivation(gateUp, "relu2"),
    plain: (gateUp) => {
      const [gate, up] = tf.split(gateUp, 2, -1);
      return tf.mul(tf.square(tf.relu(gate)), up);
    },
    inputs: [operand("gateUp", 2, 5, 22)],
    weights: operand("gated", 2, 5, 11),
  },
  silu: {
    op: (gateUp) => gatedActivation(gateUp, "silu"),
    plain: (gateUp) => {
      const [gate, up] = tf.split(gateUp, 2, -1);
      return tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
    },
    inputs: [operand("gateUp", 2, 5, 22)],
    weights: operand("gated", 2, 5, 11),
  },
  gelu_tanh: {
    op: (gateUp) => gatedActivation(gateUp, "gelu_tanh"),
    plain: (gateUp) => {
      const [gate, up] = tf.split(gateUp, 2, -1);
      const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(gate, tf.mul(0.044715, tf.pow(gate, 3))));
      return tf.mul(tf.mul(tf.mul(0.5, gate), tf.add(1, tf.tanh(inner))), up);
    },
    inputs: [operand("gateUp", 2, 5, 22)],
    weights: operand("gated", 2, 5, 11),
  },
  squaredRelu: {
    op: (x) => squaredRelu(x),
    plain: (x) => tf.square(tf.relu(x)),
    inputs: [operand("up", 2, 5, 11)],
    weights: operand("squared", 2, 5, 11),
  },
  ...Object.fromEntries(
    // Blocks of 8, 16, 64 and 2048: parts of a vector, one, several, and more than one stage of passes.
    [24, 48, 192, 2048].map((width) => [
      `hadamard of ${width}`,
      {
        op: (x: tf.Tensor) => hadamard(x),
        plain: (x: tf.Tensor) => blockProduct(x, width & -width),
        inputs: [operand("rotated", 2, 2, width)],
        weights: operand("rotation", 2, 2, width),
      },
    ]),
  ),
  concatColumns: {
    op: (...parts) => concatColumns(parts),
    plain: (...parts) => tf.concat(parts, -1),
    inputs: [operand("a", 2, 3, 5), operand("b", 2, 3, 1), operand("c", 2, 3, 8)],
    weights: operand("columns", 2, 3, 14),
  },
  causalAttention: {
    op: (qkv) => causalAttention(qkv as tf.Tensor3D, attention),
    plain: (qkv) => plainAttention(qkv, 6, 2, 4, (x) => rotated(x, 100)),
    inputs: [operand("qkv", 2, 19, 40)],
    weights: operand("attention", 2, 19, 24),
  },
  // Windows that begin inside a block of 16 keys and at its edge, over more than two blocks.
  causalAttentionInAWindow: {
    op: (qkv) => causalAttention(qkv as tf.Tensor3D, { ...attention, window: 19 }),
    plain: (qkv) => plainAttention(qkv, 6, 2, 4, (x) => rotated(x, 100), 19),
    inputs: [operand("qkv", 2, 70, 40)],
    weights: operand("attention", 2, 70, 24),
  },
  causalAttentionOfAScaledRotation: {
    op: (qkv) => causalAttention(qkv as tf.Tensor3D, { ...attention, rotary: yarn }),
    plain: (qkv) => plainAttention(qkv, 6, 2, 4, (x) => rotated(x, 100, (i) => yarn.factors[i], yarn.magnitude)),
    inputs: [operand("qkv", 2, 19, 40)],
    weights: operand("attention", 2, 19, 24),
  },
  headNorm: {
    op: (qkv, q, k) => headNorm(qkv as tf.Tensor3D, q as tf.Tensor1D, k as tf.Tensor1D, attention, 1e-6),
    plain: (qkv, q, k) => {
      const heads = tf.reshape(qkv, [2, 70, 10, 4]);
      const normed = tf.mul(heads, tf.rsqrt(tf.add(tf.mean(tf.square(heads), -1, true), 1e-6)));
      const [query, key] = tf.split(normed, [6, 2, 2], 2);
      const value = tf.slice(heads, [0, 0, 8, 0], [-1, -1, 2, -1]);
      return tf.reshape(tf.concat([tf.mul(query, q), tf.mul(key, k), value], 2), [2, 70, 40]);
    },
    // More rows than the sums of gains are cut into.
    inputs: [operand("projections", 2, 70, 40), operand("q gain", 4), operand("k gain", 4)],
    weights: operand("heads", 2, 70, 40),
  },
};

await useBackend("cpu");
const expected = Object.fromEntries(
  Object.entries(cases).map(([name, { plain, inputs, weights }]) => [name, valueAndGradients(plain, inputs, weights)]),
);

describe.each(testedBackends)("float ops on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(Object.keys(cases))("%s: value and gradients", (name) => {
    const { op, inputs, weights } = cases[name];
    const actual = valueAndGradients(op, inputs, weights);
    expect(actual.length).toBe(inputs.length + 1);
    actual.forEach((values, i) => {
      expect(relativeDifference(values, expected[name][i])).toBeLessThan(2e-6);
    });
  });
});
