/**
 * The law (docs/numerics.md): the model that was trained is the model that runs. Every per-token log-likelihood of the
 * training forward (native backend) is the same float32 from the engine on the exported GGUF, for every packed type,
 * kernel variant, thread count and way of cutting the work.
 */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import {
  cuts,
  differingBits,
  engineScores,
  exportTrained,
  prepare,
  raggedSequences,
  setUpBits,
  trainingForward,
} from "../support/bits.ts";
import { trainSmallModel } from "../support/trained_model.ts";

const { folder, addon, variants } = setUpBits("bitnet-bits-");

/** Writes what `engine_check --expect` reads: int32 sequences; per sequence int32 n, n int32 ids, n - 1 float32. */
function writeExpectedScores(file: string, sequences: readonly Int32Array[], expected: readonly Float32Array[]): void {
  const parts = sequences.flatMap((ids, i) => [Int32Array.of(ids.length), ids.slice(), expected[i]!]);
  const bytes = [Int32Array.of(sequences.length), ...parts].map((part) => Buffer.from(part.buffer, 0, part.byteLength));
  writeFileSync(file, Buffer.concat(bytes));
}

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
        const file = await exportTrained(reference.trained, type, folder);
        for (const { threads, chunk } of cuts) {
          // The scalar reference is slow: one cut of every sequence, and token by token for one type.
          const all = variant !== "scalar" || (threads === 2 && (chunk === undefined || type === "tq2_0"));
          const sequences = all ? reference.sequences : reference.sequences.slice(0, 8);
          const scores = await engineScores(file, sequences, threads, chunk);
          expect(differingBits(reference.expected.slice(0, sequences.length), scores)).toBe(0);
        }
        addon.setVariant("");
      }, 300_000);
    }
  }

  it.each(["f16", "f32"] as const)("engine: %s stores the ternary weights without loss", async (type) => {
    const scores = await engineScores(await exportTrained(reference.trained, type, folder), reference.sequences, 2);
    expect(differingBits(reference.expected, scores)).toBe(0);
  });

  it("engine under qemu with NEON: 1 to 3 threads, whole, in chunks and token by token", async (context) => {
    const file = await exportTrained(reference.trained, "tq2_0", folder);
    const scores = path.join(folder, "scores.bin");
    // Emulation is slow: the first sequences, which have every kind of length.
    writeExpectedScores(scores, reference.sequences.slice(0, 12), reference.expected.slice(0, 12));
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
      const file = await exportTrained(model.trained, "tq2_0", folder);
      for (const { threads, chunk } of cuts) {
        expect(differingBits(expected, await engineScores(file, some, threads, chunk))).toBe(0);
      }
      addon.setVariant("");
    },
    300_000,
  );

  it.each(["tq1_0", "f16", "f32"] as const)("%s stores it without loss", async (type) => {
    const scores = await engineScores(await exportTrained(model.trained, type, folder), model.sequences, 2);
    expect(differingBits(model.expected, scores)).toBe(0);
  });
});

describe("bits: other shapes of model", () => {
  const one = { num_hidden_layers: 1 };
  const cases: [string, Partial<ModelConfigJson>, "tq2_0" | "tq1_0" | "i2_s" | "f16" | "f32"][] = [
    ["SiLU, bf16 embedding", { hidden_act: "silu", embedding_dtype: "bf16" }, "tq2_0"],
    ["f32 scale, f32 embedding, I2_S", { scale_dtype: "f32", embedding_dtype: "f32" }, "i2_s"],
    ["q8_0 embedding, untied head", { embedding_dtype: "q8_0", tie_word_embeddings: false }, "tq2_0"],
    ["no sub-norms", { use_sub_norms: false }, "tq2_0"],
    ["a norm in every linear layer", { norm_placement: "every_linear" }, "tq2_0"],
    ["no gate", { feed_forward: "mlp" }, "tq2_0"],
    [
      "int4 activations after a Hadamard transform",
      { activation_quantizer: "absmax_int4", use_hadamard: true },
      "tq2_0",
    ],
    [
      "absmean int4, no gate, a norm in every linear layer, Hadamard, row scales",
      {
        activation_quantizer: "absmean_int4",
        weight_quantizer: "absmean_ternary_row",
        norm_placement: "every_linear",
        feed_forward: "mlp",
        use_hadamard: true,
      },
      "tq2_0",
    ],
    ["the largest activations", { activation_quantizer: { type: "topk_int8", keep: 0.4 } }, "tq1_0"],
    [
      "int4 activations, weights as values, Hadamard",
      {
        activation_quantizer: "absmax_int4",
        weight_quantizer: { type: "absmean_ternary_group", product: "values" },
        use_hadamard: true,
      },
      "f32",
    ],
    [
      "float twin without gate, a norm in every linear layer, Hadamard, odd blocks",
      {
        weight_quantizer: "none",
        activation_quantizer: "none",
        embedding_dtype: "f32",
        norm_placement: "every_linear",
        feed_forward: "mlp",
        use_hadamard: true,
        intermediate_size: 324,
      },
      "f32",
    ],
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
    [
      "a scale per group, weights as values",
      { weight_quantizer: { type: "absmean_ternary_group", group_size: 64, product: "values" } },
      "f32",
    ],
    [
      "a scale per group, float activations",
      { weight_quantizer: "absmean_ternary_group", activation_quantizer: "none" },
      "f16",
    ],
    ["absmedian, I2_S", { weight_quantizer: "absmedian_ternary", scale_dtype: "f32" }, "i2_s"],
    ["TWN", { ...one, weight_quantizer: { type: "twn_ternary", scale_per: "row" } }, "tq1_0"],
    ["LSQ", { ...one, weight_quantizer: "lsq_ternary" }, "i2_s"],
    ["SEQ", { ...one, weight_quantizer: "seq_ternary" }, "tq2_0"],
    ["DLT", { ...one, weight_quantizer: "dlt_ternary" }, "f32"],
    ["Tequila", { ...one, weight_quantizer: { type: "tequila_ternary", lambda: 0.1 } }, "tq2_0"],
    ["Tequila by groups", { ...one, weight_quantizer: { type: "tequila_ternary", scale_per: "group_64" } }, "f32"],
    ["Sherry", { ...one, weight_quantizer: "sherry_ternary" }, "tq2_0"],
    ["Sherry by groups", { ...one, weight_quantizer: { type: "sherry_ternary", scale_per: "group_128" } }, "f16"],
    ["binary", { ...one, weight_quantizer: "absmean_binary" }, "tq1_0"],
    ["int2", { ...one, weight_quantizer: "int2" }, "f16"],
    ["int4, learnt", { ...one, weight_quantizer: { type: "int4", learnt: true } }, "f32"],
    ["int8 by groups", { ...one, weight_quantizer: { type: "int8", scale_per: "group_64" } }, "f32"],
  ];
  it.each(cases)("%s", async (_, keys, type) => {
    const trained = trainSmallModel(keys, 4);
    const sequences = raggedSequences(trained.heldOutIds, 700);
    const expected = trainingForward(trained, sequences, 3);
    expect(
      differingBits(expected, await engineScores(await exportTrained(trained, type, folder), sequences, 2, 50)),
    ).toBe(0);
    trained.model.dispose();
  });
});
