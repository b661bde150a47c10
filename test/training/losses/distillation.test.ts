/** Runs that learn from a teacher: a checkpoint, and the same model as a GGUF file in the native engine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEngineTeacher } from "../../../cli/engine_teacher.ts";
import { exportModel } from "../../../export/export_model.ts";
import { planExport } from "../../../export/export_plan.ts";
import { openCheckpoint, parameterReader } from "../../../src/checkpoint/checkpoint.ts";
import { byteLevelTokenizer } from "../../../src/tokenizer/byte_level_tokenizer.ts";
import { CheckpointTeacher } from "../../../training/losses/checkpoint_teacher.ts";
import { openTeacher } from "../../../training/losses/open_teacher.ts";
import { checkTeacher, type Teacher } from "../../../training/losses/teacher.ts";
import { relativeDifference } from "../../support/relative_difference.ts";
import { hasNative } from "../../support/tfjs_backends.ts";
import { expectSameRun, metricsOf, prepareTinyRun, type TinyRun, trainUntil } from "../../support/tiny_run.ts";

const folder = mkdtempSync(path.join(tmpdir(), "distillation-"));
const teacherRun = path.join(folder, "teacher");
const open: TinyRun[] = [];

async function prepare(sets: readonly string[]): Promise<TinyRun> {
  const run = await prepareTinyRun(folder, ["training.max_steps=4", "training.log_every=4", ...sets]);
  open.push(run);
  return run;
}

/** Trains in `directory` with the teacher of the configuration; Ctrl-C after `stopAt` steps. */
async function train(run: TinyRun, directory: string, stopAt?: number): Promise<void> {
  const teacher = await openTeacher(run.config, run.tokenizer);
  await trainUntil({ ...run, ...(teacher && { teacher }) }, directory, stopAt);
}

beforeAll(async () => train(await prepare(["training.max_steps=6"]), teacherRun));
afterAll(async () => {
  for (const { dataset } of open) await dataset.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("a run with a teacher", () => {
  const student = (sets: readonly string[]) =>
    prepare([
      "training.seed=5",
      `loss.distillation.teacher=${JSON.stringify(teacherRun)}`,
      "loss.distillation.top_k=8",
      "loss.z_loss=1e-3",
      "training.gradient_accumulation_steps=2",
      ...sets,
    ]);

  it("comes nearer to it, says how far it is, and goes on to the same bits", async () => {
    const run = await student(["training.log_every=3"]);
    const [whole, stopped] = ["whole", "stopped"].map((name) => path.join(folder, name));
    await train(run, whole);
    await train(run, stopped, 2);
    await train(run, stopped);
    expectSameRun(stopped, whole);
    const [first, last] = metricsOf(whole);
    expect(last.loss_distillation).toBeLessThan(first.loss_distillation!);
    expect(last.loss_distillation).toBeGreaterThan(0);
    // Nothing runs composed that has a kernel.
    if (hasNative) expect(last.kernel).not.toContain("composed");
    // Logits start near 0: logsumexp is about log(257).
    expect(first.loss_z).toBeGreaterThan(25);
    expect(first.loss_z).toBeLessThan(45);
    // Still nats per token of the text, whatever is added to it.
    expect(first.loss).toBeGreaterThan(3);
    expect(first.loss).toBeLessThan(7);
  });
});

describe("a summed loss", () => {
  it("has the mean's metrics, and gradients as many times larger as there are tokens", async () => {
    const rows = await Promise.all(
      ["mean", "sum"].map(async (reduction) => {
        const directory = path.join(folder, reduction);
        const sets = [`loss.reduction=${reduction}`, "training.max_steps=1", "training.gradient_accumulation_steps=2"];
        await train(await prepare(sets), directory);
        return metricsOf(directory)[0];
      }),
    );
    const [mean, sum] = rows;
    expect(sum.loss).toBeCloseTo(mean.loss, 5);
    expect(sum.grad_norm / mean.grad_norm / (2 * 4 * 32)).toBeCloseTo(1, 4);
  });
});

describe("a teacher", () => {
  const sequences = ["The harp is red. ", "Ann has 12 coins."].map((text) => Int32Array.from(Buffer.from(text)));

  it.runIf(hasNative)("is the same model as a checkpoint and as a GGUF file", async () => {
    const file = path.join(folder, "teacher.gguf");
    const checkpoint = await openCheckpoint(teacherRun);
    const plan = planExport(checkpoint.config, checkpoint.tokenizer, { target: "bitnet-lab", name: "teacher" });
    await exportModel(plan, file, parameterReader(checkpoint));
    await checkpoint.tensors.close();
    const teachers = [await CheckpointTeacher.open(teacherRun), await openEngineTeacher(file)];
    const [own, engine] = await Promise.all(teachers.map((teacher) => teacher.score(sequences, 5)));
    expect(engine.ids).toEqual(own.ids);
    expect(relativeDifference(engine.logProbs, own.logProbs)).toBeLessThan(1e-6);
    const [all, engineAll] = await Promise.all(teachers.map((teacher) => teacher.score(sequences, 257)));
    expect(all.ids).toBeNull();
    expect(engineAll.ids).toBeNull();
    expect(relativeDifference(engineAll.logProbs, all.logProbs)).toBeLessThan(1e-6);
    // Place 3 of the first sequence: the likeliest ids of all are the five.
    const place = all.logProbs.subarray(3 * 257, 4 * 257);
    expect([...place].sort((a, b) => b - a).slice(0, 5)).toEqual([...own.logProbs.subarray(15, 20)]);
    expect(place.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 5);
    for (const teacher of teachers) teacher.dispose();
  });

  it("is refused in one line where it cannot teach", async () => {
    const teacher: Teacher = {
      name: "big.gguf",
      tokenizer: byteLevelTokenizer(),
      vocabSize: 320,
      maxLength: 64,
      score: () => Promise.reject(),
      dispose: () => {},
    };
    const check = (changes: object, student: object, topK: number) => {
      const own = { tokenizer: byteLevelTokenizer(), vocabSize: 257, sequenceLength: 64, ...student };
      checkTeacher({ ...teacher, ...changes }, own, topK);
    };
    expect(() => check({}, {}, 10)).not.toThrow();
    expect(() => check({ vocabSize: 257 }, {}, 0)).not.toThrow();
    expect(() => check({}, {}, 0)).toThrow(/big.gguf: has 320 logits, this run 257: set model.vocab_size/);
    expect(() => check({}, {}, 321)).toThrow("loss.distillation.top_k is 321, big.gguf has 320 logits");
    expect(() => check({}, { sequenceLength: 65 }, 1)).toThrow(/has 64 positions, training.sequence_length is 65/);
    const other = { hash: "other", vocabSize: 300 };
    expect(() => check({ tokenizer: other }, {}, 1)).toThrow(/big.gguf: has another tokenizer than this run/);

    const run = await prepare([`loss.distillation.teacher=${path.join(folder, "nowhere")}`]);
    await expect(openTeacher(run.config, run.tokenizer)).rejects.toThrow(/nowhere: no such file or folder/);
  });

  it("is needed where nothing else is learnt from", async () => {
    await expect(prepare(["loss.cross_entropy=0"])).rejects.toThrow(
      /loss.cross_entropy is 0: without loss.distillation/,
    );
  });
});
