/**
 * The law (docs/numerics.md): the model that was trained is the model that runs. Every per-token log-likelihood of the
 * training forward (native backend) is the same float32 from the engine on the exported GGUF, for every packed type,
 * kernel variant, thread count and way of cutting the work.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportModel } from "../../export/export_model.ts";
import { planExport } from "../../export/export_plan.ts";
import { loadAddon } from "../../native/addon.ts";
import { registerNativeBackend } from "../../native/backend/register.ts";
import { Engine } from "../../native/inference/engine.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { type TrainedModel, trainSmallModel } from "../support/trained_model.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-bits-"));
const addon = loadAddon();
const variants = addon
  .features()
  .variants.filter((variant) => variant.supported)
  .map((variant) => variant.name);

beforeAll(async () => {
  registerNativeBackend();
  await tf.setBackend("native");
});

afterAll(() => {
  addon.setVariant("");
  rmSync(folder, { recursive: true, force: true });
});

/** Sequences of 1 to 300 predicted tokens, at least `tokens` of them in all. */
function raggedSequences(ids: Int32Array, tokens: number): Int32Array[] {
  const rng = new CounterRng(3, "ragged");
  const lengths = [1, 300, 2, 17, 16, 15, 299, 33];
  const sequences: Int32Array[] = [];
  for (let start = 0, total = 0; total < tokens; ) {
    const predicted = lengths[sequences.length] ?? 1 + rng.integer(300);
    sequences.push(ids.slice(start, start + predicted + 1));
    start += predicted + 1;
    total += predicted;
  }
  return sequences;
}

/** Log-likelihoods of the training forward, in right-padded batches of a few sequences each. */
function trainingForward({ model }: TrainedModel, sequences: readonly Int32Array[], rows: number): Float32Array[] {
  const all: Float32Array[] = [];
  for (let at = 0; at < sequences.length; at += rows) {
    const batch = sequences.slice(at, at + rows);
    const width = Math.max(...batch.map((ids) => ids.length - 1));
    const inputs = new Int32Array(batch.length * width);
    const targets = new Int32Array(batch.length * width).fill(-1);
    batch.forEach((ids, r) => {
      inputs.set(ids.subarray(0, -1), r * width);
      targets.set(ids.subarray(1), r * width);
    });
    const scores = model.logProbs(
      tf.tensor2d(inputs, [batch.length, width], "int32"),
      tf.tensor2d(targets, [batch.length, width], "int32"),
    );
    const values = scores.logProbs.dataSync() as Float32Array;
    batch.forEach((ids, r) => {
      all.push(values.slice(r * width, r * width + ids.length - 1));
    });
    tf.dispose([scores.logProbs, scores.argmax]);
  }
  return all;
}

async function exportTrained(trained: TrainedModel, type: "tq2_0" | "tq1_0" | "i2_s" | "f16" | "f32"): Promise<string> {
  const { model, tokenizer } = trained;
  const key = createHash("sha256").update(JSON.stringify(model.config)).digest("hex").slice(0, 16);
  const file = path.join(folder, `${key}-${type}.gguf`);
  if (!existsSync(file)) {
    const plan = planExport(model.config, tokenizer, { target: "bitnet-lab", type, name: "bits" });
    await exportModel(plan, file, async (name) => {
      return model.parameters.get(name)!.dataSync() as Float32Array;
    });
  }
  return file;
}

/** Number of values whose float32 bits differ; also counts missing ones. */
function differingBits(expected: readonly Float32Array[], actual: readonly Float32Array[]): number {
  let differing = Math.abs(expected.length - actual.length);
  expected.forEach((values, i) => {
    const a = new Uint32Array(values.slice().buffer);
    const b = new Uint32Array((actual[i] ?? new Float32Array()).slice().buffer);
    for (let k = 0; k < Math.max(a.length, b.length); k++) if (a[k] !== b[k]) differing++;
  });
  return differing;
}

async function engineScores(file: string, sequences: Int32Array[], threads: number, chunk?: number | "token") {
  const engine = await Engine.load(file, { threads });
  try {
    return (await engine.score(sequences, chunk === undefined ? {} : { chunk })).map((score) => score.logprobs);
  } finally {
    engine.dispose();
  }
}

/** Writes what `engine_check --expect` reads: int32 sequences; per sequence int32 n, n int32 ids, n - 1 float32. */
function writeExpectedScores(file: string, sequences: readonly Int32Array[], expected: readonly Float32Array[]): void {
  const parts = sequences.flatMap((ids, i) => [Int32Array.of(ids.length), ids.slice(), expected[i]!]);
  const bytes = [Int32Array.of(sequences.length), ...parts].map((part) => Buffer.from(part.buffer, 0, part.byteLength));
  writeFileSync(file, Buffer.concat(bytes));
}

/** The training forward of one model in the default variant: what everything else is compared with. */
function prepare(keys: Partial<ModelConfigJson>) {
  const trained = trainSmallModel(keys);
  const sequences = raggedSequences(trained.heldOutIds, 4096);
  return { trained, sequences, expected: trainingForward(trained, sequences, 5) };
}

const cuts = [
  { threads: 1, chunk: undefined },
  { threads: 2, chunk: undefined },
  { threads: 3, chunk: 37 },
  { threads: 2, chunk: "token" },
  { threads: 1, chunk: 5 },
] as const;

describe("bits: training forward = engine on the exported GGUF", () => {
  let reference: ReturnType<typeof prepare>;
  beforeAll(() => {
    reference = prepare({});
  });

  it("is a trained model on enough tokens", () => {
    const all = reference.expected.flatMap((values) => [...values]);
    const meanLoss = -all.reduce((a, b) => a + b) / all.length;
    expect(all.length).toBeGreaterThanOrEqual(4096);
    expect(meanLoss).toBeLessThan(Math.log(257) - 1); // it has learned something
    expect(meanLoss).toBeGreaterThan(0.5);
  });

  it.each(variants)("training forward: %s gives the same bits, in other batches and thread counts", (variant) => {
    addon.setVariant(variant);
    // The scalar variant is slow: fewer sequences, the same kinds of length.
    const some = variant === "scalar" ? reference.sequences.slice(0, 8) : reference.sequences;
    const expected = reference.expected.slice(0, some.length);
    for (const [threads, rows] of [
      [1, 1],
      [2, 7],
      [3, 3],
    ] as const) {
      addon.setThreads(threads);
      expect(differingBits(expected, trainingForward(reference.trained, some, rows))).toBe(0);
      if (variant === "scalar") break;
    }
    addon.setVariant("");
  });

  for (const type of ["tq2_0", "tq1_0", "i2_s"] as const) {
    for (const variant of variants) {
      it(`engine: ${type}, ${variant}, 1 to 3 threads, whole, in chunks and token by token`, async () => {
        addon.setVariant(variant);
        const file = await exportTrained(reference.trained, type);
        for (const { threads, chunk } of cuts) {
          // The scalar reference is slow: all cuts of every sequence for one type, one cut for the others.
          const all = variant !== "scalar" || type === "tq2_0" || (threads === 2 && chunk === undefined);
          const sequences = all ? reference.sequences : reference.sequences.slice(0, 8);
          const scores = await engineScores(file, sequences, threads, chunk);
          expect(differingBits(reference.expected.slice(0, sequences.length), scores)).toBe(0);
        }
        addon.setVariant("");
      }, 300_000);
    }
  }

  it.each(["f16", "f32"] as const)("engine: %s stores the ternary weights without loss", async (type) => {
    const scores = await engineScores(await exportTrained(reference.trained, type), reference.sequences, 2);
    expect(differingBits(reference.expected, scores)).toBe(0);
  });

  it("engine under qemu with NEON: 1 to 3 threads, whole, in chunks and token by token", async (context) => {
    const file = await exportTrained(reference.trained, "tq2_0");
    const scores = path.join(folder, "scores.bin");
    writeExpectedScores(scores, reference.sequences, reference.expected);
    const program = path.join(import.meta.dirname, "../../native/check/run.mjs");
    const check = [program, "--neon", "engine", "--", file, "--expect", scores];
    const { stdout } = await promisify(execFile)(process.execPath, check).catch((error) => error);
    if (stdout.includes("did not run")) context.skip(stdout.trim());
    expect(stdout).toMatch(/^1 passed, 0 failed$/m);
  }, 600_000);

  it("notices one changed weight", async () => {
    const { model } = reference.trained;
    const name = "model.layers.1.self_attn.v_proj.weight";
    const latent = model.parameters.get(name)!;
    const values = latent.dataSync().slice() as Float32Array;
    values[values.findIndex((value) => Math.abs(value) < 1e-4)] = 10;
    const before = latent.clone();
    latent.assign(tf.tensor(values, latent.shape));
    const changed = trainingForward(reference.trained, reference.sequences.slice(0, 8), 5);
    latent.assign(before);
    expect(differingBits(reference.expected.slice(0, 8), changed)).toBeGreaterThan(0);
  });
});

describe.each(["absmean_ternary_row", "absmedian_ternary"])("bits: integer products of %s", (quantizer) => {
  let model: ReturnType<typeof prepare>;
  beforeAll(() => {
    model = prepare({ weight_quantizer: quantizer });
  });

  it.each(variants)(
    "%s: training forward = engine, 1 to 3 threads, whole, in chunks and token by token",
    async (variant) => {
      addon.setVariant(variant);
      const some = variant === "scalar" ? model.sequences.slice(0, 8) : model.sequences;
      const expected = model.expected.slice(0, some.length);
      for (const threads of variant === "scalar" ? [2] : [1, 2, 3]) {
        addon.setThreads(threads);
        expect(differingBits(expected, trainingForward(model.trained, some, 2 * threads - 1))).toBe(0);
      }
      const file = await exportTrained(model.trained, "tq2_0");
      for (const { threads, chunk } of cuts) {
        expect(differingBits(expected, await engineScores(file, some, threads, chunk))).toBe(0);
      }
      addon.setVariant("");
    },
    300_000,
  );

  it.each(["tq1_0", "f16", "f32"] as const)("%s stores it without loss", async (type) => {
    const scores = await engineScores(await exportTrained(model.trained, type), model.sequences, 2);
    expect(differingBits(model.expected, scores)).toBe(0);
  });
});

describe("bits: other shapes of model", () => {
  const cases: [string, Partial<ModelConfigJson>, "tq2_0" | "i2_s" | "f16" | "f32"][] = [
    ["SiLU, bf16 embedding", { hidden_act: "silu", embedding_dtype: "bf16" }, "tq2_0"],
    ["f32 scale, f32 embedding, I2_S", { scale_dtype: "f32", embedding_dtype: "f32" }, "i2_s"],
    ["q8_0 embedding, untied head", { embedding_dtype: "q8_0", tie_word_embeddings: false }, "tq2_0"],
    ["no sub-norms", { use_sub_norms: false }, "tq2_0"],
    ["float twin", { weight_quantizer: "none", activation_quantizer: "none", embedding_dtype: "f32" }, "f32"],
    [
      "Llama-shaped float model",
      {
        weight_quantizer: "none",
        activation_quantizer: "none",
        embedding_dtype: "f32",
        hidden_act: "silu",
        use_sub_norms: false,
      },
      "f32",
    ],
    ["ternary weights, float activations", { activation_quantizer: "none" }, "f32"],
    ["a float32 scale per row", { weight_quantizer: "absmean_ternary_row", scale_dtype: "f32" }, "f32"],
    [
      "a scale per row, float activations",
      { weight_quantizer: "absmean_ternary_row", activation_quantizer: "none" },
      "tq2_0",
    ],
    ["a scale per group", { weight_quantizer: { type: "absmean_ternary_group", group_size: 64 } }, "f32"],
    [
      "a scale per group, float activations",
      { weight_quantizer: "absmean_ternary_group", activation_quantizer: "none" },
      "f16",
    ],
    ["absmedian, I2_S", { weight_quantizer: "absmedian_ternary", scale_dtype: "f32" }, "i2_s"],
  ];
  it.each(cases)("%s", async (_, keys, type) => {
    const trained = trainSmallModel(keys, 4);
    const sequences = raggedSequences(trained.heldOutIds, 700);
    const expected = trainingForward(trained, sequences, 3);
    expect(differingBits(expected, await engineScores(await exportTrained(trained, type), sequences, 2, 50))).toBe(0);
    trained.model.dispose();
  });
});
