/** What stands around a linear product in a transformer block: activation, norm and transform before it, bias and residual after. */
import * as tf from "@tensorflow/tfjs";
import type { HiddenAct } from "../config/model_config.ts";
import { gatedActivation } from "./gated_activation.ts";
import { hadamard } from "./hadamard.ts";
import { rmsNorm } from "./rms_norm.ts";
import { squaredRelu } from "./squared_relu.ts";

/** Of a gate, where x is gate | up; `squared_relu` of x itself. */
export type InputActivation = HiddenAct | "squared_relu";

export interface LinearSurroundings {
  /** Before the product; with a gate x is [..., 2 K]. */
  activation?: InputActivation;
  /** RMSNorm before the product, after the activation. */
  norm?: { gain: tf.Tensor1D; epsilon: number };
  /** Hadamard transform before the product, after the norm. */
  hadamard?: boolean;
  /** Added to each row of the product, before the residual: [sum N_i]. */
  bias?: tf.Tensor1D;
  /** Added to the product; of its shape. */
  residual?: tf.Tensor;
}

/** hadamard(norm(activation(x))), from the single ops. */
function productInput({ activation, norm, hadamard: isTransformed }: LinearSurroundings, x: tf.Tensor): tf.Tensor {
  let input = x;
  if (activation) input = activation === "squared_relu" ? squaredRelu(x) : gatedActivation(x, activation);
  if (norm) input = rmsNorm(input, norm.gain, norm.epsilon);
  return isTransformed ? hadamard(input) : input;
}

/** y + bias, where there is one. */
export function withBias(y: tf.Tensor, bias: tf.Tensor1D | undefined): tf.Tensor {
  return bias === undefined ? y : tf.add(y, bias);
}

/** residual + bias + product(hadamard(norm(activation(x)))), from the single ops. */
export function surroundedBy(
  surroundings: LinearSurroundings,
  x: tf.Tensor,
  product: (input: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const y = withBias(product(productInput(surroundings, x)), surroundings.bias);
  return surroundings.residual ? tf.add(surroundings.residual, y) : y;
}
