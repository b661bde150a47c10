/**
 * Op `BitLinear`: the linear layer of BitNet b1.58, for up to three weights that share their input (q, k, v or gate,
 * up): x is quantized once and the outputs are concatenated on the last axis.
 *
 *     acc = sum_k x_int8[k] * w_ternary[k]                exact integers
 *     y   = float(acc) * (act_scale * weight_scale)       float32, this order
 *
 *     straight-through backward:   dX = dY . (weight_scale * w_ternary)      dW = dY^T . (act_scale * x_int8)
 *
 * With a quantizer `none` its operand is used as it is, and the product is a float one on dequantized values. The
 * composed form sums integers in float32, exact while 128 K < 2^24, so it has the bits of the integer kernel.
 */
import * as tf from "@tensorflow/tfjs";
import type { ActivationQuantizerName, ScaleDtype, WeightQuantizerName } from "../config/model_config.ts";
import { absmaxInt8Codes } from "./fake_quantize.ts";
import { fusedKernel } from "./fused_kernel.ts";
import { asRows } from "./tensor_access.ts";
import { ternaryCodes } from "./ternary_codes.ts";
import { withGradient } from "./with_gradient.ts";

/** How a linear layer quantizes. The keys are attributes of the fused kernel. */
export interface LinearQuantization {
  weightQuantizer: WeightQuantizerName;
  activationQuantizer: ActivationQuantizerName;
  scaleDtype: ScaleDtype;
}

/** One operand of the product, one scale per row: values = codes * scale. Null: the values are the codes. */
interface Operand {
  codes: tf.Tensor2D;
  /** [rows, 1] */
  scale: tf.Tensor2D | null;
}

/** All weights stacked to [sum N, K]; a matrix's weight_scale is repeated for its rows. */
function stackedWeights(weights: tf.Tensor2D[], { weightQuantizer, scaleDtype }: LinearQuantization): Operand {
  if (weightQuantizer === "none") return { codes: tf.concat(weights, 0), scale: null };
  const ternary = weights.map((weight) => ternaryCodes(weight, scaleDtype));
  const codes = ternary.map((matrix): tf.Tensor2D => tf.cast(matrix.codes, "float32"));
  const scales = ternary.map(
    ({ weightScale, codes }): tf.Tensor2D => tf.tile(tf.reshape(weightScale, [1, 1]), [codes.shape[0], 1]),
  );
  return { codes: tf.concat(codes, 0), scale: tf.concat(scales, 0) };
}

function activations(x: tf.Tensor2D, { activationQuantizer }: LinearQuantization): Operand {
  if (activationQuantizer === "none") return { codes: x, scale: null };
  const { codes, actScale } = absmaxInt8Codes(x);
  return { codes, scale: actScale };
}

function dequantized({ codes, scale }: Operand): tf.Tensor2D {
  return scale === null ? codes : tf.mul(codes, scale);
}

function composedForward(x: tf.Tensor, weights: tf.Tensor2D[], quantization: LinearQuantization): tf.Tensor {
  const w = stackedWeights(weights, quantization);
  const a = activations(asRows(x), quantization);
  const y =
    w.scale !== null && a.scale !== null
      ? tf.mul(tf.matMul(a.codes, tf.transpose(w.codes)), tf.mul(a.scale, tf.transpose(w.scale)))
      : tf.matMul(dequantized(a), tf.transpose(dequantized(w)));
  return tf.reshape(y, [...x.shape.slice(0, -1), w.codes.shape[0]]);
}

function composedBackward(
  x: tf.Tensor,
  weights: tf.Tensor2D[],
  dy: tf.Tensor,
  quantization: LinearQuantization,
): tf.Tensor[] {
  const dyRows = asRows(dy);
  const dx = tf.matMul(dyRows, dequantized(stackedWeights(weights, quantization)));
  const dWeights = tf.matMul(tf.transpose(dyRows), dequantized(activations(asRows(x), quantization)));
  const rows = weights.map((weight) => weight.shape[0]);
  return [tf.reshape(dx, x.shape), ...tf.split(dWeights, rows, 0)];
}

/**
 * y = x . W^T for each weight, outputs concatenated: x [..., K], weights [N_i, K] -> [..., sum N_i].
 * Differentiable in x and in the weights (straight-through). At most three weights.
 */
export function bitLinear(x: tf.Tensor, weights: tf.Tensor2D[], quantization: LinearQuantization): tf.Tensor {
  const { weightQuantizer, activationQuantizer, scaleDtype } = quantization;
  const attributes = { weightQuantizer, activationQuantizer, scaleDtype };
  const [weight0, weight1, weight2] = weights;
  return withGradient(
    [x, ...weights],
    (save) => {
      save([x, ...weights]);
      const kernel = fusedKernel("BitLinear");
      if (!kernel) return composedForward(x, weights, quantization);
      return kernel({ x, weight0, weight1, weight2 }, attributes)[0];
    },
    (dy, [x, ...saved]) => {
      const [weight0, weight1, weight2] = saved;
      const kernel = fusedKernel("BitLinearGrad");
      if (!kernel) return composedBackward(x!, saved as tf.Tensor2D[], dy, quantization);
      return kernel({ x, weight0, weight1, weight2, dy }, attributes);
    },
  );
}
