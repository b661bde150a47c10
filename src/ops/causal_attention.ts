/**
 * Op `CausalAttention`: rotary embedding and causal grouped-query attention on the concatenated projections.
 *
 *     qkv [B, T, (heads + 2 kvHeads) * headDim] = q heads | k heads | v heads
 *     s = (q . k) * float32(1 / sqrt(headDim)) for keys at or before the query, and in its window,
 *     p = softmax(s),  out = p . v
 *
 *     dv = p^T . dy,   dp = dy . v^T,   ds = p * (dp - sum(dp * p)),   dq = ds . k * scale,   dk = ds^T . q * scale,
 *     then q and k are rotated back.
 *
 * Key / value head j serves query heads [j g, (j + 1) g), g = heads / kvHeads: the composed form folds the g query
 * heads of a group into rows of one product.
 */
import * as tf from "@tensorflow/tfjs";
import type { Rotary } from "../config/rope_scaling.ts";
import { fusedKernel } from "./fused_kernel.ts";
import { rotaryEmbedding } from "./rotary_embedding.ts";
import { withGradient } from "./with_gradient.ts";

export interface AttentionShape {
  heads: number;
  kvHeads: number;
  headDim: number;
  rotary: Rotary;
  /** Positions that a query sees, itself included; null: all. */
  window?: number | null;
}

/** Added to the score of a masked key: exp of it is exactly 0. */
const masked = -1e30;

/** 0 at or below the diagonal of [T, T], in a window, and `masked` elsewhere. */
function causalMask(length: number, window: number): tf.Tensor2D {
  const mask = new Float32Array(length * length);
  for (let query = 0; query < length; query++) {
    mask.fill(masked, query * length + query + 1, (query + 1) * length);
    mask.fill(masked, query * length, query * length + Math.max(0, query + 1 - window));
  }
  return tf.tensor2d(mask, [length, length]);
}

/** [B, T, n * headDim] -> [B * kvHeads, (n / kvHeads) * T, headDim]: rows of one key / value head together. */
function groupRows(x: tf.Tensor, { kvHeads, headDim }: AttentionShape): tf.Tensor3D {
  const [batch, length] = x.shape as [number, number];
  const groups = x.size / (batch * length * kvHeads * headDim);
  const split = tf.reshape(x, [batch, length, kvHeads, groups, headDim]);
  return tf.reshape(tf.transpose(split, [0, 2, 3, 1, 4]), [batch * kvHeads, groups * length, headDim]);
}

/** Inverse of {@link groupRows}: back to [B, T, n * headDim]. */
function ungroupRows(
  rows: tf.Tensor3D,
  batch: number,
  length: number,
  { kvHeads, headDim }: AttentionShape,
): tf.Tensor3D {
  const groups = rows.shape[1] / length;
  const split = tf.reshape(rows, [batch, kvHeads, groups, length, headDim]);
  return tf.reshape(tf.transpose(split, [0, 3, 1, 2, 4]), [batch, length, kvHeads * groups * headDim]);
}

/** Rotates q or k, given as [B, T, n * headDim]. */
function rotate(x: tf.Tensor, { headDim, rotary }: AttentionShape, direction: 1 | -1): tf.Tensor3D {
  const [batch, length, width] = x.shape as [number, number, number];
  const heads = tf.reshape(x, [batch, length, width / headDim, headDim]) as tf.Tensor4D;
  return tf.reshape(rotaryEmbedding(heads, rotary, direction), [batch, length, width]);
}

function splitProjections(qkv: tf.Tensor3D, { heads, kvHeads, headDim }: AttentionShape): tf.Tensor3D[] {
  return tf.split(qkv, [heads * headDim, kvHeads * headDim, kvHeads * headDim], 2);
}

/** Rotated and grouped operands. */
function attentionOperands(
  qkv: tf.Tensor3D,
  shape: AttentionShape,
): { q: tf.Tensor3D; k: tf.Tensor3D; v: tf.Tensor3D } {
  const [q, k, v] = splitProjections(qkv, shape) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
  return {
    q: groupRows(rotate(q, shape, 1), shape),
    k: groupRows(rotate(k, shape, 1), shape),
    v: groupRows(v, shape),
  };
}

/** Attention probabilities [B * kvHeads, g * T, T]. */
function probabilities(q: tf.Tensor3D, k: tf.Tensor3D, scale: number, length: number, window: number): tf.Tensor3D {
  const scores = tf.mul(tf.matMul(q, k, false, true), scale);
  const [batchHeads, rows] = scores.shape as [number, number];
  const visible = tf.add(tf.reshape(scores, [batchHeads, rows / length, length, length]), causalMask(length, window));
  const exponentials = tf.exp(tf.sub(visible, tf.max(visible, -1, true)));
  return tf.reshape(tf.div(exponentials, tf.sum(exponentials, -1, true)), [batchHeads, rows, length]);
}

function composedBackward(
  qkv: tf.Tensor3D,
  p: tf.Tensor3D,
  dy: tf.Tensor3D,
  shape: AttentionShape,
  scale: number,
): tf.Tensor3D {
  const [batch, length] = qkv.shape;
  const { q, k, v } = attentionOperands(qkv, shape);
  const dOut = groupRows(dy, shape);
  const dp = tf.matMul(dOut, v, false, true);
  const ds = tf.mul(tf.mul(p, tf.sub(dp, tf.sum(tf.mul(dp, p), -1, true))), scale);
  const ungroup = (rows: tf.Tensor) => ungroupRows(rows as tf.Tensor3D, batch, length, shape);
  const dq = rotate(ungroup(tf.matMul(ds, k)), shape, -1);
  const dk = rotate(ungroup(tf.matMul(ds, q, true, false)), shape, -1);
  const dv = ungroup(tf.matMul(p, dOut, true, false));
  return tf.concat([dq, dk, dv], 2);
}

/** qkv [B, T, (heads + 2 kvHeads) * headDim] before rotation -> [B, T, heads * headDim]. Differentiable. */
export function causalAttention(qkv: tf.Tensor3D, shape: AttentionShape): tf.Tensor3D {
  const { heads, kvHeads, headDim, rotary, window } = shape;
  const { theta: ropeTheta, factors: ropeFactors, magnitude: ropeMagnitude } = rotary;
  const attributes = { heads, kvHeads, headDim, ropeTheta, ropeFactors, ropeMagnitude, window: window ?? 0 };
  const scale = Math.fround(1 / Math.sqrt(headDim));
  return withGradient<tf.Tensor3D>(
    [qkv],
    (save) => {
      const kernel = fusedKernel("CausalAttention");
      if (kernel) {
        const [out, logSum] = kernel({ qkv }, attributes);
        save([qkv, out!, logSum!]);
        return out as tf.Tensor3D;
      }
      const [batch, length] = qkv.shape;
      const { q, k, v } = attentionOperands(qkv, shape);
      const p = probabilities(q, k, scale, length, window ?? length);
      save([qkv, p]);
      return ungroupRows(tf.matMul(p, v), batch, length, shape);
    },
    (dy, saved) => {
      const kernel = fusedKernel("CausalAttentionGrad");
      if (kernel) {
        const [qkv, out, logSum] = saved;
        return kernel({ qkv, out, logSum, dy }, attributes);
      }
      const [qkv, p] = saved as [tf.Tensor3D, tf.Tensor3D];
      return [composedBackward(qkv, p, dy, shape, scale)];
    },
  );
}
