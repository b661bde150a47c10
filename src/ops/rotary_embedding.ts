/**
 * Rotary position embedding (arXiv 2104.09864) with rotate-half pairs (i, i + head_dim / 2), as Hugging Face.
 *
 *     inv_freq[i] = float32(theta^(-2i / head_dim)),  angle = float32(position * inv_freq[i])
 *     a' = a cos - b sin,  b' = b cos + a sin          backward: the same rotation by -angle
 *
 * Composed of plain tfjs ops: `CausalAttention` fuses it on the native backend.
 */
import * as tf from "@tensorflow/tfjs";

/** Positions 0 .. T-1: cosine | sine, each [T, head_dim / 2]. The last table is kept: every layer asks for it. */
let lastTable: { key: string; cosine: Float32Array; sine: Float32Array } | null = null;

function rotaryTable(positions: number, headDim: number, theta: number): { cosine: Float32Array; sine: Float32Array } {
  const key = `${positions} ${headDim} ${theta}`;
  if (lastTable?.key === key) return lastTable;
  const half = headDim / 2;
  const cosine = new Float32Array(positions * half);
  const sine = new Float32Array(positions * half);
  for (let i = 0; i < half; i++) {
    const inverseFrequency = Math.fround(theta ** ((-2 * i) / headDim));
    for (let position = 0; position < positions; position++) {
      const angle = Math.fround(position * inverseFrequency);
      cosine[position * half + i] = Math.cos(angle);
      sine[position * half + i] = Math.sin(angle);
    }
  }
  lastTable = { key, cosine, sine };
  return lastTable;
}

/**
 * x [B, T, heads, head_dim] rotated by its positions 0 .. T-1; `direction` -1 rotates back (the gradient).
 * Differentiable.
 */
export function rotaryEmbedding(x: tf.Tensor4D, theta: number, direction: 1 | -1 = 1): tf.Tensor4D {
  const [, positions, , headDim] = x.shape;
  const half = headDim / 2;
  const table = rotaryTable(positions, headDim, theta);
  const cosine = tf.tensor3d(table.cosine, [positions, 1, half]);
  const sine = tf.mul(tf.tensor3d(table.sine, [positions, 1, half]), direction);
  const [a, b] = tf.split(x, 2, -1) as [tf.Tensor4D, tf.Tensor4D];
  return tf.concat(
    [tf.sub(tf.mul(a, cosine), tf.mul(b, sine)), tf.add(tf.mul(b, cosine), tf.mul(a, sine))],
    -1,
  ) as tf.Tensor4D;
}
