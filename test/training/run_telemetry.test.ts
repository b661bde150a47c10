/** Telemetry in the folder of a run: the same in each of its files, and after an interruption what it was. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunDirectory, readRows } from "../../training/run_directory.ts";
import type { TelemetryRow } from "../../training/telemetry/telemetry_row.ts";
import { maskedCrc32c } from "../../training/tensorboard/crc32c.ts";
import { eventFiles } from "../../training/tensorboard/event_file.ts";
import { type ReadEvent, readEvents } from "../support/event_reader.ts";
import { metricsOf, newestCheckpointBytes, openTrainer, prepareTinyRun, type TinyRun } from "../support/tiny_run.ts";

const sets = [
  "training.max_steps=7",
  "training.log_every=3",
  "training.eval_every=0",
  "training.checkpoint_every=4",
  "training.sample_every=4",
  "training.sample_max_tokens=3",
  "telemetry.every=2",
  "telemetry.histograms_every=3",
];

let folder: string;
let run: TinyRun;
let whole: string;

/** Trains in a folder to `stop`, or to the end. */
async function train(name: string, stop?: number, of: TinyRun = run): Promise<string> {
  const directory = path.join(folder, name);
  const controller = new AbortController();
  const training = await openTrainer(of, directory);
  await training.run({
    listener: { onStep: (step) => step === stop && controller.abort() },
    signal: controller.signal,
  });
  training.dispose();
  return directory;
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "telemetry-"));
  run = await prepareTinyRun(folder, sets);
  whole = await train("whole");
});
afterAll(async () => {
  await run.dataset.close();
  rmSync(folder, { recursive: true, force: true });
});

const rowsOf = (directory: string) => readRows<TelemetryRow>(new RunDirectory(directory).telemetryFile);
const eventsOf = (directory: string) => eventFiles(directory).flatMap((file) => readEvents(file, maskedCrc32c));
const points = (events: ReadEvent[]) =>
  events.flatMap(({ step, scalars }) => Object.entries(scalars).map((each) => [step, ...each]));

describe("telemetry.jsonl", () => {
  it("has a row for each tensor on its steps and the last one, histograms on theirs", () => {
    const rows = rowsOf(whole);
    expect([...new Set(rows.map(({ step }) => step))]).toEqual([2, 3, 4, 6, 7]);
    // tiny.yaml: 7 matrices, 4 norms of a layer, embedding, final norm; 4 products and the head.
    expect(rows.filter(({ step }) => step === 4)).toHaveLength(7 + 4 + 2 + 5);
    expect([...new Set(rows.filter((row) => row.weights).map(({ step }) => step))]).toEqual([3, 6, 7]);
    const [down] = rows.filter(({ name }) => name === "model.layers.0.mlp.down_proj.weight");
    expect(down.zero_fraction).toBeGreaterThan(0.2);
    expect(down.zero_fraction).toBeLessThan(0.5);
    expect(down.quantization_error).toBeGreaterThan(0.3);
    expect(down.update_ratio).toBeGreaterThan(0);
  });

  it("agrees with the rows of metrics", () => {
    const metrics = metricsOf(whole).find(({ step }) => step === 6)!;
    const matrices = rowsOf(whole).filter(({ step, kind }) => step === 6 && kind === "matrix");
    const size = ({ name }: TelemetryRow) => (/[kv]_proj/.test(name) ? 1 : 2);
    const total = matrices.reduce((sum, row) => sum + size(row), 0);
    const mean = (key: "zero_fraction" | "flip_rate") =>
      matrices.reduce((sum, row) => sum + size(row) * row[key]!, 0) / total;
    expect(mean("zero_fraction")).toBeCloseTo(metrics.zero_fraction!, 12);
    expect(mean("flip_rate")).toBeCloseTo(metrics.flip_rate!, 12);
    const gradients = rowsOf(whole).filter(({ step, gradient_norm }) => step === 6 && gradient_norm !== undefined);
    expect(Math.hypot(...gradients.map((row) => row.gradient_norm!))).toBeCloseTo(metrics.grad_norm, 5);
  });
});

it("telemetry.arrow is the same table", () => {
  const table = tableFromIPC(readFileSync(path.join(whole, "telemetry.arrow")));
  const plain = table.toArray().map((row) => {
    const entries = Object.entries(row.toJSON() as Record<string, unknown>).filter(([, value]) => value !== null);
    return Object.fromEntries(
      entries.map(([key, value]) => {
        if (typeof value !== "object" || value === null) return [key, value];
        const { low, high, counts } = value as { low: number; high: number; counts: Iterable<number> };
        return [key, { low, high, counts: [...counts] }];
      }),
    );
  });
  expect(plain).toEqual(rowsOf(whole));
});

describe("the event file", () => {
  it("has every number of metrics.jsonl and telemetry.jsonl", () => {
    const wanted = metricsOf(whole).flatMap(({ step, ...row }) =>
      Object.entries(row)
        .filter(([, value]) => typeof value === "number")
        .map(([key, value]) => [step, `metrics/${key}`, Math.fround(Number(value))]),
    );
    for (const { step, name, kind: _, weights: _w, gradients: _g, activations: _a, ...numbers } of rowsOf(whole)) {
      const tensor = name.replace(/\.weight$/, "");
      for (const [key, value] of Object.entries(numbers)) wanted.push([step, `${key}/${tensor}`, Math.fround(value)]);
    }
    const sorted = (all: unknown[][]) => all.map((each) => JSON.stringify(each)).sort();
    expect(sorted(points(eventsOf(whole)))).toEqual(sorted(wanted));
  });

  it("has the histograms, samples, the recipe and its keys", () => {
    const events = eventsOf(whole);
    const row = rowsOf(whole).find((each) => each.activations)!;
    const { counts, min, max } = events.flatMap(({ histograms }) => histograms[`activations/${row.name}`] ?? [])[0];
    expect({ counts, low: min, high: max }).toEqual(row.activations);
    const samples = events.flatMap(({ step, texts }) => (texts.sample === undefined ? [] : [step]));
    expect(samples).toEqual([4, 7]);
    expect(events.find(({ texts }) => texts.config)!.texts.config).toContain("    model:\n      hidden_size: 256\n");
    expect(Object.keys(events.find(({ plugins }) => Object.keys(plugins).length > 0)!.plugins)).toHaveLength(2);
  });

  it("is not written where the recipe says so", async () => {
    const quiet = {
      ...run,
      config: {
        ...run.config,
        telemetry: { ...run.config.telemetry, tensorboard: false, every: 0, histograms_every: 0 },
      },
    };
    const directory = await train("quiet", undefined, quiet);
    expect(eventFiles(directory)).toEqual([]);
    expect(existsSync(path.join(directory, "telemetry.jsonl"))).toBe(false);
    expect(existsSync(path.join(directory, "telemetry.arrow"))).toBe(false);
    // Telemetry changed no bit of the other run.
    const wanted = newestCheckpointBytes(whole);
    for (const [name, bytes] of Object.entries(newestCheckpointBytes(directory))) {
      expect(bytes.equals(wanted[name]), name).toBe(true);
    }
  });
});

it("an interrupted run has the same rows, and takes back what it tells a second time", async () => {
  const directory = await train("interrupted", 5);
  // As after a kill: what lies behind the checkpoint of step 4 is made again.
  rmSync(path.join(directory, "checkpoints", "step-00000005"), { recursive: true });
  const latest = path.join(directory, "checkpoints", "latest");
  writeFileSync(latest, "step-00000004\n");
  await train("interrupted");
  expect(rowsOf(directory)).toEqual(rowsOf(whole));
  const files = eventFiles(directory).map((file) => readEvents(file, maskedCrc32c));
  expect(files).toHaveLength(2);
  const restart = files[1].find(({ startsSession }) => startsSession)!;
  expect(restart.step).toBe(5);
  // What TensorBoard keeps: the first file's steps before the restart, and the second file.
  const kept = [...files[0].filter(({ step }) => step < restart.step), ...files[1]];
  const timeless = (all: unknown[][]) => all.filter(([, tag]) => tag !== "metrics/tokens_per_second");
  expect(timeless(points(kept))).toEqual(timeless(points(eventsOf(whole))));
});
