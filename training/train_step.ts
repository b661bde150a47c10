/** One weight update: forward and backward over one or more batches, clipping, the optimizer. */
import * as tf from "@tensorflow/tfjs";
import type { BackwardPrecision } from "../src/config/backward_precision.ts";
import { UserError } from "../src/errors/user_error.ts";
import type { CausalLM } from "../src/model/causal_lm.ts";
import { duringBackwardPass } from "../src/ops/backward_pass.ts";
import { type LinearObserver, observingLinears } from "../src/ops/linear_observer.ts";
import type { Optimizer, UpdateObserver } from "./optimizers/optimizer.ts";

/** What a step needs of a batch: token ids and next-token targets (negative: not counted), rows of sequenceLength. */
export interface TokenBatch {
  ids: Int32Array;
  targets: Int32Array;
  sequenceLength: number;
}

/** A training step met a loss or gradient that is NaN or infinite. The weights are those before the step. */
export class NonFiniteError extends UserError {
  override name = "NonFiniteError";
}

export interface StepValues {
  /** Number of the update, from 1. */
  step: number;
  /** What the optimizer counts it as: updates since its state was new; default `step`. */
  optimizerStep?: number;
  learningRate: number;
  weightDecay: number;
  /** Of the backward products; default f32. */
  precision?: BackwardPrecision;
  /** Of stochastic rounding; default 0. */
  seed?: number;
  /** Layers keep only their inputs for the backward pass; default false. */
  recomputesLayers?: boolean;
}

/** Sees what a step does, and changes no bit of it. */
export interface StepObserver {
  /** Of the first batch's forward pass. */
  linears?: LinearObserver;
  updates?: UpdateObserver;
}

export interface StepResult {
  /** Mean loss of the batches before the update, nats per token. */
  loss: number;
  /** L2 norm of the averaged gradients before clipping. */
  gradNorm: number;
}

/**
 * Updates the model once with the mean gradient of `batches`.
 * @throws {NonFiniteError} before anything is changed, if the loss or a gradient is not finite.
 */
export function trainStep(
  model: CausalLM,
  optimizer: Optimizer,
  batches: readonly TokenBatch[],
  values: StepValues,
  observer: StepObserver = {},
): StepResult {
  const { step, learningRate, weightDecay, precision = "f32", seed = 0, recomputesLayers } = values;
  const gradients = new Map<string, tf.Tensor>();
  let lossSum = 0;
  try {
    for (const [microStep, batch] of batches.entries()) {
      const pass = { precision, seed, step, microStep, freesGradients: true, recomputesLayers };
      const linears = (microStep === 0 && observer.linears) || null;
      const loss = observingLinears(linears, () =>
        duringBackwardPass(pass, () => accumulateGradients(model, batch, gradients)),
      );
      if (!Number.isFinite(loss)) throw new NonFiniteError(`step ${step}: the loss is ${loss}`);
      lossSum += loss;
    }
    const gradNorm = optimizer.update(
      gradients,
      { step: values.optimizerStep ?? step, learningRate, weightDecay, accumulated: batches.length },
      observer.updates,
    );
    if (!Number.isFinite(gradNorm)) throw new NonFiniteError(`step ${step}: the gradient norm is ${gradNorm}`);
    return { loss: lossSum / batches.length, gradNorm };
  } finally {
    for (const gradient of gradients.values()) gradient.dispose();
  }
}

/** Adds the batch's gradients to `gradients` by parameter name; returns its loss. */
function accumulateGradients(model: CausalLM, batch: TokenBatch, gradients: Map<string, tf.Tensor>): number {
  const shape: [number, number] = [batch.ids.length / batch.sequenceLength, batch.sequenceLength];
  const ids = tf.tensor2d(batch.ids, shape, "int32");
  const targets = tf.tensor2d(batch.targets, shape, "int32");
  const { value, grads } = tf.variableGrads(() => model.loss(ids, targets), [...model.parameters.values()]);
  for (const [name, parameter] of model.parameters) {
    // A parameter that the stage at hand does not use has no gradient.
    const gradient = grads[parameter.name] ?? tf.zerosLike(parameter);
    const sum = gradients.get(name);
    if (sum === undefined) {
      gradients.set(name, gradient);
      continue;
    }
    gradients.set(name, tf.add(sum, gradient));
    sum.dispose();
    gradient.dispose();
  }
  const loss = value.dataSync()[0];
  tf.dispose([value, ids, targets]);
  return loss;
}
