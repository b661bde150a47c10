/**
 * Op `AdamWStep`: one update of torch.optim.AdamW (decoupled weight decay, bias correction).
 *
 *     g = gradScale * grad;   param *= 1 - lr * weightDecay
 *     m = beta1 m + (1 - beta1) g;   v = beta2 v + (1 - beta2) g^2
 *     param -= lr / (1 - beta1^step) * m / (sqrt(v) / sqrt(1 - beta2^step) + eps)
 */
import * as tf from "@tensorflow/tfjs";
import { fusedKernel } from "./fused_kernel.ts";

/** What all parameters share. */
export interface AdamWAttributes {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** 1 for the first update. */
  step: number;
  /** Multiplies the gradient: clipping coefficient times 1 / accumulated micro-batches. */
  gradScale: number;
}

/** Attributes of the fused kernel: lists by parameter. */
export interface AdamWKernelAttributes extends AdamWAttributes {
  params: readonly tf.TensorInfo[];
  grads: readonly tf.TensorInfo[];
  m: readonly tf.TensorInfo[];
  v: readonly tf.TensorInfo[];
  weightDecays: readonly number[];
}

/** A parameter, its gradient and its moments (variables of its shape, zero at first). */
export interface AdamWUpdate {
  param: tf.Variable;
  grad: tf.Tensor;
  m: tf.Variable;
  v: tf.Variable;
  weightDecay: number;
}

/** Updates the parameters and their moments in place: all of them in one call of the fused kernel. */
export function adamWStep(updates: readonly AdamWUpdate[], attributes: AdamWAttributes): void {
  const kernel = fusedKernel("AdamWStep");
  if (kernel) {
    const lists = {
      params: updates.map(({ param }) => param),
      grads: updates.map(({ grad }) => grad),
      m: updates.map(({ m }) => m),
      v: updates.map(({ v }) => v),
      weightDecays: updates.map(({ weightDecay }) => weightDecay),
    };
    kernel({}, { ...attributes, ...lists });
    return;
  }
  for (const update of updates) composed(update, attributes);
}

function composed({ param, grad, m, v, weightDecay }: AdamWUpdate, attributes: AdamWAttributes): void {
  const { learningRate, beta1, beta2, epsilon, step, gradScale } = attributes;
  tf.tidy(() => {
    const g = tf.mul(grad, gradScale);
    m.assign(tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)));
    v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)));
    const denominator = tf.add(tf.div(tf.sqrt(v), Math.sqrt(1 - beta2 ** step)), epsilon);
    const update = tf.mul(tf.div(m, denominator), learningRate / (1 - beta1 ** step));
    param.assign(tf.sub(tf.mul(param, 1 - learningRate * weightDecay), update));
  });
}
