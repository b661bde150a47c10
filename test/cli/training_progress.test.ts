import { describe, expect, it } from "vitest";
import { formatMetrics, TrainingProgress } from "../../cli/training_progress.ts";
import { formatDuration } from "../../training/duration.ts";
import type { MetricsRow } from "../../training/metrics.ts";

const row: MetricsRow = {
  step: 20,
  tokens: 2560,
  loss: 3.02421,
  val_loss: 3.29642,
  bits_per_byte: 4.78376,
  learning_rate: 2e-4,
  weight_decay: 0.1,
  grad_norm: 1.45,
  zero_fraction: 0.3096,
  flip_rate: 0.00181,
  tokens_per_second: 2628,
  backward_precision: "f32",
  backend: "native",
  kernel: "avx2",
  threads: 2,
};

/** A stream that keeps what is written. */
function recorder(isTTY: boolean) {
  const written: string[] = [];
  const stream = { isTTY, columns: 120, rows: 40, write: (text: string) => written.push(text) > 0, on: () => {} };
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => written.join("") };
}

describe("formatDuration", () => {
  it.each([
    [0, "0:00"],
    [59.4, "0:59"],
    [61, "1:01"],
    [3723, "1:02:03"],
    [-5, "0:00"],
  ])("%d s is %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));
});

describe("formatMetrics", () => {
  it("gives a full row in one line", () => {
    expect(formatMetrics(row, 500, 65)).toBe(
      "step 20/500  loss 3.0242  val 3.2964 (4.784 bits/byte)  lr 2.00e-4  zeros 31.0%  flips 0.181%  2628 tokens/s  ETA 1:05",
    );
  });

  it("leaves out what a row does not have", () => {
    const { val_loss: _, bits_per_byte: __, zero_fraction: ___, flip_rate: ____, ...float } = row;
    expect(formatMetrics(float, 500, 65)).toBe("step 20/500  loss 3.0242  lr 2.00e-4  2628 tokens/s  ETA 1:05");
  });
});

describe("TrainingProgress", () => {
  it("writes plain lines where there is no terminal", () => {
    const { stream, text } = recorder(false);
    const progress = new TrainingProgress({ maxSteps: 500, startStep: 0, stream });
    progress.onStep(20, 3);
    progress.onMetrics(row);
    progress.onCheckpoint(20, "run/checkpoints/step-00000020");
    progress.onSample(20, "a\nb");
    progress.close();
    const lines = text().trimEnd().split("\n");
    expect(lines[0]).toMatch(/^step 20\/500 .*ETA \d+:\d\d$/);
    expect(lines.slice(1)).toEqual(["checkpoint run/checkpoints/step-00000020", 'sample at step 20: "a\\nb"']);
    expect(text()).not.toContain("\x1b");
  });

  it("draws a bar with loss, speed and time left on a terminal", () => {
    const { stream, text } = recorder(true);
    const progress = new TrainingProgress({ maxSteps: 500, startStep: 0, stream });
    progress.onMetrics(row);
    progress.onStep(21, 3.5);
    progress.close();
    expect(text()).toMatch(/training \S+ 4% {2}step 21\/500 {2}loss 3\.500 {2}2628 tokens\/s {2}ETA \d+:\d\d/);
    expect(text()).toContain("val 3.2964");
  });
});
