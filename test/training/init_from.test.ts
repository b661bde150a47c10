/** Runs that begin with the weights of another model: a run's, a GGUF file's. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runTraining } from "../../cli/train_run.ts";
import { exportModel, planExport } from "../../export/index.ts";
import { openCheckpoint, parameterReader } from "../../src/checkpoint/checkpoint.ts";
import type { InitialRecord } from "../../training/initial_record.ts";
import { RunDirectory } from "../../training/run_directory.ts";
import { HubServer } from "../data/hub_server.ts";
import { hasNative } from "../support/tfjs_backends.ts";
import { expectSameRun, metricsOf } from "../support/tiny_run.ts";

const folder = mkdtempSync(path.join(tmpdir(), "init-from-"));
const at = (name: string) => path.join(folder, name);
const remarks: string[] = [];

beforeAll(async () => {
  vi.stubEnv("BITNET_CACHE", at("cache"));
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation((line: string) => void remarks.push(line));
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  const training = "{max_steps: 4, batch_size: 4, eval_every: 2, eval_batches: 4}";
  writeFileSync(at("more.yaml"), `data: {sources: [world], world_documents: 400}\ntraining: ${training}\n`);
  await train("base", "tiny.yaml", { set: ["training.max_steps=6", "training.eval_every=6"] });
  const checkpoint = await openCheckpoint(at("base"));
  const plan = planExport(checkpoint.config, checkpoint.tokenizer, { target: "bitnet-lab", name: "base" });
  await exportModel(plan, at("base.gguf"), parameterReader(checkpoint));
  await checkpoint.tensors.close();
});

afterAll(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

interface Call {
  from?: string;
  set?: string[];
  resume?: boolean;
  untilStep?: number;
}

/** `bitnet-train --config CONFIG --out OUT --init-from FROM --set ...` */
async function train(out: string, config: string, { from, set = [], resume = false, untilStep }: Call = {}) {
  await runTraining(
    {
      config: resume ? undefined : config,
      out: at(out),
      data: undefined,
      "init-from": from,
      set: resume ? set : ["training.sequence_length=32", ...set],
      resume,
      backend: hasNative ? "native" : "wasm",
      threads: 1,
      seed: undefined,
      tracker: undefined,
      "until-step": untilStep,
      dashboard: undefined,
      "dry-run": false,
    },
    new AbortController().signal,
  );
  return new RunDirectory(at(out));
}

/** A Hub that has the model's GGUF file; ended with `stop`. */
async function startHub(): Promise<HubServer> {
  const files = { "base.gguf": readFileSync(at("base.gguf")) };
  const hub = await HubServer.start({ files, name: "me/base", type: "model" });
  vi.stubEnv("HF_ENDPOINT", hub.endpoint);
  vi.stubEnv("HF_HOME", at("hf"));
  return hub;
}

const lastLoss = () => metricsOf(at("base")).at(-1)!.val_loss!;

describe("a run that begins with", () => {
  it("a model of the Hub has its loss, is told which commit it was, and goes on without the Hub", async () => {
    const hub = await startHub();
    const whole = await train("of-hub", at("more.yaml"), { from: "me/base", untilStep: 2 });
    await hub.stop();
    const record = JSON.parse(readFileSync(path.join(whole.path, "init.json"), "utf8")) as InitialRecord;
    expect(record).toMatchObject({ source: "me/base", files: [{ name: "base.gguf" }] });
    expect(record.path).toMatch(/snapshots.[0-9a-f]{40}.base\.gguf$/);
    const local = await train("of-file", at("more.yaml"), { from: at("base.gguf") });
    const resumed = await train("of-hub", "", { resume: true });
    expectSameRun(resumed.path, local.path);
    await expect(train("of-none", at("more.yaml"), { from: "me/other" })).rejects.toThrow(/me\/other/);
  });

  it("the weights of another has its loss before the first step, and trains on", async () => {
    const run = await train("more", at("more.yaml"), { from: at("base") });
    const record = run.readInitial() as InitialRecord;
    expect(record.val_loss).toBe(lastLoss());
    expect(record.files.map(({ name }) => name)).toContain("model.safetensors");
    const rows = metricsOf(run.path);
    expect(rows.map(({ step }) => step).at(-1)).toBe(4);
    expect(rows.at(-1)!.val_loss).not.toBe(record.val_loss);
    expect(readFileSync(run.configFile, "utf8")).toContain(`init_from: ${at("base")}\n`);
  });

  it("codes and scales of a GGUF file has the same loss, to the bit", async () => {
    const run = await train("gguf", at("more.yaml"), { from: at("base.gguf"), untilStep: 1 });
    expect(run.readInitial()!.val_loss).toBe(lastLoss());
    expect(run.readInitial()!.files).toMatchObject([{ name: "base.gguf" }]);
  });

  it("other quantizers says that the loss is another", async () => {
    remarks.length = 0;
    const set = ["model.weight_quantizer=absmean_ternary_row"];
    const run = await train("rows", at("more.yaml"), { from: at("base"), set, untilStep: 1 });
    expect(remarks.join("\n")).toContain(
      'weight_quantizer is "absmean_ternary" there and "absmean_ternary_row" here, so the run begins with another loss',
    );
    expect(run.readInitial()!.val_loss).not.toBe(lastLoss());
  });

  it("what is gone since goes on without it, to the same bits", async () => {
    await train("paused", at("more.yaml"), { from: at("base.gguf"), untilStep: 2 });
    await train("whole", at("more.yaml"), { from: at("base.gguf") });
    renameSync(at("base.gguf"), at("elsewhere.gguf"));
    await train("paused", "", { resume: true });
    renameSync(at("elsewhere.gguf"), at("base.gguf"));
    expectSameRun(at("paused"), at("whole"));
  });
});

describe("refused in one line", () => {
  const fault = (out: string, call: Call, config = at("more.yaml")) =>
    train(out, config, call).then(
      () => "trained",
      (error: Error) => error.message,
    );

  it("another shape, with both values", async () => {
    expect(await fault("wide", { from: at("base"), set: ["model.num_hidden_layers=3"] })).toMatch(
      /^--set: model\.num_hidden_layers is 3, and \d+ in init_from .*base: leave it out$/,
    );
  });

  it("another tokenizer", async () => {
    expect(await fault("bpe", { from: at("base"), set: ["tokenizer.type=bpe", "tokenizer.vocab_size=300"] })).toMatch(
      /tokenizer\.type bpe gives \d+ ids, and the tokenizer of init_from .* has \d+, others: leave section tokenizer out/,
    );
  });

  it("no model, and a tokenizer of none", async () => {
    expect(await fault("none", { from: at("nothing") })).toBe(`${at("nothing")}: no such directory`);
    expect(await fault("without", { set: ["tokenizer.type=checkpoint"] }, "tiny.yaml")).toContain(
      "init_from, which is missing",
    );
  });
});
