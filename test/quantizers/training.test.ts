/** Runs with quantizers and graphs that are not BitNet's: they learn, resume to the same bits, and their checkpoints say all. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCausalLM, openCheckpoint, readParameter } from "../../src/checkpoint/checkpoint.ts";
import { weightQuantizerOf } from "../../src/config/model_quantizers.ts";
import { initialValues } from "../../src/model/initialization.ts";
import { modelParameters } from "../../src/model/parameters.ts";
import { expectSameRun, prepareTinyRun, reproducibleMetrics, trainUntil } from "../support/tiny_run.ts";

const steps = 6;
const seed = 7;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "quantizers-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function train(sets: readonly string[], name: string, stops: readonly number[]): Promise<string> {
  const directory = path.join(folder, name);
  const run = await prepareTinyRun(folder, [
    ...sets,
    `training.max_steps=${steps}`,
    "training.checkpoint_every=2",
    "training.log_every=1",
    "training.allow_unpackable=true",
    `training.seed=${seed}`,
  ]);
  for (const stop of [...stops, steps]) await trainUntil(run, directory, stop);
  await run.dataset.close();
  return directory;
}

async function trainWholeAndInterrupted(sets: readonly string[]): Promise<string> {
  const whole = await train(sets, `whole ${sets}`, []);
  const interrupted = await train(sets, `interrupted ${sets}`, [1, 3]);
  expectSameRun(interrupted, whole);
  const metrics = reproducibleMetrics(whole);
  expect(metrics.at(-1)!.loss!).toBeLessThan(metrics[0].loss!);
  return whole;
}

describe.each([
  ["absmean_ternary_row", "absmean_ternary_row"],
  [
    "{type: absmean_ternary_group, group_size: 64}",
    { type: "absmean_ternary_group", group_size: 64, product: "integers" },
  ],
  ["absmedian_ternary", "absmedian_ternary"],
  ["{type: lsq_ternary, scale_per: row}", { type: "lsq_ternary", scale_per: "row" }],
])("%s", (description, stored) => {
  it("learns, and resumes to the same bits", async () => {
    const whole = await trainWholeAndInterrupted([`model.weight_quantizer=${description}`]);
    const metrics = reproducibleMetrics(whole);
    expect(metrics.at(-1)!.zero_fraction).toBeGreaterThan(0.15);
    // LSQ begins with the most: its first step is twice the mean magnitude.
    expect(metrics.at(-1)!.zero_fraction).toBeLessThan(0.6);

    const checkpoint = await openCheckpoint(whole);
    expect(checkpoint.configJson.weight_quantizer).toEqual(stored);
    expect(checkpoint.config.weightQuantizer).toEqual(stored);
    for (const spec of modelParameters(checkpoint.config).filter(({ kind }) => kind === "quantizer")) {
      expect(await readParameter(checkpoint, spec), spec.name).not.toEqual(
        initialValues(spec, checkpoint.config, seed),
      );
    }
    const model = await loadCausalLM(checkpoint);
    expect(weightQuantizerOf(model.config)!.name).toBe(typeof stored === "string" ? stored : stored.type);
    model.dispose();
    await checkpoint.tensors.close();
  });
});

it("another graph with the largest activations learns, and resumes to the same bits", async () => {
  const keys = {
    activation_quantizer: { type: "topk_int8", keep: 0.4 },
    use_hadamard: true,
    norm_placement: "every_linear",
    feed_forward: "mlp",
  };
  const sets = Object.entries(keys).map(([key, value]) => `model.${key}=${JSON.stringify(value)}`);
  const checkpoint = await openCheckpoint(await trainWholeAndInterrupted(sets));
  expect(checkpoint.configJson).toMatchObject(keys);
  await checkpoint.tensors.close();
});
