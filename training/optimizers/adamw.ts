/**
 * AdamW over named parameters, with clipping by the global norm. Formulas of torch.optim.AdamW and
 * torch.nn.utils.clip_grad_norm_, t counting updates from 1:
 *
 *     coef = min(1, max_norm / (norm + 1e-6))         norm over all gradients together
 *     p   -= lr * weight_decay * p                    matrices and the embedding; not the norms' gains
 *     m    = beta1 * m + (1 - beta1) * coef * g
 *     v    = beta2 * v + (1 - beta2) * (coef * g)^2
 *     p   -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
 */
import * as tf from "@tensorflow/tfjs";
import { adamWStep } from "../../src/ops/adamw_step.ts";
import { globalNormSquared } from "../../src/ops/global_norm_squared.ts";

export interface AdamWOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Global L2 norm to clip to; 0 for no clipping. */
  maxGradNorm: number;
}

/** What one update uses besides the gradients. */
export interface UpdateValues {
  learningRate: number;
  weightDecay: number;
  /** The gradients are sums over this many batches. */
  accumulated: number;
}

/** Sees every parameter just before and just after its update (for weight statistics). */
export interface UpdateObserver {
  before(name: string, parameter: tf.Variable): void;
  after(name: string, parameter: tf.Variable): void;
}

export class AdamW {
  /** Updates made so far. Set it when a checkpoint is restored. */
  updates = 0;
  /** First and second moments by parameter name, shaped like the parameter. */
  readonly moments: ReadonlyMap<string, { m: tf.Variable; v: tf.Variable }>;
  private readonly parameters: ReadonlyMap<string, tf.Variable>;
  private readonly options: AdamWOptions;

  constructor(parameters: ReadonlyMap<string, tf.Variable>, options: AdamWOptions) {
    this.parameters = parameters;
    this.options = options;
    this.moments = new Map(
      Array.from(parameters, ([name, parameter]) => [name, { m: zerosLike(parameter), v: zerosLike(parameter) }]),
    );
  }

  /**
   * One update of all parameters.
   * @param gradients by parameter name, one for each parameter; not disposed
   * @returns L2 norm of the averaged gradients before clipping. If it is not finite, nothing has been changed.
   */
  update(gradients: ReadonlyMap<string, tf.Tensor>, values: UpdateValues, observer?: UpdateObserver): number {
    const { beta1, beta2, epsilon, maxGradNorm } = this.options;
    const updates = Array.from(this.parameters, ([name, param]) => ({
      name,
      param,
      grad: gradientOf(gradients, name),
      ...this.moments.get(name)!,
      weightDecay: param.rank > 1 ? values.weightDecay : 0,
    }));
    const norm = Math.sqrt(globalNormSquared(updates.map(({ grad }) => grad))) / values.accumulated;
    if (!Number.isFinite(norm)) return norm;

    const clip = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (norm + 1e-6)) : 1;
    this.updates++;
    const attributes = {
      learningRate: values.learningRate,
      beta1,
      beta2,
      epsilon,
      step: this.updates,
      gradScale: clip / values.accumulated,
    };
    if (observer === undefined) {
      adamWStep(updates, attributes);
      return norm;
    }
    for (const update of updates) {
      observer.before(update.name, update.param);
      adamWStep([update], attributes);
      observer.after(update.name, update.param);
    }
    return norm;
  }

  dispose(): void {
    for (const { m, v } of this.moments.values()) {
      m.dispose();
      v.dispose();
    }
  }
}

function zerosLike(parameter: tf.Variable): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zerosLike(parameter), false));
}

function gradientOf(gradients: ReadonlyMap<string, tf.Tensor>, name: string): tf.Tensor {
  const gradient = gradients.get(name);
  if (gradient === undefined) throw new Error(`no gradient for ${name}`);
  return gradient;
}
