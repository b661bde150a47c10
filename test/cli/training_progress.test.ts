/** What a run shows: on terminals of several widths, as a person sees them, and where there is none. */
import { describe, expect, it, test } from "vitest";
import { metricsFields, TrainingProgress } from "../../cli/training_progress.ts";
import { formatDuration } from "../../training/duration.ts";
import type { MetricsRow } from "../../training/metrics.ts";
import { plainStream, Screen } from "../support/screen.ts";

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
const checkpoint = "runs/small/checkpoints/step-00000020";

describe("formatDuration", () => {
  it.each([
    [0, "0:00"],
    [59.4, "0:59"],
    [61, "1:01"],
    [3723, "1:02:03"],
    [-5, "0:00"],
  ])("%d s is %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));
});

describe("metricsFields", () => {
  it("gives a full row", () => {
    expect(metricsFields(row, 500, 65).join("  ")).toBe(
      "step 20/500  loss 3.0242  val 3.2964 (4.784 bits/byte)  lr 2.00e-4  zeros 31.0%  flips 0.181%  2628 tokens/s  ETA 1:05",
    );
  });

  it("leaves out what a row does not have", () => {
    const { val_loss: _, bits_per_byte: __, zero_fraction: ___, flip_rate: ____, ...float } = row;
    expect(metricsFields(float, 500, 65)).toEqual([
      "step 20/500",
      "loss 3.0242",
      "lr 2.00e-4",
      "2628 tokens/s",
      "ETA 1:05",
    ]);
  });

  it("names the stage of a run, until it is on its final grid", () => {
    const fields = (changes: Partial<MetricsRow>) => metricsFields({ ...row, ...changes }, 500, 65);
    expect(fields({ stage: "hestia", stage_value: 0.25 })).toContain("stage hestia 0.250");
    expect(fields({ stage: "float" })).toContain("stage float");
    expect(fields({ stage: "final" })).toEqual(fields({}));
  });

  it("the last row tells neither the time left nor a rate of 0", () => {
    const last = { ...row, step: 500, learning_rate: 0 };
    const tail = ["zeros 31.0%", "flips 0.181%", "2628 tokens/s"];
    expect(metricsFields(last, 500, 0).slice(3)).toEqual(tail);
    expect(metricsFields({ ...last, flip_rate: 0 }, 500, 0)).not.toContain("flips 0.000%");
  });
});

/** A run's first steps on a screen, in the middle of which its window may change. */
async function shownAt(columns: number, resized = columns) {
  let now = 0;
  const screen = new Screen(columns);
  const progress = new TrainingProgress({
    maxSteps: 500,
    startStep: 0,
    stream: screen.stream,
    now: () => now,
    env: {},
  });
  now = 1000;
  progress.onStep(20, 3.5);
  progress.onMetrics(row);
  progress.onCheckpoint(20, checkpoint);
  progress.onStep(21, 3.5);
  if (resized !== columns) await screen.resize(resized);
  screen.echo("^C");
  await new Promise((resolve) => setTimeout(resolve, 110));
  const during = await screen.rows();
  progress.onSample(21, "the cat");
  progress.close();
  return { screen, during, after: await screen.rows() };
}

describe("on a terminal", () => {
  test.each([
    [
      40,
      [
        "step 20/500  loss 3.0242",
        "  val 3.2964 (4.784 bits/byte)",
        "  lr 2.00e-4  zeros 31.0%  flips 0.181%",
        "  2628 tokens/s  ETA 0:24",
        "checkpoint",
        checkpoint,
      ],
      "step 21/500  loss 3.500  ETA 0:23",
    ],
    [
      80,
      [
        "step 20/500  loss 3.0242  val 3.2964 (4.784 bits/byte)  lr 2.00e-4  zeros 31.0%",
        "  flips 0.181%  2628 tokens/s  ETA 0:24",
        `checkpoint ${checkpoint}`,
      ],
      "4%  step 21/500  loss 3.500  zeros 31.0%  flips 0.181%  2628 tokens/s  ETA 0:23",
    ],
    [
      200,
      [
        "step 20/500  loss 3.0242  val 3.2964 (4.784 bits/byte)  lr 2.00e-4  zeros 31.0%  flips 0.181%  2628 tokens/s  ETA 0:24",
        `checkpoint ${checkpoint}`,
      ],
      `training  █${"░".repeat(23)}  4%  step 21/500  loss 3.500  zeros 31.0%  flips 0.181%  2628 tokens/s  ETA 0:23`,
    ],
  ])("of %i columns whole fields are shown, and one line is written again", async (columns, above, status) => {
    const { screen, during, after } = await shownAt(columns);
    expect(during.slice(0, -1)).toEqual(above);
    // What the terminal echoes is written over by the next drawing at the latest.
    expect(during.at(-1)!.slice(2)).toBe(status.slice(2));
    expect(after).toEqual([...above, 'sample at step 21: "the cat"']);
    // A prompt begins on a line of its own, and the cursor was never hidden.
    expect(await screen.cursor()).toEqual([after.length, 0]);
    expect(screen.written).not.toContain("\x1b[?25l");
  });

  test("what others write goes above the status line, which stays whole", async () => {
    const screen = new Screen(80);
    const progress = new TrainingProgress({ maxSteps: 500, startStep: 0, stream: screen.stream, env: {} });
    const { write } = screen.stream;
    progress.onStep(20, 3.5);
    screen.stream.write("warning: one\n");
    expect(await screen.rows()).toEqual(["warning: one", expect.stringMatching(/^training .* step 20\/500/)]);
    progress.close();
    expect(screen.stream.write).not.toBe(write);
    screen.stream.write("two\n");
    expect(await screen.rows()).toEqual(["warning: one", "two"]);
  });

  test("a window that is made narrower or wider keeps one status line", async () => {
    for (const [from, to] of [
      [100, 45],
      [45, 100],
    ]) {
      const { during, after } = await shownAt(from, to);

      expect(during.filter((line) => line.includes("ep 21/"))).toHaveLength(1);
      expect(after.at(-1)).toBe('sample at step 21: "the cat"');
      expect(after.filter((line) => line.includes("ep 21/"))).toEqual([]);
    }
  });
});

test.each([[{ TERM: "dumb" }], [{ CI: "true" }], [{ NO_COLOR: "1" }]])("plain lines under %o", (env) => {
  const screen = new Screen(80);
  const progress = new TrainingProgress({ maxSteps: 500, startStep: 0, stream: screen.stream, env });
  progress.onStep(20, 3);
  progress.onMetrics(row);
  progress.close();
  expect(screen.written).toMatch(/^step 20\/500 .*ETA \d+:\d\d\n$/);
});

test("plain lines where there is no terminal", () => {
  const { stream, text } = plainStream();
  const progress = new TrainingProgress({ maxSteps: 500, startStep: 0, stream });
  progress.onStep(20, 3);
  progress.onMetrics(row);
  progress.onCheckpoint(20, checkpoint);
  progress.onSample(20, "a\nb");
  progress.close();
  const lines = text().trimEnd().split("\n");
  expect(lines[0]).toMatch(/^step 20\/500 .*ETA \d+:\d\d$/);
  expect(lines.slice(1)).toEqual([`checkpoint ${checkpoint}`, 'sample at step 20: "a\\nb"']);
  expect(text()).not.toContain("\x1b");
});
