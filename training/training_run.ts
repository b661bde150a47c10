/**
 * A run in its folder: a {@link Trainer} whose metrics, samples, plot and checkpoints are files there, and that goes on
 * from the newest checkpoint.
 */
import path from "node:path";
import { packageVersion } from "../src/files/package.ts";
import { ChartError } from "../src/report/figures/render_png.ts";
import type { StartableConfig } from "./config/resolve_backward_precision.ts";
import { type RunMaterial, trainerOptionsOf } from "./config/run_parts.ts";
import { stepOperations } from "./config/step_operations.ts";
import { describeEnvironment } from "./environment.ts";
import type { InitialRecord } from "./initial_record.ts";
import { writeLossPlot } from "./loss_plot.ts";
import { watchLoss } from "./loss_watch.ts";
import type { MetricsRow } from "./metrics.ts";
import { appendRow, appendRows, type RunDirectory, readRows, syncRows, truncateRows } from "./run_directory.ts";
import { recordSources } from "./run_sources.ts";
import { writeTelemetryTable } from "./telemetry/telemetry_arrow.ts";
import { runEvents } from "./tensorboard/run_events.ts";
import type { Tracker } from "./trackers/tracker.ts";
import { TrackerCalls } from "./trackers/tracker_calls.ts";
import { NonFiniteError } from "./train_step.ts";
import { Trainer, type TrainerListener, type TrainingEnd } from "./trainer.ts";
import {
  latestCheckpoint,
  readTrainerState,
  restoreTensors,
  saveTrainingCheckpoint,
  TrainingCheckpointError,
} from "./training_checkpoint.ts";
import type { ValidationResult } from "./validation.ts";

export interface TrainingRunOptions extends RunMaterial {
  /** Resolved: `model.vocab_size` is the tokenizer's, the backward precision is one of this machine. */
  config: StartableConfig;
  directory: RunDirectory;
}

/** Hears what a trainer tells once it is written, and where checkpoints lie. */
export interface RunListener extends Omit<TrainerListener, "onCheckpoint"> {
  onCheckpoint?(step: number, directory: string): void;
  /** The weights of `init_from` have been looked at, before the first step. */
  onStart?(validation: ValidationResult): void;
  /** A line to tell; default: on stderr. */
  onRemark?(line: string): void;
}

/** How {@link TrainingRun.run} is called. */
export interface RunCall {
  listener?: RunListener;
  /** Ends the run after the step at hand. */
  signal?: AbortSignal;
  /** Get the numbers of the run, too. */
  trackers?: readonly Tracker[];
}

/**
 * A new run in its folder, or one that goes on there (then call `resume`): creates the folder and writes what a run is
 * made with.
 * @param command as environment.json will name it
 * @throws {TrainingCheckpointError} if the data or the tokenizer is another one than the run's.
 */
export function beginRun(options: TrainingRunOptions, command: readonly string[] = process.argv.slice(1)): TrainingRun {
  const { directory, tokenizer, compute, config, dataset, initial } = options;
  checkData(options);
  if (initial !== undefined) checkInitial(directory, initial.record);
  compute.fitThreads?.(stepOperations(config));
  directory.create();
  directory.writeTokenizer(tokenizer);
  const precision = config.training.backward_precision;
  const checkpoint = latestCheckpoint(directory.checkpoints);
  const step = checkpoint === undefined ? 0 : readTrainerState(checkpoint).step;
  directory.writeEnvironment(describeEnvironment(compute, packageVersion(), command, precision, step));
  directory.writeConfig(config, step);
  directory.writeData(recordSources(config, dataset.key, directory.path));
  if (initial !== undefined) directory.writeInitial(initial.record);
  return new TrainingRun(options);
}

/** A run goes on with the same text, whatever it is called now. @throws {TrainingCheckpointError} */
function checkData({ directory, dataset, tokenizer }: TrainingRunOptions): void {
  const checkpoint = latestCheckpoint(directory.checkpoints);
  const state = checkpoint === undefined ? undefined : readTrainerState(checkpoint);
  const where = checkpoint ?? directory.path;
  if (state !== undefined && state.tokenizerHash !== tokenizer.hash) {
    throw new TrainingCheckpointError(`${where}: was trained with another tokenizer`);
  }
  const known = state?.dataset ?? directory.readData()?.dataset;
  if (known !== undefined && known !== dataset.key) {
    throw new TrainingCheckpointError(
      `${where}: the data has changed since; name the same text with --data, wherever it lies now, or start a new run`,
    );
  }
}

/** A run that was begun, and died before its first checkpoint, begins with the same weights. @throws {TrainingCheckpointError} */
function checkInitial(directory: RunDirectory, { source, files }: InitialRecord): void {
  const known = directory.readInitial();
  if (known === null || JSON.stringify(known.files) === JSON.stringify(files)) return;
  throw new TrainingCheckpointError(`${directory.path}: init_from ${source} has changed since the run was begun`);
}

export class TrainingRun {
  private readonly options: TrainingRunOptions;
  private readonly trainer: Trainer;
  private hasNoPlot = false;

  constructor(options: TrainingRunOptions) {
    this.options = options;
    this.trainer = new Trainer(trainerOptionsOf(options.config, options));
  }

  /** Updates made. */
  get step(): number {
    return this.trainer.step;
  }

  /**
   * Goes back to the newest checkpoint, or to the start if there is none yet, and drops the metrics after it.
   * @returns a line to tell if the run does not go on to the bits that it would have had, else null.
   * @throws {TrainingCheckpointError} if the data or the tokenizer is another one than the checkpoint's.
   */
  async resume(): Promise<string | null> {
    const { directory, config } = this.options;
    checkData(this.options);
    let note: string | null = null;
    const checkpoint = latestCheckpoint(directory.checkpoints);
    if (checkpoint !== undefined) {
      const state = readTrainerState(checkpoint);
      await restoreTensors(checkpoint, this.trainer.model, this.trainer);
      this.trainer.restore(state);
      if (state.roundingKeys === undefined && config.training.backward_precision === "int8") {
        note = "int8 rounding draws are keyed by layer now: other draws than an earlier version's, with the same mean";
      }
    }
    truncateRows(directory.metricsFile, this.step);
    truncateRows(directory.samplesFile, this.step);
    truncateRows(directory.telemetryFile, this.step);
    return note;
  }

  /**
   * Trains to the end. When `signal` aborts, the step at hand is finished and checkpointed first.
   * @throws {NonFiniteError} when the loss or the gradient is not finite; earlier checkpoints stay.
   */
  async run({ listener = {}, signal, trackers = [] }: RunCall = {}): Promise<TrainingEnd> {
    const tracked = this.tracked(trackers, listener);
    let end: TrainingEnd | "failed" = "failed";
    const { directory } = this.options;
    directory.forgetFailure();
    try {
      await this.begin(listener);
      const listeners = [...this.events(), this.recorder(listener), ...tracked];
      end = await this.trainer.run({ listeners, signal });
      return end;
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error;
      directory.writeFailure({ step: this.step + 1, reason: error.message });
      throw this.withAdvice(error);
    } finally {
      await Promise.all(tracked.map((calls) => calls.finish(end)));
    }
  }

  /** Keeps what `init_from` gave, so that it is not needed again, and tells its loss. */
  private async begin({ onStart }: RunListener): Promise<void> {
    const { directory, config, initial } = this.options;
    if (latestCheckpoint(directory.checkpoints) !== undefined) return;
    if (initial === undefined) {
      if (config.init_from === undefined) return;
      throw new RangeError("init_from needs the option initial: see loadInitialModel");
    }
    await this.save();
    const validation = await this.trainer.validation();
    const { loss: val_loss, bitsPerByte: bits_per_byte } = validation;
    directory.writeInitial({ ...initial.record, val_loss, bits_per_byte });
    onStart?.(validation);
  }

  dispose(): void {
    this.trainer.dispose();
  }

  private tracked(trackers: readonly Tracker[], { onRemark = console.error }: RunListener): TrackerCalls[] {
    const { directory, config } = this.options;
    const folder = path.resolve(directory.path);
    const run = {
      name: path.basename(folder),
      project: path.basename(path.dirname(folder)),
      directory: folder,
      config,
      step: this.step,
    };
    return trackers.map((tracker) => new TrackerCalls(tracker, run, onRemark));
  }

  /** TensorBoard's, if steps are left to tell of. */
  private events(): TrainerListener[] {
    const { directory, config } = this.options;
    if (!config.telemetry.tensorboard || this.step >= config.training.max_steps) return [];
    return [runEvents(directory.path, config, this.step)];
  }

  private recorder(listener: RunListener): TrainerListener {
    const { directory, config, tokenizer } = this.options;
    const { onRemark = console.error } = listener;
    const watch = watchLoss({
      vocabSize: tokenizer.vocabSize,
      maxSteps: config.training.max_steps,
      warmupSteps: config.schedule.warmup_steps,
      learningRate: config.optimizer.learning_rate,
    });
    return {
      onStep: (step, loss) => {
        listener.onStep?.(step, loss);
        const remark = watch(step, loss);
        if (remark !== null) onRemark(remark);
      },
      onMetrics: (row) => {
        appendRow(directory.metricsFile, row);
        listener.onMetrics?.(row);
      },
      onTelemetry: (step, rows) => {
        appendRows(directory.telemetryFile, rows);
        listener.onTelemetry?.(step, rows);
      },
      onSample: (step, text) => {
        appendRow(directory.samplesFile, { step, prompt: config.training.sample_prompt, text });
        listener.onSample?.(step, text);
      },
      onCheckpoint: async (step) => {
        const saved = await this.save();
        writeTelemetryTable(directory.telemetryTableFile, directory.telemetryFile);
        await this.plot(listener);
        listener.onCheckpoint?.(step, saved);
      },
    };
  }

  private async save(): Promise<string> {
    const { config, tokenizer, dataset, directory } = this.options;
    const { model } = this.trainer;
    syncRows(directory.metricsFile);
    syncRows(directory.telemetryFile);
    const { step, dataCursor, lossSum, lossSteps, termSums } = this.trainer.progress();
    const state = {
      format: 1 as const,
      roundingKeys: "layer" as const,
      step,
      dataCursor,
      dataset: dataset.key,
      tokenizerHash: tokenizer.hash,
      lossSum,
      lossSteps,
      termSums,
      config,
    };
    const saved = await saveTrainingCheckpoint(
      directory.checkpoints,
      { model, tokenizer, trainer: this.trainer, state },
      config.training.keep_checkpoints,
    );
    return saved;
  }

  /** A plot that cannot be drawn is told once, and is no reason to stop. */
  private async plot({ onRemark = console.error }: RunListener): Promise<void> {
    const { directory } = this.options;
    if (this.hasNoPlot) return;
    try {
      await writeLossPlot(directory.plotFile, readRows<MetricsRow>(directory.metricsFile));
    } catch (error) {
      if (!(error instanceof ChartError)) throw error;
      this.hasNoPlot = true;
      onRemark(`no ${path.basename(directory.plotFile)}: ${error.message}`);
    }
  }

  private withAdvice({ message }: NonFiniteError): NonFiniteError {
    const { directory, config } = this.options;
    const kept = latestCheckpoint(directory.checkpoints);
    return new NonFiniteError(
      `${message}; training stopped, ${kept ? `the last good checkpoint is ${kept}` : "no checkpoint yet"}; ` +
        `try a lower optimizer.learning_rate (now ${config.optimizer.learning_rate}) or a longer schedule.warmup_steps`,
    );
  }
}
