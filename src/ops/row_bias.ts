/** The bias that some weight quantizers add to a product: a value for each out feature, made of the latent weights. */
import * as tf from "@tensorflow/tfjs";
import type { RowBias } from "../quantizers/weight_quantizer.ts";
import type { LearntTensors } from "./quantized_weights.ts";
import { float32Values } from "./tensor_access.ts";
import { withGradient } from "./with_gradient.ts";

/** The biases of weights [N_i, K] that share an input, [sum N_i]. Differentiable in the weights and what is learnt. */
export function rowBias(weights: tf.Tensor2D[], bias: RowBias, learnt: readonly LearntTensors[]): tf.Tensor1D {
  return tf.concat1d(weights.map((weight, i) => biasOf(weight, bias, learnt[i])));
}

function biasOf(weight: tf.Tensor2D, bias: RowBias, learnt: LearntTensors): tf.Tensor1D {
  const [rows, cols] = weight.shape;
  return withGradient<tf.Tensor1D>(
    [weight, ...learnt],
    (save) => {
      save([weight, ...learnt]);
      return tf.tensor1d(bias.value(float32Values(weight), { rows, cols }, learnt.map(float32Values)));
    },
    (dy, [latent, ...values]) => {
      const [dbias, w] = [float32Values(dy), float32Values(latent)];
      const gradients = bias.backward(dbias, w, { rows, cols }, values.map(float32Values));
      return [
        tf.tensor2d(gradients.latent, [rows, cols]),
        ...values.map((each, i) => tf.tensor(gradients.learnt[i], each.shape)),
      ];
    },
  );
}
