/**
 * Rotary position embedding (arXiv 2104.09864) with rotate-half pairs (i, i + head_dim / 2), as Hugging Face.
 *
 *     inv_freq[i] = float32(theta^(-2i / head_dim)) / factor[i],  angle = float32(position * inv_freq[i])
 *     a' = a cos - b sin,  b' = b cos + a sin          backward: the same rotation by -angle
 *
 * Factors, and a magnitude of cosines and sines, are those of a scaled embedding (rope_scaling.ts): its rotation is no
 * longer orthogonal, and the backward pass its transpose, not its inverse.
 *
 * Composed of plain tfjs ops: `CausalAttention` fuses it on the native backend.
 */
import * as tf from "@tensorflow/tfjs";
import type { Rotary } from "../config/rope_scaling.ts";

/** Positions 0 .. T-1: cosine | sine, each [T, head_dim / 2]. The last table is kept: every layer asks for it. */
let lastTable: { key: string; cosine: Float32Array; sine: Float32Array } | null = null;

function rotaryTable(positions: number, headDim: number, rotary: Rotary): { cosine: Float32Array; sine: Float32Array } {
  const { theta, factors, magnitude } = rotary;
  const key = `${positions} ${headDim} ${theta} ${magnitude} ${factors}`;
  if (lastTable?.key === key) return lastTable;
  const half = headDim / 2;
  const cosine = new Float32Array(positions * half);
  const sine = new Float32Array(positions * half);
  for (let i = 0; i < half; i++) {
    const inverseFrequency = Math.fround(Math.fround(theta ** ((-2 * i) / headDim)) / (factors[i] ?? 1));
    for (let position = 0; position < positions; position++) {
      const angle = Math.fround(position * inverseFrequency);
      cosine[position * half + i] = magnitude * Math.cos(angle);
      sine[position * half + i] = magnitude * Math.sin(angle);
    }
  }
  lastTable = { key, cosine, sine };
  return lastTable;
}

/**
 * x [B, T, heads, head_dim] rotated by its positions 0 .. T-1; `direction` -1 rotates back (the gradient).
 * Differentiable.
 */
export function rotaryEmbedding(x: tf.Tensor4D, rotary: Rotary, direction: 1 | -1 = 1): tf.Tensor4D {
  const [, positions, , headDim] = x.shape;
  const half = headDim / 2;
  const table = rotaryTable(positions, headDim, rotary);
  const cosine = tf.tensor3d(table.cosine, [positions, 1, half]);
  const sine = tf.mul(tf.tensor3d(table.sine, [positions, 1, half]), direction);
  const [a, b] = tf.split(x, 2, -1) as [tf.Tensor4D, tf.Tensor4D];
  return tf.concat(
    [tf.sub(tf.mul(a, cosine), tf.mul(b, sine)), tf.add(tf.mul(b, cosine), tf.mul(a, sine))],
    -1,
  ) as tf.Tensor4D;
}
