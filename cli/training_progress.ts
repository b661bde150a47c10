/** What a run shows while it goes: a progress bar on a terminal, one plain line per metrics row elsewhere. */
import { formatDuration } from "../training/duration.ts";
import type { MetricsRow } from "../training/metrics.ts";
import type { RunListener } from "../training/training_run.ts";
import { Progress } from "./progress.ts";

/** "step 100/500  loss 2.345  val 2.401 (3.12 bits/byte)  ...". */
export function formatMetrics(row: MetricsRow, maxSteps: number, secondsLeft: number): string {
  const bits = row.bits_per_byte === undefined ? "" : ` (${row.bits_per_byte.toFixed(3)} bits/byte)`;
  const parts = [
    `step ${row.step}/${maxSteps}`,
    `loss ${row.loss.toFixed(4)}`,
    row.val_loss === undefined ? "" : `val ${row.val_loss.toFixed(4)}${bits}`,
    `lr ${row.learning_rate.toExponential(2)}`,
    row.zero_fraction === undefined ? "" : `zeros ${(100 * row.zero_fraction).toFixed(1)}%`,
    row.flip_rate === undefined ? "" : `flips ${(100 * row.flip_rate).toFixed(3)}%`,
    `${row.tokens_per_second} tokens/s`,
    `ETA ${formatDuration(secondsLeft)}`,
  ];
  return parts.filter((part) => part !== "").join("  ");
}

export interface TrainingProgressOptions {
  maxSteps: number;
  /** Steps made before this process (a resumed run). */
  startStep: number;
  stream: NodeJS.WriteStream;
}

/** Shows a run. Call {@link close} at its end, whatever the end. */
export class TrainingProgress implements RunListener {
  private readonly maxSteps: number;
  private readonly isTerminal: boolean;
  private readonly progress: Progress;
  private tokensPerSecond = "-";
  private step: number;

  constructor({ maxSteps, startStep, stream }: TrainingProgressOptions) {
    this.maxSteps = maxSteps;
    this.step = startStep;
    this.isTerminal = stream.isTTY;
    this.progress = new Progress({ stream, lines: "none" });
    this.progress.update("training", startStep, maxSteps);
  }

  onStep(step: number, loss: number): void {
    this.step = step;
    const details = [`step ${step}/${this.maxSteps}`, `loss ${loss.toFixed(3)}`, `${this.tokensPerSecond} tokens/s`];
    this.progress.update("training", step, this.maxSteps, details);
  }

  onMetrics(row: MetricsRow): void {
    this.tokensPerSecond = String(row.tokens_per_second);
    // The bar shows the training loss already.
    if (this.isTerminal && row.val_loss === undefined) return;
    this.progress.print(formatMetrics(row, this.maxSteps, this.progress.secondsLeft(this.step, this.maxSteps) ?? 0));
  }

  onSample(step: number, text: string): void {
    this.progress.print(`sample at step ${step}: ${JSON.stringify(text)}`);
  }

  onCheckpoint(_step: number, directory: string): void {
    this.progress.print(`checkpoint ${directory}`);
  }

  close(): void {
    this.progress.close();
  }
}
