/** A run that is resumed with another length: allowed while the schedule's past would have been the same. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runTraining } from "../../cli/train_run.ts";
import { hasNative } from "../support/tfjs_backends.ts";
import { expectSameRun, metricsOf } from "../support/tiny_run.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "length-"));
  vi.stubEnv("BITNET_CACHE", path.join(folder, "cache"));
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
});
afterAll(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const common = ["training.checkpoint_every=4", "training.keep_checkpoints=9", "training.eval_every=1"];

/** `bitnet-train --config tiny.yaml --out OUT --set ...`, or with `--resume` and the run's own configuration. */
async function train(out: string, sets: string[], resume = false): Promise<string> {
  const directory = path.join(folder, out);
  await runTraining(
    {
      config: resume ? undefined : "tiny.yaml",
      out: directory,
      data: undefined,
      set: resume ? sets : [...common, ...sets],
      resume,
      backend: hasNative ? "native" : "wasm",
      threads: 1,
      seed: undefined,
      "init-from": undefined,
      tracker: undefined,
      "until-step": undefined,
      dashboard: undefined,
      "dry-run": false,
    },
    new AbortController().signal,
  );
  return directory;
}

/** What is written to stderr meanwhile. */
async function remarksOf(run: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const spy = vi.spyOn(console, "error").mockImplementation((line: string) => lines.push(line));
  await run();
  spy.mockRestore();
  return lines;
}

/** As if the process had died just after the checkpoint of `step`. */
function backTo(directory: string, step: number): void {
  const checkpoints = path.join(directory, "checkpoints");
  const names = readdirSync(checkpoints).filter((name) => name.startsWith("step-"));
  for (const name of names) {
    if (Number(name.slice(5)) > step) rmSync(path.join(checkpoints, name), { recursive: true });
  }
  writeFileSync(path.join(checkpoints, "latest"), `step-${String(step).padStart(8, "0")}\n`);
}

describe("a run with the schedule wsd", () => {
  const wsd = ["schedule.type=wsd", "schedule.decay_steps=3"];
  const length = (steps: number) => `training.max_steps=${steps}`;

  it("is made longer while its rate is stable, to the bits of a run of that length", async () => {
    const whole = await train("longer-whole", [...wsd, length(10)]);
    const directory = await train("longer", [...wsd, length(7)]);
    expect(metricsOf(directory).map(({ phase }) => phase)).toEqual([
      ...["warmup", "warmup", "stable", "stable"],
      ...["decay", "decay", "decay"],
    ]);
    backTo(directory, 4);
    await train("longer", [length(10)], true);
    expectSameRun(directory, whole);
    expect(readFileSync(path.join(directory, "config.yaml"), "utf8")).toMatch(/max_steps: 10\n/);
  });

  it("comes to its decay early", async () => {
    const whole = await train("shorter-whole", [...wsd, length(7)]);
    const directory = await train("shorter", [...wsd, length(12)]);
    backTo(directory, 4);
    await train("shorter", [length(7)], true);
    expectSameRun(directory, whole);
  });

  it("is made longer after its decay, with a remark, and never shorter than it is", async () => {
    const directory = await train("decayed", [...wsd, length(7)]);
    await expect(train("decayed", [length(6)], true)).rejects.toThrow(
      "training.max_steps is 6, and the run has made 7 steps already",
    );
    expect(await remarksOf(() => train("decayed", [length(10)], true))).toEqual([
      "note: the rates of the schedule wsd depend on training.max_steps: from step 8 on they are those of 10 steps; the steps 5 to 7 were made with those of 7",
    ]);
    expect(metricsOf(directory).map(({ phase }) => phase)).toEqual([
      ...["warmup", "warmup", "stable", "stable"],
      ...Array(6).fill("decay"),
    ]);
  });
});

it("a constant rate may be given a decay", async () => {
  const sets = ["schedule.type=wsd", "schedule.decay_steps=2"];
  const whole = await train("branch-whole", [...sets, "training.max_steps=6"]);
  const directory = await train("branch", ["schedule.type=constant", "training.max_steps=4"]);
  await train("branch", [...sets, "schedule.min_ratio=0.1", "training.max_steps=6"], true);
  expectSameRun(directory, whole);
});

it("a rate that falls from the beginning to the end is another one after the change, which the run keeps", async () => {
  const directory = await train("cosine", ["training.max_steps=4", "schedule.warmup_steps=1"]);
  const [remark] = await remarksOf(() => train("cosine", ["training.max_steps=8"], true));
  expect(remark).toContain("from step 5 on they are those of 8 steps; the steps 2 to 4 were made with those of 4");
  expect(metricsOf(directory)).toHaveLength(8);
  const read = (name: string) => readFileSync(path.join(directory, name), "utf8");
  expect(read("config.yaml")).toMatch(/max_steps: 8\n[\s\S]*# +after step 4 \([\d-]+\): training.max_steps 4 -> 8\n$/);
  expect(JSON.parse(read("changes.jsonl"))).toMatchObject({ step: 4, key: "training.max_steps", before: 4, now: 8 });
  const { starts, step } = JSON.parse(read("environment.json"));
  expect([step, starts.map((start: { step: number }) => start.step)]).toEqual([4, [0, 4]]);
});
