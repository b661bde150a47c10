/** The fused kernels' functions composed of plain tfjs operations: differentiable references for the cpu backend. */
import * as tf from "@tensorflow/tfjs";

export function rmsNorm(x: tf.Tensor, gain: tf.Tensor, epsilon: number): tf.Tensor {
  const r = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
  return tf.mul(gain, tf.mul(x, r));
}

export function gatedActivation(gateUp: tf.Tensor, activation: "relu2" | "silu"): tf.Tensor {
  const [gate, up] = tf.split(gateUp, 2, -1);
  const gated = activation === "relu2" ? tf.square(tf.relu(gate)) : tf.mul(gate, tf.sigmoid(gate));
  return tf.mul(gated, up);
}

export interface AttentionShape {
  heads: number;
  kvHeads: number;
  headDim: number;
  ropeTheta: number;
}

/** Rotary embedding of [B, T, heads, headDim]. */
function rotate(x: tf.Tensor, ropeTheta: number): tf.Tensor {
  const [, length, , headDim] = x.shape;
  const half = headDim / 2;
  const angle = (t: number, i: number) => Math.fround(t * Math.fround(ropeTheta ** ((-2 * i) / headDim)));
  const table = (f: (angle: number) => number) =>
    tf.tensor(
      Float32Array.from({ length: length * half }, (_, n) => f(angle(Math.floor(n / half), n % half))),
      [1, length, 1, half],
    );
  const [cosine, sine] = [table(Math.cos), table(Math.sin)];
  const [low, high] = tf.split(x, 2, -1);
  return tf.concat(
    [tf.sub(tf.mul(low, cosine), tf.mul(high, sine)), tf.add(tf.mul(high, cosine), tf.mul(low, sine))],
    -1,
  );
}

export function causalAttention(qkv: tf.Tensor, shape: AttentionShape): tf.Tensor {
  const { heads, kvHeads, headDim, ropeTheta } = shape;
  const [batch, length] = qkv.shape;
  const group = heads / kvHeads;
  const [q, k, v] = tf.split(qkv, [heads * headDim, kvHeads * headDim, kvHeads * headDim], -1);
  const queries = rotate(tf.reshape(q, [batch, length, heads, headDim]), ropeTheta);
  const keys = rotate(tf.reshape(k, [batch, length, kvHeads, headDim]), ropeTheta);
  const values = tf.reshape(v, [batch, length, kvHeads, headDim]);
  const mask = tf.tensor2d(
    Float32Array.from({ length: length * length }, (_, n) => (n % length > Math.floor(n / length) ? -1e9 : 0)),
    [length, length],
  );
  const outputs: tf.Tensor[] = [];
  for (let head = 0; head < heads; head++) {
    const of = (x: tf.Tensor, index: number) =>
      tf.reshape(tf.slice(x, [0, 0, index, 0], [batch, length, 1, headDim]), [batch, length, headDim]);
    const kvHead = Math.floor(head / group);
    const scores = tf.mul(tf.matMul(of(queries, head), of(keys, kvHead), false, true), 1 / Math.sqrt(headDim));
    outputs.push(tf.matMul(tf.softmax(tf.add(scores, mask)), of(values, kvHead)));
  }
  return tf.concat(outputs, -1);
}

/** [N] log-probabilities of the targets. */
export function headLogProbs(hidden: tf.Tensor, table: tf.Tensor, targets: tf.Tensor1D): tf.Tensor {
  const logProbs = tf.logSoftmax(tf.matMul(hidden as tf.Tensor2D, table as tf.Tensor2D, false, true));
  const valid = tf.cast(tf.greaterEqual(targets, 0), "float32");
  const oneHot = tf.oneHot(tf.cast(tf.maximum(targets, 0), "int32"), table.shape[0]);
  return tf.mul(tf.sum(tf.mul(logProbs, tf.cast(oneHot, "float32")), -1), valid);
}
