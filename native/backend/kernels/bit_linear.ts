/** BitLinear, its gradient, and the ternary codes of a weight matrix. */
import type * as tf from "@tensorflow/tfjs";
import type { BackwardPrecision } from "../../../src/config/backward_precision.ts";
import type { ActivationQuantizerName, ScaleDtype, WeightQuantizerName } from "../../../src/config/model_config.ts";
import type { NativeBackend } from "../native_backend.ts";
import { backwardPrecisionCode, scaleDtypeCode } from "../training_addon.ts";
import { type Inputs, lastDimension, type NativeKernel, numberedInputs, requireInput } from "./kernel.ts";

export interface BitLinearAttributes {
  weightQuantizer: WeightQuantizerName;
  activationQuantizer: ActivationQuantizerName;
  scaleDtype: ScaleDtype;
}

export interface BitLinearGradAttributes extends BitLinearAttributes {
  precision: BackwardPrecision;
  /** Unsigned 32-bit key of stochastic rounding (int8). */
  roundingKey: number;
}

function readOperands(kernel: string, inputs: Inputs) {
  const { x } = inputs;
  const weights = numberedInputs(inputs, "weight");
  const cols = lastDimension(x);
  requireInput(weights.length > 0, kernel, () => "needs weight0");
  for (const weight of weights) {
    requireInput(
      weight.shape.length === 2 && weight.shape[1] === cols,
      kernel,
      () => `weights must be [out, ${cols}] for x [${x.shape}], got [${weight.shape}]`,
    );
  }
  const outputs = weights.reduce((sum, weight) => sum + weight.shape[0], 0);
  return { x, weights, cols, outputs };
}

function quantizerArguments(attributes: BitLinearAttributes): [boolean, boolean, number] {
  return [
    attributes.weightQuantizer === "absmean_ternary",
    attributes.activationQuantizer === "absmax_int8",
    scaleDtypeCode[attributes.scaleDtype],
  ];
}

/** {x [..., K], weight0 [N0, K], ...} -> [..., N0 + N1 + ...]. */
export const bitLinear: NativeKernel<BitLinearAttributes> = {
  name: "BitLinear",
  run(inputs, attributes, backend: NativeBackend): tf.TensorInfo {
    const { x, weights, cols, outputs } = readOperands("BitLinear", inputs);
    const y = backend.allocate([...x.shape.slice(0, -1), outputs]);
    const arrays = weights.map((weight) => backend.floats(weight));
    backend.addon.bitLinear(backend.floats(x), arrays, cols, ...quantizerArguments(attributes), y.values);
    return y.info;
  },
};

/** {x, weight0, ..., dy [..., N0 + N1 + ...]} -> [dx, dweight0, ...]. Straight-through. */
export const bitLinearGrad: NativeKernel<BitLinearGradAttributes> = {
  name: "BitLinearGrad",
  run(inputs, attributes, backend: NativeBackend): tf.TensorInfo[] {
    const { x, weights, cols } = readOperands("BitLinearGrad", inputs);
    const dx = backend.allocate(x.shape);
    const dweights = weights.map((weight) => backend.allocate(weight.shape));
    backend.addon.bitLinearGrad(
      backend.floats(x),
      weights.map((weight) => backend.floats(weight)),
      cols,
      ...quantizerArguments(attributes),
      backwardPrecisionCode[attributes.precision],
      attributes.roundingKey,
      backend.floats(inputs.dy),
      dx.values,
      dweights.map((output) => output.values),
    );
    return [dx.info, ...dweights.map((output) => output.info)];
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
