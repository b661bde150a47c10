/** Muon and Lion in the training loop: same bits after resuming and on any number of threads, and what they report. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadAddon } from "../../../native/addon.ts";
import { SafetensorsFile } from "../../../src/checkpoint/safetensors_file.ts";
import { trainerOptionsOf } from "../../../training/config/run_parts.ts";
import { estimateRun } from "../../../training/dry_run.ts";
import { latestCheckpoint } from "../../../training/training_checkpoint.ts";
import { titleUnless } from "../../support/missing.ts";
import { hasNative } from "../../support/tfjs_backends.ts";
import { expectSameRun, metricsOf, prepareTinyRun, type TinyRun, trainUntil } from "../../support/tiny_run.ts";

const steps = 8;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "optimizers-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(["muon", "lion"])("%s", (type) => {
  let run: TinyRun;
  let whole: string;
  beforeAll(async () => {
    run = await prepareTinyRun(folder, [`training.max_steps=${steps}`, `optimizer.type=${type}`]);
    whole = path.join(folder, `${type}-whole`);
    await trainUntil(run, whole, steps);
  });
  afterAll(() => run.dataset.close());

  it("learns", () => {
    const rows = metricsOf(whole);
    expect(rows).toHaveLength(steps);
    expect(rows.at(-1)!.loss).toBeLessThan(rows[0].loss - 0.2);
  });

  it("goes on to the same bits from its checkpoints", async () => {
    const directory = path.join(folder, `${type}-interrupted`);
    for (const stopAt of [1, 5, steps]) await trainUntil(run, directory, stopAt);
    expectSameRun(directory, whole);
  });

  it.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "has the same bits on 1 and 3 threads"), async () => {
    const before = loadAddon().threads();
    try {
      for (const threads of [1, 3]) {
        loadAddon().setThreads(threads);
        const directory = path.join(folder, `${type}-threads-${threads}`);
        await trainUntil(run, directory, steps);
        expectSameRun(directory, whole);
      }
    } finally {
      loadAddon().setThreads(before);
    }
  });

  it("the estimate counts the state that its checkpoints hold", async () => {
    const options = trainerOptionsOf(run.config, run);
    const estimate = await estimateRun(options);
    options.model.dispose();
    options.optimizer.dispose();
    const checkpoint = latestCheckpoint(path.join(whole, "checkpoints"))!;
    const file = await SafetensorsFile.open(path.join(checkpoint, "trainer.safetensors"));
    const elements = file
      .names()
      .flatMap((name) => file.info(name).shape.reduce((product, dimension) => product * dimension, 1))
      .reduce((sum, size) => sum + size, 0);
    await file.close();
    expect(estimate.checkpointBytes).toBe(4 * (estimate.parameters + elements));
    expect(estimate.stateBytes).toBe(4 * (2 * estimate.parameters + elements));
    // One for each parameter at least, as Lion; Muon keeps AdamW's two moments for the embedding and the norms.
    expect(elements).toBeGreaterThanOrEqual(estimate.parameters);
    expect(elements).toBeLessThan(2 * estimate.parameters);
  });
});
