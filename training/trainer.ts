/**
 * The training loop: batches -> loss -> gradients -> clipping -> optimizer, with metrics, validation, samples and
 * checkpoints on their steps. It touches no files: listeners write what it tells (see training_run.ts).
 *
 * Everything that the weights depend on is a function of the options, the data and the step, so a restored run ends in
 * the bits of an uninterrupted one.
 */
import type { BackwardPrecision } from "../src/config/backward_precision.ts";
import { TfjsLanguageModel } from "../src/language_model/tfjs_language_model.ts";
import type { CausalLM } from "../src/model/causal_lm.ts";
import type { Compute } from "../src/ops/compute.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";
import type { MatrixCorrections } from "./corrections/matrix_corrections.ts";
import type { BatchCursor, BatchIterator } from "./data/batch_iterator.ts";
import type { PreparedDataset } from "./data/prepared_dataset.ts";
import { defaultLoss, type LossOptions, lossKernels } from "./losses/registry.ts";
import type { Teacher } from "./losses/teacher.ts";
import type { MetricsRow } from "./metrics.ts";
import { type NamedTensor, type Optimizer, resetState } from "./optimizers/optimizer.ts";
import type { Schedule, ScheduleStep } from "./schedules/schedule.ts";
import { beginLearning } from "./staging/begin_learning.ts";
import { type Stage, type Staging, stagePrecision } from "./staging/staging.ts";
import { stepKernels } from "./step_kernels.ts";
import { StepTelemetry } from "./telemetry/step_telemetry.ts";
import { dueTelemetry, type TelemetryOptions } from "./telemetry/telemetry_options.ts";
import type { TelemetryRow } from "./telemetry/telemetry_row.ts";
import { type StepResult, trainStep } from "./train_step.ts";
import { nextBatches, type Teaching } from "./update_batches.ts";
import { type ValidationResult, validate } from "./validation.ts";
import { WeightAverage } from "./weight_average.ts";

/** What the loop tells while it runs. It waits for promises. */
export interface TrainerListener {
  onStep?(step: number, loss: number): void;
  onMetrics?(row: MetricsRow): void;
  /** All rows of a step. */
  onTelemetry?(step: number, rows: readonly TelemetryRow[]): void;
  onSample?(step: number, text: string): void;
  /** A checkpoint is due: `model`, `state()` and `progress()` are all that has to be stored. */
  onCheckpoint?(step: number): Promise<void> | void;
}

/** When something is due: every so many steps (0: never), and at the last one. */
export interface TrainerIntervals {
  log: number;
  eval: number;
  checkpoint: number;
  sample: number;
}

export interface SampleOptions {
  tokenizer: Tokenizer;
  /** What the model continues; empty: it begins a document. */
  prompt: string;
  maxTokens: number;
  /** 0 takes the likeliest token. */
  temperature: number;
}

export interface TrainerOptions {
  model: CausalLM;
  optimizer: Optimizer;
  schedule: Schedule;
  /** What the model quantizes by at each step; missing: what it does already. */
  staging?: Staging;
  /** Of the latent weights after each update; missing: none. */
  corrections?: MatrixCorrections;
  /** Default: the mean of the cross-entropy. */
  loss?: LossOptions;
  /** Needed where `loss` has a distillation. */
  teacher?: Teacher;
  dataset: PreparedDataset;
  compute: Compute;
  /** Updates. */
  maxSteps: number;
  /** Sequences in one forward and backward pass. */
  batchSize: number;
  /** Passes whose gradients are averaged into one update. */
  accumulation: number;
  /** Of the order of the data, stochastic rounding and samples. */
  seed: number;
  precision: BackwardPrecision;
  recomputesLayers: boolean;
  /** Share of the values of residual branches and of the embedding that are set to 0 in training; default 0. */
  dropout?: number;
  intervals: TrainerIntervals;
  /** Missing: none. */
  telemetry?: TelemetryOptions;
  /** Of an average of the weights whose validation loss is told, too; default 0: there is none. */
  emaDecay?: number;
  /** Validation batches; 0 for all of them. */
  evalBatches: number;
  /** Needed where `intervals.sample` is not 0. */
  sample?: SampleOptions;
}

/** How far a run is: with the weights and the optimizer's state, all that the rest of it depends on. */
export interface TrainerProgress {
  /** Updates made. */
  step: number;
  dataCursor: BatchCursor;
  /** Training loss summed since the last metrics row, and the number of steps in the sum. */
  lossSum: number;
  lossSteps: number;
  /** The same of the loss's other terms, by name. */
  termSums?: Readonly<Record<string, number>>;
}

export interface RunOptions {
  listeners?: readonly TrainerListener[];
  /** Ends the run after the step at hand. */
  signal?: AbortSignal;
}

/** What the teacher of these options is asked for. */
export function teachingOf({ loss, teacher }: Pick<TrainerOptions, "loss" | "teacher">): Teaching | undefined {
  if (loss?.distillation === undefined) return undefined;
  if (teacher === undefined) throw new RangeError("loss.distillation needs the option teacher");
  return { teacher, count: loss.distillation.top_k || teacher.vocabSize };
}

export type TrainingEnd = "finished" | "interrupted";

export class Trainer {
  readonly model: CausalLM;
  readonly optimizer: Optimizer;
  /** Updates made. */
  step = 0;
  private readonly options: TrainerOptions;
  private listeners: readonly TrainerListener[] = [];
  private readonly batches: BatchIterator;
  private readonly average?: WeightAverage;
  /** Of the last checkpoint that was told, or restored from. */
  private checkpointStep = -1;
  /** Training loss since the last metrics row. */
  private lossSum = 0;
  private lossSteps = 0;
  private termSums: Record<string, number> = {};
  /** Seconds and steps of training since the last metrics row of this process. */
  private seconds = 0;
  private timedSteps = 0;
  /** Of the newest update that was observed and had a learning rate above 0. */
  private moved: StepTelemetry | undefined;

  constructor(options: TrainerOptions) {
    this.options = options;
    this.model = options.model;
    this.optimizer = options.optimizer;
    if (options.emaDecay) this.average = new WeightAverage(options.model, options.emaDecay);
    this.batches = options.dataset.trainBatches({ batchSize: options.batchSize, seed: options.seed });
  }

  /** The optimizer's tensors and those of the average: what has to be stored beside the model. */
  *state(): Generator<NamedTensor> {
    yield* this.optimizer.state();
    if (this.average) yield* this.average.state();
  }

  /** What has to be stored beside the tensors of {@link state} and of the model. */
  progress(): TrainerProgress {
    const { step, lossSum, lossSteps, termSums } = this;
    return { step, dataCursor: this.batches.state(), lossSum, lossSteps, termSums };
  }

  /** Goes on from there; the tensors of model and {@link state} must be those of that moment. */
  restore({ step, dataCursor, lossSum, lossSteps, termSums = {} }: TrainerProgress): void {
    this.batches.restore(dataCursor);
    this.step = step;
    this.checkpointStep = step;
    this.lossSum = lossSum;
    this.lossSteps = lossSteps;
    this.termSums = { ...termSums };
  }

  /**
   * Trains up to `maxSteps`. When `signal` aborts, the step at hand is finished and its checkpoint is due first.
   * @throws {NonFiniteError} when the loss or the gradient is not finite.
   */
  async run({ listeners = [], signal }: RunOptions = {}): Promise<TrainingEnd> {
    this.listeners = listeners;
    // What ran before this run is not to be reported.
    this.options.compute.kernel(this.kernels);
    while (this.step < this.options.maxSteps) {
      // Lets signals and timers in: the step itself never yields.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (signal?.aborted) {
        await this.checkpoint();
        return "interrupted";
      }
      await this.advance();
    }
    return "finished";
  }

  /** Of the weights as they are now. */
  validation(): Promise<ValidationResult> {
    return this.validate(this.model);
  }

  /** Of the model, the optimizer and the teacher, too. */
  dispose(): void {
    this.model.dispose();
    this.optimizer.dispose();
    this.average?.dispose();
    this.options.teacher?.dispose();
  }

  /** Fused ops that a step runs, where the backend has them. */
  private get kernels(): readonly string[] {
    return [...stepKernels, ...lossKernels(this.options.loss ?? defaultLoss), ...this.optimizer.kernels];
  }

  private get tokensPerStep(): number {
    const { batchSize, accumulation, dataset } = this.options;
    return batchSize * accumulation * dataset.sequenceLength;
  }

  /** One update, and what is due after it. */
  private async advance(): Promise<void> {
    const { maxSteps, intervals, schedule, staging, telemetry } = this.options;
    const step = this.step + 1;
    const isDue = (every: number) => step === maxSteps || (every > 0 && step % every === 0);
    const logs = isDue(intervals.log) || isDue(intervals.eval);

    const values = schedule.values(step);
    const stage = staging?.at(step) ?? { quantization: this.model.quantization };
    this.model.quantization = stage.quantization;
    // A decay to 0 ends in an update that moves nothing: its row tells how the weights moved in the one before.
    const isBeforeStill = step + 1 === maxSteps && schedule.values(maxSteps).learningRate === 0;
    const detail = telemetry ? dueTelemetry(telemetry, step, maxSteps) : null;
    const observes = logs || isBeforeStill || detail !== null;
    const observer = observes ? new StepTelemetry(this.model, detail, stage.quantization.weights) : undefined;
    const result = await this.update(step, values, stage, observer);
    this.average?.update(this.model, step);
    if (values.learningRate > 0 && observer) this.moved = observer;
    this.step = step;
    this.lossSum += result.loss;
    this.lossSteps++;
    for (const [name, value] of Object.entries(result.terms)) this.termSums[name] = (this.termSums[name] ?? 0) + value;
    for (const listener of this.listeners) listener.onStep?.(step, result.loss);

    const told = step === maxSteps && values.learningRate === 0 ? (this.moved ?? observer) : observer;
    if (logs) await this.tellMetrics(values, stage, result, told, isDue(intervals.eval));
    if (detail) for (const listener of this.listeners) listener.onTelemetry?.(step, observer!.rows(step));
    if (intervals.sample > 0 && isDue(intervals.sample)) await this.sample();
    if (isDue(intervals.checkpoint)) await this.checkpoint();
  }

  private async update(
    step: number,
    { learningRate, weightDecay }: ScheduleStep,
    stage: Stage,
    observer?: StepTelemetry,
  ): Promise<StepResult> {
    const { accumulation, corrections, seed, recomputesLayers, dropout, loss } = this.options;
    const { optimizerStart = 0, quantizerStart = 0 } = stage;
    const started = performance.now();
    try {
      const batches = await nextBatches(this.batches, accumulation, teachingOf(this.options));
      if (quantizerStart > 0 && step === quantizerStart + 1) beginLearning(this.model);
      if (optimizerStart > 0 && step === optimizerStart + 1) resetState(this.optimizer);
      if (step === 1) corrections?.start();
      const values = {
        step,
        optimizerStep: step - optimizerStart,
        learningRate,
        weightDecay,
        precision: stagePrecision(this.options.precision, stage.quantization),
        seed,
        perturb: () => corrections?.perturb(step) ?? null,
        recomputesLayers,
        dropout,
        loss,
      };
      const updates = corrections ? corrections.observer(step, learningRate, observer?.updates) : observer?.updates;
      return trainStep(this.model, this.optimizer, batches, values, { linears: observer?.linears, updates });
    } finally {
      this.seconds += (performance.now() - started) / 1000;
      this.timedSteps++;
    }
  }

  private async tellMetrics(
    { learningRate, weightDecay, phase }: ScheduleStep,
    stage: Stage,
    { gradNorm }: StepResult,
    observed: StepTelemetry | undefined,
    validates: boolean,
  ): Promise<void> {
    const { compute, precision } = this.options;
    const validation = validates ? await this.validate(this.model) : undefined;
    const averaged = validates && this.average ? await this.validate(this.average.model) : undefined;
    const metrics: MetricsRow = {
      step: this.step,
      tokens: this.step * this.tokensPerStep,
      loss: this.lossSum / this.lossSteps,
      ...this.termMeans(),
      val_loss: validation?.loss,
      bits_per_byte: validation?.bitsPerByte,
      val_loss_ema: averaged?.loss,
      learning_rate: learningRate,
      weight_decay: weightDecay,
      phase,
      stage: stage.name,
      stage_value: stage.value,
      grad_norm: gradNorm,
      zero_fraction: observed?.updates.zeroFraction,
      flip_rate: observed?.updates.flipRate,
      tokens_per_second: Math.round((this.timedSteps * this.tokensPerStep) / this.seconds),
      backward_precision: stagePrecision(precision, stage.quantization),
      backend: compute.backend,
      kernel: compute.kernel(this.kernels),
      threads: compute.threads,
    };
    this.lossSum = 0;
    this.lossSteps = 0;
    this.termSums = {};
    this.seconds = 0;
    this.timedSteps = 0;
    for (const listener of this.listeners) listener.onMetrics?.(metrics);
  }

  /** `loss_NAME` of the loss's other terms. */
  private termMeans(): Partial<MetricsRow> {
    const means = Object.entries(this.termSums).map(([name, sum]) => [`loss_${name}`, sum / this.lossSteps]);
    return Object.fromEntries(means);
  }

  private validate(model: CausalLM): Promise<ValidationResult> {
    const { dataset, batchSize, evalBatches } = this.options;
    const limit = evalBatches > 0 ? evalBatches : undefined;
    return validate(model, dataset.validationBatches({ batchSize, limit }));
  }

  /** Continues the prompt, or begins a document if there is none. */
  private async sample(): Promise<void> {
    const { sample, seed } = this.options;
    if (sample === undefined) throw new RangeError("intervals.sample needs the option sample");
    const { tokenizer, prompt, maxTokens, temperature } = sample;
    const ids = tokenizer.encode(prompt);
    const context = ids.length > 0 ? ids : [tokenizer.bosTokenId ?? tokenizer.eosTokenId ?? 0];
    const writer = new TfjsLanguageModel({ name: "training", model: this.model, tokenizer });
    const [text] = await writer.generateUntil([
      {
        context,
        until: [],
        maxTokens: Math.min(maxTokens, writer.maxLength - context.length),
        temperature,
        seed: seed + this.step,
      },
    ]);
    for (const listener of this.listeners) listener.onSample?.(this.step, text);
  }

  /** Tells that a checkpoint is due, unless this step has one. */
  private async checkpoint(): Promise<void> {
    if (this.checkpointStep === this.step) return;
    this.checkpointStep = this.step;
    for (const listener of this.listeners) await listener.onCheckpoint?.(this.step);
  }
}
