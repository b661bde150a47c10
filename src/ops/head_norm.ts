/**
 * Op `HeadNorm`: RMSNorm of each query and key head of the concatenated projections, before their rotation (QK norm of
 * Qwen3 and Gemma 3; arXiv 2010.04245 with RMSNorm, arXiv 2302.05442).
 *
 *     qkv [B, T, (heads + 2 kvHeads) * headDim] = q heads | k heads | v heads
 *     q' = RMSNorm(q; qGain),   k' = RMSNorm(k; kGain) over each head,   v' = v
 */
import * as tf from "@tensorflow/tfjs";
import { concatColumns } from "./concat_columns.ts";
import { fusedKernel } from "./fused_kernel.ts";
import { rmsNorm } from "./rms_norm.ts";
import { withGradient } from "./with_gradient.ts";

interface HeadShape {
  heads: number;
  kvHeads: number;
  headDim: number;
}

/** RMSNorm of q and k heads with gains [headDim]; v as it is. Differentiable in all three. */
export function headNorm(
  qkv: tf.Tensor3D,
  qGain: tf.Tensor1D,
  kGain: tf.Tensor1D,
  { heads, kvHeads, headDim }: HeadShape,
  epsilon: number,
): tf.Tensor3D {
  const attributes = { heads, kvHeads, headDim, epsilon };
  if (!fusedKernel("HeadNorm")) return composed(qkv, qGain, kGain, attributes);
  return withGradient<tf.Tensor3D>(
    [qkv, qGain, kGain],
    (save) => {
      save([qkv, qGain, kGain]);
      return fusedKernel("HeadNorm")!({ qkv, qGain, kGain }, attributes)[0] as tf.Tensor3D;
    },
    (dy, [qkv, qGain, kGain]) => fusedKernel("HeadNormGrad")!({ qkv, qGain, kGain, dy }, attributes),
  );
}

function composed(
  qkv: tf.Tensor3D,
  qGain: tf.Tensor1D,
  kGain: tf.Tensor1D,
  { heads, kvHeads, headDim, epsilon }: HeadShape & { epsilon: number },
): tf.Tensor3D {
  const [batch, length] = qkv.shape;
  const normed = (x: tf.Tensor, gain: tf.Tensor1D, count: number) => {
    const split = tf.reshape(x, [batch, length, count, headDim]);
    return tf.reshape(rmsNorm(split, gain, epsilon), [batch, length, count * headDim]);
  };
  const [q, k, v] = tf.split(qkv, [heads * headDim, kvHeads * headDim, kvHeads * headDim], 2);
  return concatColumns([normed(q!, qGain, heads), normed(k!, kGain, kvHeads), v!]) as tf.Tensor3D;
}
