/** One weight update: forward and backward over one or more batches, clipping, the optimizer. */
import * as tf from "@tensorflow/tfjs";
import type { BackwardPrecision } from "../src/config/backward_precision.ts";
import { UserError } from "../src/errors/user_error.ts";
import type { CausalLM } from "../src/model/causal_lm.ts";
import { duringBackwardPass } from "../src/ops/backward_pass.ts";
import { type LinearObserver, observingLinears } from "../src/ops/linear_observer.ts";
import { type BatchLoss, batchLoss, type LossValues } from "./losses/loss.ts";
import { defaultLoss, type LossOptions } from "./losses/registry.ts";
import type { TeacherScores } from "./losses/teacher.ts";
import type { Optimizer, UpdateObserver } from "./optimizers/optimizer.ts";

/** What a step needs of a batch: token ids and next-token targets (negative: not counted), rows of sequenceLength. */
export interface TokenBatch {
  ids: Int32Array;
  targets: Int32Array;
  sequenceLength: number;
  /** What the teacher expects at each place, if the loss asks one. */
  teacher?: TeacherScores;
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
  /** Changes the weights while gradients are taken; returns what changes them back. */
  perturb?: () => (() => void) | null;
  /** Layers keep only their inputs for the backward pass; default false. */
  recomputesLayers?: boolean;
  /** Share of the values of residual branches and of the embedding that are set to 0; default 0. */
  dropout?: number;
  /** Default: the mean of the cross-entropy. */
  loss?: LossOptions;
}

/** Sees what a step does, and changes no bit of it. */
export interface StepObserver {
  /** Of the first batch's forward pass. */
  linears?: LinearObserver;
  updates?: UpdateObserver;
}

/** The losses are means over the batches, before the update. */
export interface StepResult extends LossValues {
  /** L2 norm of the loss's gradient before clipping. */
  gradNorm: number;
}

/**
 * Updates the model once with the gradient of the loss of `batches`: their mean, or sum.
 * @throws {NonFiniteError} before anything is changed, if the loss or a gradient is not finite.
 */
export function trainStep(
  model: CausalLM,
  optimizer: Optimizer,
  batches: readonly TokenBatch[],
  values: StepValues,
  observer: StepObserver = {},
): StepResult {
  const {
    step,
    learningRate,
    weightDecay,
    precision = "f32",
    seed = 0,
    recomputesLayers,
    dropout,
    loss: options = defaultLoss,
  } = values;
  const gradients = new Map<string, tf.Tensor>();
  const losses: LossValues[] = [];
  let restore = values.perturb?.();
  try {
    for (const [microStep, batch] of batches.entries()) {
      const pass = { precision, seed, step, microStep, freesGradients: true, recomputesLayers, dropout };
      const linears = (microStep === 0 && observer.linears) || null;
      const loss = observingLinears(linears, () =>
        duringBackwardPass(pass, () => accumulateGradients(model, batch, gradients, options)),
      );
      if (!Number.isFinite(loss.value)) throw new NonFiniteError(`step ${step}: the loss is ${loss.value}`);
      losses.push(loss);
    }
    restore?.();
    restore = null;
    const gradNorm = optimizer.update(
      gradients,
      {
        step: values.optimizerStep ?? step,
        learningRate,
        weightDecay,
        accumulated: options.reduction === "sum" ? 1 : batches.length,
      },
      observer.updates,
    );
    if (!Number.isFinite(gradNorm)) throw new NonFiniteError(`step ${step}: the gradient norm is ${gradNorm}`);
    return { ...meanLosses(losses), gradNorm };
  } finally {
    restore?.();
    for (const gradient of gradients.values()) gradient.dispose();
  }
}

function meanLosses(losses: readonly LossValues[]): LossValues {
  const mean = (part: (losses: LossValues) => number) =>
    losses.reduce((sum, each) => sum + part(each), 0) / losses.length;
  const names = Object.keys(losses[0].terms);
  return {
    loss: mean(({ loss }) => loss),
    terms: Object.fromEntries(names.map((name) => [name, mean(({ terms }) => terms[name])])),
  };
}

/** Adds the batch's gradients to `gradients` by parameter name; returns its loss: what is descended, and its parts. */
function accumulateGradients(
  model: CausalLM,
  batch: TokenBatch,
  gradients: Map<string, tf.Tensor>,
  options: LossOptions,
): LossValues & { value: number } {
  const shape: [number, number] = [batch.ids.length / batch.sequenceLength, batch.sequenceLength];
  const ids = tf.tensor2d(batch.ids, shape, "int32");
  const targets = tf.tensor2d(batch.targets, shape, "int32");
  let batchLosses: BatchLoss | undefined;
  const { value, grads } = tf.variableGrads(() => {
    batchLosses = batchLoss(model, ids, targets, batch, options);
    return batchLosses.value;
  }, [...model.parameters.values()]);
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
  const total = value.dataSync()[0];
  tf.dispose([value, ids, targets]);
  return { value: total, ...batchLosses!.parts(total) };
}
