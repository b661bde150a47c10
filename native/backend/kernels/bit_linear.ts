/** BitLinear, its gradient, and the ternary codes of a weight matrix. */
import type * as tf from "@tensorflow/tfjs";
import type { BackwardPrecision } from "../../../src/config/backward_precision.ts";
import type { ScaleDtype } from "../../../src/quant/dtypes.ts";
import type { ActivationCodes } from "../../../src/quantizers/activation_quantizer.ts";
import type { FusedQuantization } from "../../../src/quantizers/weight_quantizer.ts";
import type { NativeBackend } from "../native_backend.ts";
import type { InputActivation, LinearInput, WeightSource } from "../training_addon.ts";
import { type Inputs, lastDimension, type NativeKernel, numberedInputs, requireInput } from "./kernel.ts";

export interface BitLinearAttributes {
  weights: WeightSource;
  /** With `weights: "codes"`: neighbours of a row that share a scale; 0 where a row or the matrix does. */
  groupSize?: number;
  activations: ActivationCodes | "none";
  /** Share of a row's activations that stay; 1 without a quantizer. */
  keep: number;
  /** Type to which the kernel rounds the scales that it makes. */
  scaleDtype: ScaleDtype;
  /** Before the product. */
  activation: InputActivation;
  /** Of the norm before the product, if `gain` is given. */
  epsilon: number;
  /** The transform before the product, after the norm. */
  hadamard: boolean;
}

export interface BitLinearGradAttributes extends BitLinearAttributes {
  precision: BackwardPrecision;
  /** Unsigned 32-bit key of stochastic rounding (int8). */
  roundingKey: number;
}

/** Scales of a matrix that a kernel quantizes itself. */
function scalesOf({ shape: [rows, cols] }: tf.TensorInfo, source: FusedQuantization): number {
  if (source === "absmean_tensor") return 1;
  if (source === "absmean_row") return rows;
  return (rows * cols) / Number(source.slice("absmean_group_".length));
}

/** Scales that the forward pass keeps for the backward pass: of the activations, and of weights it quantized itself. */
function keptScales(weights: readonly tf.TensorInfo[], { weights: source }: BitLinearAttributes): number {
  if (source === "values" || source === "codes") return 0;
  return weights.reduce((sum, weight) => sum + 2 * scalesOf(weight, source), 0);
}

function readOperands(kernel: string, inputs: Inputs, attributes: BitLinearAttributes, backend: NativeBackend) {
  const { x, gain } = inputs;
  const { activation, activations } = attributes;
  const areGiven = attributes.weights === "codes";
  const weights = numberedInputs(inputs, areGiven ? "codes" : "weight");
  const scales = areGiven ? numberedInputs(inputs, "weightScales") : [];
  const width = lastDimension(x);
  const cols = activation === "none" || activation === "squared_relu" ? width : width / 2;
  requireInput(weights.length > 0, kernel, () => `needs ${areGiven ? "codes0" : "weight0"}`);
  for (const weight of weights) {
    requireInput(
      weight.shape.length === 2 && weight.shape[1] === cols,
      kernel,
      () => `weights must be [out, ${cols}] for x [${x.shape}], got [${weight.shape}]`,
    );
  }
  const outputs = weights.reduce((sum, weight) => sum + weight.shape[0], 0);
  requireInput(!areGiven || scales.length === weights.length, kernel, () => "needs weightScales for each codes");
  const linear: LinearInput = [
    backend.floats(x),
    activation,
    gain ? backend.floats(gain) : null,
    attributes.epsilon,
    attributes.hadamard,
    weights.map((weight, i) =>
      areGiven
        ? { ternary: backend.ints(weight), scales: backend.floats(scales[i]), span: attributes.groupSize ?? 0 }
        : backend.floats(weight),
    ),
    cols,
    attributes.weights,
    activations,
    attributes.keep,
    attributes.scaleDtype,
  ];
  return { x, gain, weights, outputs, isInteger: attributes.weights !== "values" && activations !== "none", linear };
}

/**
 * {x [..., K or 2 K with a gate], gain? [K], weight0 [N0, K], ..., residual? as y} -> [y [..., N0 + N1 + ...], scales?].
 * With `weights: "codes"`, codes0 int32 [N0, K] of -1, 0, 1 and weightScales0 [1], [N0] or [N0 * K / groupSize] take the
 * place of weight0.
 * `scales`, where both operands are quantized, is what BitLinearGrad takes under that name.
 */
export const bitLinear: NativeKernel<BitLinearAttributes> = {
  name: "BitLinear",
  run(inputs, attributes, backend: NativeBackend): tf.TensorInfo[] {
    const { x, weights, outputs, isInteger, linear } = readOperands("BitLinear", inputs, attributes, backend);
    const y = backend.allocate([...x.shape.slice(0, -1), outputs]);
    const tokens = y.values.length / outputs;
    const scales = isInteger ? backend.allocate([keptScales(weights, attributes) + tokens]) : null;
    const residual = inputs.residual ? backend.floats(inputs.residual) : null;
    backend.addon.bitLinear(...linear, residual, y.values, scales ? scales.values : null);
    return scales ? [y.info, scales.info] : [y.info];
  },
};

/**
 * {x, gain?, weight0 (or codes0, weightScales0), ..., dy [..., N0 + N1 + ...], scales?} -> [dx, dweight0, ..., dgain?].
 * dweight is the gradient of the dequantized weights: with a straight-through quantizer, that of the latent ones.
 */
export const bitLinearGrad: NativeKernel<BitLinearGradAttributes> = {
  name: "BitLinearGrad",
  run(inputs, attributes, backend: NativeBackend): tf.TensorInfo[] {
    const { x, gain, weights, linear } = readOperands("BitLinearGrad", inputs, attributes, backend);
    const dx = backend.allocate(x.shape);
    const dgain = gain ? backend.allocate(gain.shape) : null;
    const dweights = weights.map((weight) => backend.allocate(weight.shape));
    backend.addon.bitLinearGrad(
      ...linear,
      attributes.precision,
      attributes.roundingKey,
      backend.floats(inputs.dy),
      dx.values,
      dgain ? dgain.values : null,
      dweights.map((output) => output.values),
      inputs.scales ? backend.floats(inputs.scales) : null,
    );
    return [dx.info, ...dweights.map((output) => output.info), ...(dgain ? [dgain.info] : [])];
  },
};

export interface TernaryCodesAttributes {
  scaleDtype: ScaleDtype;
  weights: FusedQuantization;
}

/** {weight [N, K]} -> [codes int32 [N, K] in -1, 0, 1; scales float32 [1], [N] or [N * K / group]]. */
export const ternaryCodes: NativeKernel<TernaryCodesAttributes> = {
  name: "TernaryCodes",
  run({ weight }, attributes, backend: NativeBackend): tf.TensorInfo[] {
    const codes = backend.allocateInts(weight.shape);
    const scales = backend.allocate([scalesOf(weight, attributes.weights)]);
    backend.addon.ternaryCodes(
      backend.floats(weight),
      lastDimension(weight),
      attributes.weights,
      attributes.scaleDtype,
      codes.values,
      scales.values,
    );
    return [codes.info, scales.info];
  },
};
