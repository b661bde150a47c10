/**
 * Op `BitLinear`: the linear layer of BitNet b1.58, for up to three weights that share their input (q, k, v or gate,
 * up): x is quantized once and the outputs are concatenated on the last axis.
 *
 *     acc = sum_k x_int8[k] * w_ternary[k]                exact integers
 *     y   = float(acc) * (act_scale * weight_scale)       float32, this order; weight_scale of the matrix or of the row
 *     y   = (chain of fma(float(acc_g), weight_scale_g) over the groups g of the row) * act_scale       scales of groups
 *
 *     straight-through backward:   dX = dY . (weight_scale * w_ternary)      dW = dY^T . (act_scale * x_int8)
 *
 * How dY is rounded for the two products is the setting of `backward_pass.ts`.
 *
 * A quantizer with a bias of its own adds it to y, and then the model's bias, before the residual.
 *
 * Where an operand is not quantized, or the weights multiply as their dequantized values, the product is a float one. A
 * weight quantizer without a kernel of its own makes the codes (or the values) here, once a step.
 */
import * as tf from "@tensorflow/tfjs";
import { type FusedQuantization, groupSizeOf, type WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import { backwardRounding } from "./backward_pass.ts";
import { composedBitLinear } from "./composed_bit_linear.ts";
import { partlyQuantizedActivations } from "./fake_quantize.ts";
import { fusedKernel } from "./fused_kernel.ts";
import type { LinearQuantization } from "./linear_quantization.ts";
import { type LinearSurroundings, surroundedBy, withBias } from "./linear_surroundings.ts";
import { hasOwnGradient, type LearntTensors, latentGradients, productWeight } from "./quantized_weights.ts";
import { rowBias } from "./row_bias.ts";
import { withGradient } from "./with_gradient.ts";

/** Weights that may share an input. */
export const maxLinearWeights = 3;

/** Attribute `weights` of the kernels: what they are given. */
function weightsForm(quantizer: WeightQuantizer | null): "values" | FusedQuantization | "codes" {
  if (quantizer === null || quantizer.product === "values") return "values";
  return quantizer.fused ?? "codes";
}

/** Inputs of the kernels by name: latent weights for one that quantizes them itself, else what the product multiplies. */
function kernelWeights(
  weights: tf.Tensor2D[],
  { weights: quantizer, learnt }: LinearQuantization,
): Record<string, tf.Tensor> {
  const named: Record<string, tf.Tensor> = {};
  weights.forEach((weight, i) => {
    if (quantizer?.fused) {
      named[`weight${i}`] = weight;
      return;
    }
    const product = productWeight(weight, quantizer, learnt?.[i] ?? []);
    if (product.form === "values") named[`weight${i}`] = product.values;
    else Object.assign(named, { [`codes${i}`]: product.codes, [`weightScales${i}`]: product.scales });
  });
  return named;
}

/**
 * y = x . W^T for each weight, outputs concatenated: x [..., K], weights [N_i, K] -> [..., sum N_i].
 * Differentiable in every tensor (straight-through, or by the weight quantizer's own `backward`), those that it has
 * learnt included.
 *
 * With `surroundings`, y = residual + bias + hadamard(norm(activation(x))) . W^T as one op: the fused kernel keeps x and the scales
 * for the backward pass and computes what stands before the product again. `place` is a hash of the product's name in its
 * model: it keys stochastic rounding (see `backward_pass.ts`).
 * @throws {RangeError} for more than three weights.
 */
export function bitLinear(
  x: tf.Tensor,
  weights: tf.Tensor2D[],
  quantization: LinearQuantization,
  surroundings: LinearSurroundings = {},
  place = 0,
): tf.Tensor {
  if (weights.length > maxLinearWeights) {
    throw new RangeError(`bitLinear takes at most three weights that share an input, got ${weights.length}`);
  }
  const { activationShare: share } = quantization;
  if (share !== undefined) {
    const { activations, ...others } = quantization;
    const values = { ...others, activations: null, activationShare: undefined };
    return surroundedBy(surroundings, x, (input) => {
      const operand = activations === null ? input : partlyQuantizedActivations(input, activations, share);
      return bitLinear(operand, weights, values, {}, place);
    });
  }
  const ofQuantizer = quantization.weights?.rowBias;
  const { residual, bias: ofModel, ...before } = surroundings;
  if (ofQuantizer === undefined && ofModel === undefined) {
    return unbiasedProduct(x, weights, quantization, surroundings, place);
  }
  const learnt = weights.map((_, i) => quantization.learnt?.[i] ?? []);
  const bias = ofQuantizer === undefined ? undefined : rowBias(weights, ofQuantizer, learnt);
  const y = withBias(withBias(unbiasedProduct(x, weights, quantization, before, place), bias), ofModel);
  return residual ? tf.add(y, residual) : y;
}

function unbiasedProduct(
  x: tf.Tensor,
  weights: tf.Tensor2D[],
  quantization: LinearQuantization,
  surroundings: LinearSurroundings,
  place: number,
): tf.Tensor {
  if (!fusedKernel("BitLinear")) {
    return surroundedBy(surroundings, x, (input) => composedBitLinear(input, weights, quantization, place));
  }
  const { weights: quantizer, activations } = quantization;
  const { activation = "none", norm, hadamard = false, residual } = surroundings;
  const attributes = {
    weights: weightsForm(quantizer),
    groupSize: groupSizeOf(quantizer),
    activations: activations?.codes ?? "none",
    keep: activations?.keep ?? 1,
    scaleDtype: quantizer?.scaleDtype ?? "f32",
    activation,
    epsilon: norm?.epsilon ?? 0,
    hadamard,
  };
  const learnt = weights.map((_, i) => quantization.learnt?.[i] ?? []);
  const inputs = [x, ...weights, ...(norm ? [norm.gain] : []), ...learnt.flat()];
  // What the backward pass reads, by name. Variables outlive the pass; to save another tensor costs a kernel call and a
  // place on the tape.
  let read: Record<string, tf.Tensor | undefined> = {};
  let passing: string[] = [];
  return withGradient(
    residual ? [...inputs, residual] : inputs,
    (save) => {
      const operands = { x, gain: norm?.gain, ...kernelWeights(weights, quantization) };
      const [y, scales] = fusedKernel("BitLinear")!({ ...operands, residual }, attributes);
      read = { ...operands, scales };
      // A gradient of the quantizer's own reads the latent weights again.
      if (hasOwnGradient(quantizer)) Object.assign(read, latentOperands(weights, learnt));
      passing = Object.keys(read).filter((name) => read[name] && !(read[name] instanceof tf.Variable));
      save(passing.map((name) => read[name]!));
      return y!;
    },
    (dy, saved) => {
      const kept = { ...read, ...Object.fromEntries(passing.map((name, i) => [name, saved[i]])) };
      const [dx, ...rest] = fusedKernel("BitLinearGrad")!(
        { ...kept, dy },
        { ...attributes, ...backwardRounding(place) },
      ) as tf.Tensor[];
      const dweights = rest.splice(0, weights.length) as tf.Tensor2D[];
      const gradients = dweights.map((dweight, i) =>
        latentGradients(
          dweight,
          kept[`latent${i}`] as tf.Tensor2D,
          quantizer,
          learnt[i].map((each, k) => kept[`learnt${i}.${k}`] ?? each),
        ),
      );
      return [
        dx,
        ...gradients.map(({ latent }) => latent),
        ...rest,
        ...gradients.flatMap((each) => each.learnt),
        ...(residual ? [tf.clone(dy)] : []),
      ];
    },
  );
}

/** By name: latent weights, and what is learnt for them. */
function latentOperands(weights: tf.Tensor2D[], learnt: readonly LearntTensors[]): Record<string, tf.Tensor> {
  return Object.fromEntries([
    ...weights.map((weight, i): [string, tf.Tensor] => [`latent${i}`, weight]),
    ...learnt.flatMap((each, i) => each.map((tensor, k): [string, tf.Tensor] => [`learnt${i}.${k}`, tensor])),
  ]);
}
