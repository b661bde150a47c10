/** The law for runs in stages: the model as its trainer leaves it is the one that the engine runs. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { trainerOptionsOf } from "../../training/config/run_parts.ts";
import { Trainer } from "../../training/trainer.ts";
import { differingBits, engineScores, exportTrained, trainingForward } from "../support/bits.ts";
import { hasNative } from "../support/tfjs_backends.ts";
import { prepareTinyRun } from "../support/tiny_run.ts";

const folder = mkdtempSync(path.join(tmpdir(), "staged-bits-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(hasNative)("bits of a run in stages", () => {
  it.each(["hestia", "lambda"])("%s: the last step's forward pass = engine on the exported file", async (staging) => {
    const run = await prepareTinyRun(folder, [
      `quantization.staging=${staging}`,
      "quantization.straight_through=trust",
      "quantization.correction={type: winq, every: 3}",
      "training.max_steps=5",
      "training.eval_batches=1",
    ]);
    const trainer = new Trainer(trainerOptionsOf(run.config, run));
    await trainer.run();
    const trained = { model: trainer.model, tokenizer: run.tokenizer, heldOutIds: new Int32Array() };
    const ids = run.tokenizer.encode("The law: the model that was trained is the model that runs.");
    const sequences = [Int32Array.from(ids), Int32Array.from(ids.slice(20))];
    const file = await exportTrained(trained, "tq2_0", mkdtempSync(path.join(folder, staging)));
    expect(differingBits(trainingForward(trained, sequences, 2), await engineScores(file, sequences, 2))).toBe(0);
    trainer.dispose();
    await run.dataset.close();
  });
});
