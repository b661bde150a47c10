/** What a run shows while it goes: one line written again and again on a terminal, one plain line per metrics row elsewhere. */
import { formatDuration } from "../training/duration.ts";
import type { MetricsRow } from "../training/metrics.ts";
import type { RunListener } from "../training/training_run.ts";
import type { ValidationResult } from "../training/validation.ts";
import { Progress, type ProgressOptions } from "./progress.ts";

const zeros = ({ zero_fraction: share }: Partial<MetricsRow>) =>
  share === undefined ? "" : `zeros ${(100 * share).toFixed(1)}%`;
const flips = ({ flip_rate: rate }: Partial<MetricsRow>) =>
  rate === undefined ? "" : `flips ${(100 * rate).toFixed(3)}%`;
/** Nothing on the final grid, also that of a run without stages. */
const stage = ({ stage: name, stage_value: value }: Partial<MetricsRow>) =>
  name === undefined || name === "final" ? "" : `stage ${name}${value === undefined ? "" : ` ${value.toFixed(3)}`}`;
const speed = ({ tokens_per_second: speed }: Partial<MetricsRow>) => (speed === undefined ? "" : `${speed} tokens/s`);

/**
 * "step 100/500", "loss 2.345", "val 2.401 (3.12 bits/byte)", ... A rate of 0, at the end of a decay, is not told: such an
 * update moves nothing.
 */
export function metricsFields(row: MetricsRow, maxSteps: number, secondsLeft: number): string[] {
  const bits = row.bits_per_byte === undefined ? "" : ` (${row.bits_per_byte.toFixed(3)} bits/byte)`;
  const fields = [
    `step ${row.step}/${maxSteps}`,
    `loss ${row.loss.toFixed(4)}`,
    row.val_loss === undefined ? "" : `val ${row.val_loss.toFixed(4)}${bits}`,
    stage(row),
    row.learning_rate > 0 ? `lr ${row.learning_rate.toExponential(2)}` : "",
    zeros(row),
    row.flip_rate === 0 && row.learning_rate === 0 ? "" : flips(row),
    speed(row),
    row.step < maxSteps ? `ETA ${formatDuration(secondsLeft)}` : "",
  ];
  return fields.filter((field) => field !== "");
}

export interface TrainingProgressOptions extends Pick<ProgressOptions, "env" | "now"> {
  maxSteps: number;
  /** Steps made before this process (a resumed run). */
  startStep: number;
  stream: NodeJS.WriteStream;
}

/** Shows a run. Call {@link close} at its end, whatever the end. */
export class TrainingProgress implements RunListener {
  private readonly maxSteps: number;
  private readonly progress: Progress;
  private row: Partial<MetricsRow> = {};
  private step: number;

  constructor({ maxSteps, startStep, ...options }: TrainingProgressOptions) {
    this.maxSteps = maxSteps;
    this.step = startStep;
    this.progress = new Progress({ ...options, lines: "none" });
    this.progress.update("training", startStep, maxSteps);
  }

  onStep(step: number, loss: number): void {
    this.step = step;
    const { row } = this;
    // In a narrow window the time left is told before the speed, and the speed before what the weights do.
    this.progress.update("training", step, this.maxSteps, [
      { text: `step ${step}/${this.maxSteps}`, rank: 1 },
      { text: `loss ${loss.toFixed(3)}`, rank: 2 },
      { text: zeros(row), rank: 5 },
      { text: flips(row), rank: 4 },
      { text: speed(row), rank: 3 },
    ]);
  }

  onStart({ loss, bitsPerByte }: ValidationResult): void {
    if (loss === undefined) return;
    const bits = bitsPerByte === undefined ? "" : ` (${bitsPerByte.toFixed(3)} bits/byte)`;
    this.progress.print(`before the first step: val ${loss.toFixed(4)}${bits}`);
  }

  onMetrics(row: MetricsRow): void {
    this.row = row;
    // The line that is written again shows the training loss already.
    if (this.progress.redraws && row.val_loss === undefined && row.step < this.maxSteps) return;
    const left = this.progress.secondsLeft(this.step, this.maxSteps) ?? 0;
    this.progress.printFields(metricsFields(row, this.maxSteps, left));
  }

  onSample(step: number, text: string): void {
    this.progress.print(`sample at step ${step}: ${JSON.stringify(text)}`);
  }

  /** Unbound by its caller. */
  onRemark = (line: string): void => {
    this.progress.print(`note: ${line}`);
  };

  onCheckpoint(_step: number, directory: string): void {
    this.progress.print(`checkpoint ${directory}`);
  }

  close(): void {
    this.progress.close();
  }
}
