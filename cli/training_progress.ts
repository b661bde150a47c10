/** What a run shows while it goes: a progress bar on a terminal, one plain line per metrics row elsewhere. */
import { Presets, SingleBar } from "cli-progress";
import { formatDuration } from "../training/duration.ts";
import type { MetricsRow } from "../training/metrics.ts";
import type { RunListener } from "../training/training_run.ts";

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

export interface ProgressOptions {
  maxSteps: number;
  /** Steps made before this process (a resumed run). */
  startStep: number;
  stream: NodeJS.WriteStream;
}

/** Shows a run. Call {@link close} at its end, whatever the end. */
export class TrainingProgress implements RunListener {
  private readonly options: ProgressOptions;
  private readonly started = performance.now();
  private readonly bar: SingleBar | undefined;
  private tokensPerSecond = "-";
  private step: number;

  constructor(options: ProgressOptions) {
    this.options = options;
    this.step = options.startStep;
    if (!options.stream.isTTY) return;
    this.bar = new SingleBar(
      {
        stream: options.stream,
        format: "{bar} {value}/{total}  loss {loss}  {speed} tokens/s  ETA {left}",
        barsize: 24,
        hideCursor: true,
        gracefulExit: false,
      },
      Presets.shades_classic,
    );
    this.bar.start(options.maxSteps, options.startStep, { loss: "-", speed: "-", left: "-" });
  }

  onStep(step: number, loss: number): void {
    this.step = step;
    const left = formatDuration(this.secondsLeft());
    this.bar?.update(step, { loss: loss.toFixed(3), speed: this.tokensPerSecond, left });
  }

  onMetrics(row: MetricsRow): void {
    this.tokensPerSecond = String(row.tokens_per_second);
    // The bar shows the training loss already.
    if (this.bar === undefined || row.val_loss !== undefined) {
      this.print(formatMetrics(row, this.options.maxSteps, this.secondsLeft()));
    }
  }

  onSample(step: number, text: string): void {
    this.print(`sample at step ${step}: ${JSON.stringify(text)}`);
  }

  onCheckpoint(_step: number, directory: string): void {
    this.print(`checkpoint ${directory}`);
  }

  close(): void {
    this.bar?.stop();
  }

  /** A line of its own, above the bar if there is one. */
  print(line: string): void {
    // The bar draws itself again on the next line.
    const clear = this.bar ? "\r\x1b[K" : "";
    this.options.stream.write(`${clear}${line}\n`);
  }

  private secondsLeft(): number {
    const done = this.step - this.options.startStep;
    if (done === 0) return 0;
    const seconds = (performance.now() - this.started) / 1000;
    return (seconds / done) * (this.options.maxSteps - this.step);
  }
}
