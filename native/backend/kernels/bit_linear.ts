/** BitLinear, its gradient, and the ternary codes of a weight matrix. */
import type * as tf from "@tensorflow/tfjs";
import type { BackwardPrecision } from "../../../src/config/backward_precision.ts";
import type { HiddenAct } from "../../../src/config/model_config.ts";
import type { ScaleDtype } from "../../../src/quant/dtypes.ts";
import type { NativeBackend } from "../native_backend.ts";
import { backwardPrecisionCode, gateActivationCode, type LinearInput, scaleDtypeCode } from "../training_addon.ts";
import { type Inputs, lastDimension, type NativeKernel, numberedInputs, requireInput } from "./kernel.ts";

export interface BitLinearAttributes {
  /** Latent weights to make absmean codes of (one scale per matrix), or float32 values to multiply. */
  weights: "absmean_tensor" | "values";
  int8Activations: boolean;
  scaleDtype: ScaleDtype;
  /** Gate before the product. */
  activation: HiddenAct | "none";
  /** Of the norm before the product, if `gain` is given. */
  epsilon: number;
}

export interface BitLinearGradAttributes extends BitLinearAttributes {
  precision: BackwardPrecision;
  /** Unsigned 32-bit key of stochastic rounding (int8). */
  roundingKey: number;
}

function readOperands(kernel: string, inputs: Inputs, attributes: BitLinearAttributes, backend: NativeBackend) {
  const { x, gain } = inputs;
  const { activation } = attributes;
  const weights = numberedInputs(inputs, "weight");
  const width = lastDimension(x);
  const cols = activation === "none" ? width : width / 2;
  requireInput(weights.length > 0, kernel, () => "needs weight0");
  for (const weight of weights) {
    requireInput(
      weight.shape.length === 2 && weight.shape[1] === cols,
      kernel,
      () => `weights must be [out, ${cols}] for x [${x.shape}], got [${weight.shape}]`,
    );
  }
  const outputs = weights.reduce((sum, weight) => sum + weight.shape[0], 0);
  const isTernary = attributes.weights === "absmean_tensor";
  const isInt8 = attributes.int8Activations;
  const linear: LinearInput = [
    backend.floats(x),
    activation === "none" ? 0 : 1 + gateActivationCode[activation],
    gain ? backend.floats(gain) : null,
    attributes.epsilon,
    weights.map((weight) => backend.floats(weight)),
    cols,
    isTernary,
    isInt8,
    scaleDtypeCode[attributes.scaleDtype],
  ];
  return { x, gain, weights, outputs, isInteger: isTernary && isInt8, linear };
}

/**
 * {x [..., K or 2 K with a gate], gain? [K], weight0 [N0, K], ..., residual? as y} -> [y [..., N0 + N1 + ...], scales?].
 * `scales`, where both operands are quantized, is what BitLinearGrad takes under that name: [2 * weights + tokens].
 */
export const bitLinear: NativeKernel<BitLinearAttributes> = {
  name: "BitLinear",
  run(inputs, attributes, backend: NativeBackend): tf.TensorInfo[] {
    const { x, weights, outputs, isInteger, linear } = readOperands("BitLinear", inputs, attributes, backend);
    const y = backend.allocate([...x.shape.slice(0, -1), outputs]);
    const tokens = y.values.length / outputs;
    const scales = isInteger ? backend.allocate([2 * weights.length + tokens]) : null;
    const residual = inputs.residual ? backend.floats(inputs.residual) : null;
    backend.addon.bitLinear(...linear, residual, y.values, scales ? scales.values : null);
    return scales ? [y.info, scales.info] : [y.info];
  },
};

/** {x, gain?, weight0, ..., dy [..., N0 + N1 + ...], scales?} -> [dx, dweight0, ..., dgain?]. Straight-through. */
export const bitLinearGrad: NativeKernel<BitLinearGradAttributes> = {
  name: "BitLinearGrad",
  run(inputs, attributes, backend: NativeBackend): tf.TensorInfo[] {
    const { x, gain, weights, linear } = readOperands("BitLinearGrad", inputs, attributes, backend);
    const dx = backend.allocate(x.shape);
    const dgain = gain ? backend.allocate(gain.shape) : null;
    const dweights = weights.map((weight) => backend.allocate(weight.shape));
    backend.addon.bitLinearGrad(
      ...linear,
      backwardPrecisionCode[attributes.precision],
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

/** {weight [N, K]} -> [codes int32 [N, K] in -1, 0, 1; weightScale float32 [1]]. */
export const ternaryCodes: NativeKernel<{ scaleDtype: ScaleDtype }> = {
  name: "TernaryCodes",
  run({ weight }, { scaleDtype }, backend: NativeBackend): tf.TensorInfo[] {
    const codes = backend.allocateInts(weight.shape);
    const scale = backend.allocate([1]);
    scale.values[0] = backend.addon.ternaryCodes(
      backend.floats(weight),
      lastDimension(weight),
      scaleDtypeCode[scaleDtype],
      codes.values,
    );
    return [codes.info, scale.info];
  },
};
