/**
 * What turns gradients into new weights. An optimizer is a list of parameter groups, each with an update rule: clipping
 * by the global norm, the state of every parameter and the loop over them are here, once for all rules.
 *
 *     coef = min(1, max_norm / (norm + 1e-6))         norm over all gradients together, torch.nn.utils.clip_grad_norm_
 *
 * The same gradients give the same bits on any number of threads.
 */
import * as tf from "@tensorflow/tfjs";
import type { z } from "zod";
import type { ParameterKind } from "../../src/model/parameters.ts";
import { globalNormSquared } from "../../src/ops/global_norm_squared.ts";

/** Sums of gradients by parameter name. */
export type Gradients = ReadonlyMap<string, tf.Tensor>;

/** What one update uses besides the gradients. */
export interface UpdateValues {
  /** Number of the update, from 1. */
  step: number;
  learningRate: number;
  weightDecay: number;
  /** The gradients are sums over this many batches. */
  accumulated: number;
}

/** Sees every parameter just before and just after its update (for telemetry). Changes nothing. */
export interface UpdateObserver {
  /** @param gradient the sum over `batches` batches, before clipping; only valid during the call */
  before(name: string, parameter: tf.Variable, gradient: tf.Tensor, batches: number): void;
  after(name: string, parameter: tf.Variable): void;
}

/** A tensor of an optimizer's state, float32, shaped like its parameter. */
export interface NamedTensor {
  /** `m.model.norm.weight`: as checkpoints name it. */
  name: string;
  tensor: tf.Variable;
}

export interface Optimizer {
  /** Of the configuration: `adamw`. */
  readonly type: string;
  /** Fused ops that have run after an update, where the backend has them. */
  readonly kernels: readonly string[];
  /**
   * One update of all parameters.
   * @param gradients one for each parameter; not disposed
   * @returns L2 norm of the averaged gradients before clipping. If it is not finite, nothing has been changed.
   */
  update(gradients: Gradients, values: UpdateValues, observer?: UpdateObserver): number;
  /** Everything that the next update depends on besides its arguments: read to be stored, assigned to be restored. */
  state(): Iterable<NamedTensor>;
  dispose(): void;
}

/** Bytes of an optimizer's state, in memory and in a checkpoint. */
export function stateBytes(optimizer: Optimizer): number {
  return Array.from(optimizer.state(), ({ tensor }) => 4 * tensor.size).reduce((sum, bytes) => sum + bytes, 0);
}

/** Sets an optimizer's state to that of a new one. */
export function resetState(optimizer: Optimizer): void {
  for (const { tensor } of optimizer.state()) tf.tidy(() => tensor.assign(tf.zerosLike(tensor)));
}

/** A parameter as an optimizer sees it. */
export interface OptimizedParameter {
  name: string;
  kind: ParameterKind;
  variable: tf.Variable;
}

/** One parameter in an update. */
export interface ParameterUpdate<Slot extends string = string> {
  parameter: tf.Variable;
  gradient: tf.Tensor;
  state: Readonly<Record<Slot, tf.Variable>>;
  weightDecay: number;
}

/** What the parameters of one update share. */
export interface RuleValues {
  /** Number of the update, from 1. */
  step: number;
  learningRate: number;
  /** Multiplies the gradient: clipping coefficient times 1 / accumulated batches. */
  gradScale: number;
}

/** The formula of an optimizer: changes parameters and their state in place. */
export interface UpdateRule<Slot extends string = string> {
  /** Fused ops that it runs, where the backend has them. */
  readonly kernels: readonly string[];
  /** State of a parameter, tensors of its shape, zero at first; stored as `SLOT.PARAMETER`. */
  readonly slots: readonly Slot[];
  update(updates: readonly ParameterUpdate<Slot>[], values: RuleValues): void;
}

/** Parameters that are updated alike. A parameter belongs to the first group that takes its kind. */
export interface ParameterGroup {
  /** Missing: every kind. */
  kinds?: readonly ParameterKind[];
  rule: UpdateRule;
  /** Times the scheduled learning rate. */
  learningRateScale: number;
  /** True if weight decay shrinks them. */
  decays: boolean;
}

/** What the file of an optimizer exports. */
export interface OptimizerDefinition<Schema extends z.ZodObject = z.ZodObject> {
  /** The keys of section `optimizer` for this `type`; `learning_rate` and `weight_decay` are the schedule's peaks. */
  schema: Schema;
  groups(options: z.output<Schema>): ParameterGroup[];
}

/** Lets TypeScript derive the options' type from the schema. */
export function defineOptimizer<Schema extends z.ZodObject>(
  definition: OptimizerDefinition<Schema>,
): OptimizerDefinition<Schema> {
  return definition;
}

interface GroupedParameter {
  name: string;
  variable: tf.Variable;
  group: ParameterGroup;
  state: Record<string, tf.Variable>;
}

/** The {@link Optimizer} made of groups. */
export class GroupedOptimizer implements Optimizer {
  readonly type: string;
  readonly kernels: readonly string[];
  private readonly parameters: readonly GroupedParameter[];
  private readonly maxGradNorm: number;

  /** @param maxGradNorm global L2 norm to clip to; 0 for no clipping */
  constructor(
    type: string,
    groups: readonly ParameterGroup[],
    parameters: readonly OptimizedParameter[],
    maxGradNorm: number,
  ) {
    this.type = type;
    this.maxGradNorm = maxGradNorm;
    this.parameters = parameters.map(({ name, kind, variable }) => {
      const group = groups.find(({ kinds }) => kinds === undefined || kinds.includes(kind));
      if (group === undefined) throw new Error(`${type}: no group for ${name}, a parameter of kind ${kind}`);
      const state = Object.fromEntries(group.rule.slots.map((slot) => [slot, zerosLike(variable)]));
      return { name, variable, group, state };
    });
    const kernels = this.parameters.flatMap(({ group }) => group.rule.kernels);
    this.kernels = [...new Set(["GlobalNormSquared", ...kernels])];
  }

  update(gradients: Gradients, values: UpdateValues, observer?: UpdateObserver): number {
    const ordered = this.parameters.map(({ name }) => gradientOf(gradients, name));
    const norm = Math.sqrt(globalNormSquared(ordered)) / values.accumulated;
    if (!Number.isFinite(norm)) return norm;

    const clip = this.maxGradNorm > 0 ? Math.min(1, this.maxGradNorm / (norm + 1e-6)) : 1;
    const run = (parameters: readonly GroupedParameter[]) => {
      const { rule, learningRateScale } = parameters[0].group;
      const updates = parameters.map(({ name, variable, group, state }) => ({
        parameter: variable,
        gradient: gradientOf(gradients, name),
        state,
        weightDecay: group.decays ? values.weightDecay : 0,
      }));
      rule.update(updates, {
        step: values.step,
        learningRate: values.learningRate * learningRateScale,
        gradScale: clip / values.accumulated,
      });
    };
    if (observer === undefined) {
      for (const parameters of this.togetherUpdated()) run(parameters);
      return norm;
    }
    for (const parameter of this.parameters) {
      observer.before(parameter.name, parameter.variable, gradientOf(gradients, parameter.name), values.accumulated);
      run([parameter]);
      observer.after(parameter.name, parameter.variable);
    }
    return norm;
  }

  *state(): Generator<NamedTensor> {
    for (const { name, state } of this.parameters) {
      for (const [slot, tensor] of Object.entries(state)) yield { name: `${slot}.${name}`, tensor };
    }
  }

  dispose(): void {
    for (const { tensor } of this.state()) tensor.dispose();
  }

  /** Parameters of one rule and one learning rate: a fused kernel takes them in one call. */
  private togetherUpdated(): GroupedParameter[][] {
    const batches: GroupedParameter[][] = [];
    for (const parameter of this.parameters) {
      const { rule, learningRateScale } = parameter.group;
      const batch = batches.find(([{ group }]) => group.rule === rule && group.learningRateScale === learningRateScale);
      if (batch) batch.push(parameter);
      else batches.push([parameter]);
    }
    return batches;
  }
}

function zerosLike(parameter: tf.Variable): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zerosLike(parameter), false));
}

function gradientOf(gradients: Gradients, name: string): tf.Tensor {
  const gradient = gradients.get(name);
  if (gradient === undefined) throw new Error(`no gradient for ${name}`);
  return gradient;
}
