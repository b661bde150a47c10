/**
 * The training loop: batches -> loss -> gradients -> clipping -> optimizer, with metrics, validation, samples and
 * checkpoints on their steps.
 *
 * Everything that the weights depend on is a function of the configuration, the data and the step, so a resumed run
 * ends in the bits of an uninterrupted one.
 */
import { resolveModelConfig } from "../src/config/model_config.ts";
import { TfjsLanguageModel } from "../src/language_model/tfjs_language_model.ts";
import { CausalLM } from "../src/model/causal_lm.ts";
import type { Compute } from "../src/ops/compute.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";
import type { StartableConfig } from "./config/resolve_backward_precision.ts";
import { optimizerOf, scheduleOf } from "./config/run_parts.ts";
import type { BatchIterator } from "./data/batch_iterator.ts";
import type { PreparedDataset } from "./data/prepared_dataset.ts";
import { writeLossPlot } from "./loss_plot.ts";
import type { MetricsRow } from "./metrics.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { appendRow, type RunDirectory, readRows, syncRows, truncateRows } from "./run_directory.ts";
import type { Schedule, ScheduledValues } from "./schedules/schedule.ts";
import { stepKernels } from "./step_kernels.ts";
import { NonFiniteError, passValues, type StepResult, trainStep } from "./train_step.ts";
import {
  latestCheckpoint,
  readTrainerState,
  restoreTensors,
  saveTrainingCheckpoint,
  TrainingCheckpointError,
} from "./training_checkpoint.ts";
import { nextBatches, tokensPerUpdate } from "./update_batches.ts";
import { type ValidationResult, validate } from "./validation.ts";
import { WeightStatistics } from "./weight_statistics.ts";

/** What the loop tells while it runs. */
export interface TrainerListener {
  onStep?(step: number, loss: number): void;
  onMetrics?(row: MetricsRow): void;
  onSample?(step: number, text: string): void;
  onCheckpoint?(step: number, directory: string): void;
}

export interface TrainerOptions {
  /** Resolved: `model.vocab_size` is the tokenizer's, the backward precision is one of this machine. */
  config: StartableConfig;
  tokenizer: Tokenizer;
  dataset: PreparedDataset;
  directory: RunDirectory;
  compute: Compute;
}

export interface RunOptions {
  listener?: TrainerListener;
  /** Ends the run after the step at hand. */
  signal?: AbortSignal;
}

export type TrainingEnd = "finished" | "interrupted";

export class Trainer {
  readonly model: CausalLM;
  /** Updates made. */
  step = 0;
  private readonly options: TrainerOptions;
  private listener: TrainerListener = {};
  private readonly optimizer: Optimizer;
  private readonly schedule: Schedule;
  private readonly batches: BatchIterator;
  /** Training loss since the last metrics row. */
  private lossSum = 0;
  private lossSteps = 0;
  /** Seconds and steps of training since the last metrics row of this process. */
  private seconds = 0;
  private timedSteps = 0;

  constructor(options: TrainerOptions) {
    const { config } = options;
    this.options = options;
    this.model = new CausalLM(resolveModelConfig(config.model), { seed: config.training.seed });
    this.optimizer = optimizerOf(config, this.model);
    this.schedule = scheduleOf(config);
    this.batches = options.dataset.trainBatches({
      batchSize: config.training.batch_size,
      seed: config.training.seed,
    });
  }

  /**
   * Goes back to the newest checkpoint, or to the start if there is none yet, and drops the metrics after it.
   * @returns a line to tell if the run does not go on to the bits that it would have had, else null.
   * @throws {TrainingCheckpointError} if the data or the tokenizer is another one than the checkpoint's.
   */
  async resume(): Promise<string | null> {
    const { directory, dataset, tokenizer, config } = this.options;
    let note: string | null = null;
    const checkpoint = latestCheckpoint(directory.checkpoints);
    if (checkpoint !== undefined) {
      const state = readTrainerState(checkpoint);
      if (state.tokenizerHash !== tokenizer.hash) {
        throw new TrainingCheckpointError(`${checkpoint}: was trained with another tokenizer`);
      }
      if (state.dataset !== dataset.key) {
        throw new TrainingCheckpointError(
          `${checkpoint}: the data has changed since; resume with the same files, or start a new run`,
        );
      }
      await restoreTensors(checkpoint, this.model, this.optimizer);
      this.batches.restore(state.dataCursor);
      this.step = state.step;
      this.lossSum = state.lossSum;
      this.lossSteps = state.lossSteps;
      if (state.roundingKeys === undefined && config.training.backward_precision === "int8") {
        note = "int8 rounding draws are keyed by layer now: other draws than an earlier version's, with the same mean";
      }
    }
    truncateRows(directory.metricsFile, this.step);
    truncateRows(directory.samplesFile, this.step);
    return note;
  }

  /**
   * Trains up to `training.max_steps`. When `signal` aborts, the step at hand is finished and checkpointed first.
   * @throws {NonFiniteError} when the loss or the gradient is not finite; earlier checkpoints stay.
   */
  async run({ listener = {}, signal }: RunOptions = {}): Promise<TrainingEnd> {
    this.listener = listener;
    // What ran before this run is not to be reported.
    this.options.compute.kernel(this.kernels);
    const { max_steps } = this.options.config.training;
    while (this.step < max_steps) {
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

  dispose(): void {
    this.model.dispose();
    this.optimizer.dispose();
  }

  /** Fused ops that a step runs, where the backend has them. */
  private get kernels(): readonly string[] {
    return [...stepKernels, ...this.optimizer.kernels];
  }

  /** One update, and what is due after it. */
  private async advance(): Promise<void> {
    const { config } = this.options;
    const { max_steps, log_every, eval_every, sample_every, checkpoint_every } = config.training;
    const step = this.step + 1;
    const isDue = (every: number) => step === max_steps || (every > 0 && step % every === 0);
    const logs = isDue(log_every) || isDue(eval_every);

    const values = this.schedule.values(step);
    const statistics = logs ? new WeightStatistics(this.model.config) : undefined;
    const { loss, gradNorm } = await this.update(step, values, statistics);
    this.step = step;
    this.lossSum += loss;
    this.lossSteps++;
    this.listener.onStep?.(step, loss);

    if (logs) {
      await this.writeMetrics({
        learning_rate: values.learningRate,
        weight_decay: values.weightDecay,
        phase: values.phase,
        grad_norm: gradNorm,
        zero_fraction: statistics?.zeroFraction,
        flip_rate: statistics?.flipRate,
        validates: isDue(eval_every),
      });
    }
    if (sample_every > 0 && isDue(sample_every)) await this.sample();
    if (isDue(checkpoint_every)) await this.checkpoint();
  }

  private async update(
    step: number,
    { learningRate, weightDecay }: ScheduledValues,
    statistics?: WeightStatistics,
  ): Promise<StepResult> {
    const { config, directory } = this.options;
    const started = performance.now();
    try {
      const batches = await nextBatches(this.batches, config.training.gradient_accumulation_steps);
      return trainStep(
        this.model,
        this.optimizer,
        batches,
        { step, learningRate, weightDecay, ...passValues(config) },
        statistics,
      );
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error;
      const kept = latestCheckpoint(directory.checkpoints);
      throw new NonFiniteError(
        `${error.message}; training stopped, ${kept ? `the last good checkpoint is ${kept}` : "no checkpoint yet"}; ` +
          `try a lower optimizer.learning_rate (now ${config.optimizer.learning_rate}) or a longer schedule.warmup_steps`,
      );
    } finally {
      this.seconds += (performance.now() - started) / 1000;
      this.timedSteps++;
    }
  }

  private async writeMetrics(
    row: Pick<MetricsRow, "learning_rate" | "weight_decay" | "phase" | "grad_norm" | "zero_fraction" | "flip_rate"> & {
      validates: boolean;
    },
  ): Promise<void> {
    const { config, compute, directory } = this.options;
    const { validates, ...values } = row;
    const tokensPerStep = tokensPerUpdate(config);
    const validation = validates ? await this.validate() : undefined;
    const metrics: MetricsRow = {
      step: this.step,
      tokens: this.step * tokensPerStep,
      loss: this.lossSum / this.lossSteps,
      val_loss: validation?.loss,
      bits_per_byte: validation?.bitsPerByte,
      ...values,
      tokens_per_second: Math.round((this.timedSteps * tokensPerStep) / this.seconds),
      backward_precision: config.training.backward_precision,
      backend: compute.backend,
      kernel: compute.kernel(this.kernels),
      threads: compute.threads,
    };
    this.lossSum = 0;
    this.lossSteps = 0;
    this.seconds = 0;
    this.timedSteps = 0;
    appendRow(directory.metricsFile, metrics);
    this.listener.onMetrics?.(metrics);
  }

  private validate(): Promise<ValidationResult> {
    const { batch_size, eval_batches } = this.options.config.training;
    const limit = eval_batches > 0 ? eval_batches : undefined;
    return validate(this.model, this.options.dataset.validationBatches({ batchSize: batch_size, limit }));
  }

  /** Continues the prompt, or begins a document if there is none. */
  private async sample(): Promise<void> {
    const { config, tokenizer, directory } = this.options;
    const { sample_prompt, sample_max_tokens, sample_temperature, seed } = config.training;
    const ids = tokenizer.encode(sample_prompt);
    const context = ids.length > 0 ? ids : [tokenizer.bosTokenId ?? tokenizer.eosTokenId ?? 0];
    const writer = new TfjsLanguageModel({ name: directory.path, model: this.model, tokenizer });
    const maxTokens = Math.min(sample_max_tokens, writer.maxLength - context.length);
    const [text] = await writer.generateUntil([
      { context, until: [], maxTokens, temperature: sample_temperature, seed: seed + this.step },
    ]);
    appendRow(directory.samplesFile, { step: this.step, prompt: sample_prompt, text: text! });
    this.listener.onSample?.(this.step, text!);
  }

  private async checkpoint(): Promise<void> {
    const { config, tokenizer, dataset, directory } = this.options;
    syncRows(directory.metricsFile);
    const saved = await saveTrainingCheckpoint(
      directory.checkpoints,
      {
        model: this.model,
        tokenizer,
        optimizer: this.optimizer,
        state: {
          format: 1,
          roundingKeys: "layer",
          step: this.step,
          dataCursor: this.batches.state(),
          dataset: dataset.key,
          tokenizerHash: tokenizer.hash,
          lossSum: this.lossSum,
          lossSteps: this.lossSteps,
          config,
        },
      },
      config.training.keep_checkpoints,
    );
    writeLossPlot(directory.plotFile, readRows<MetricsRow>(directory.metricsFile));
    this.listener.onCheckpoint?.(this.step, saved);
  }
}
