/** What stands around a linear product in a transformer block: gate and norm before it, the residual after it. */
import * as tf from "@tensorflow/tfjs";
import type { HiddenAct } from "../config/model_config.ts";
import { gatedActivation } from "./gated_activation.ts";
import { rmsNorm } from "./rms_norm.ts";

export interface LinearSurroundings {
  /** Gated activation before the product: x is gate | up, [..., 2 K]. */
  activation?: HiddenAct;
  /** RMSNorm before the product, after the gate. */
  norm?: { gain: tf.Tensor1D; epsilon: number };
  /** Added to the product; of its shape. */
  residual?: tf.Tensor;
}

/** residual + product(norm(activation(x))), from the single ops. */
export function surroundedBy(
  { activation, norm, residual }: LinearSurroundings,
  x: tf.Tensor,
  product: (input: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const gated = activation ? gatedActivation(x, activation) : x;
  const y = product(norm ? rmsNorm(gated, norm.gain, norm.epsilon) : gated);
  return residual ? tf.add(residual, y) : y;
}
