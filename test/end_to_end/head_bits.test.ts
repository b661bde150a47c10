/**
 * The law (docs/numerics.md) of heads that multiply something else than float rows: int8 and ternary ones, tied and
 * untied. The training forward is the engine on the exported GGUF, to the bit, for every variant, thread count and cut.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadAddon } from "../../native/addon.ts";
import { registerNativeBackend } from "../../native/backend/register.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { cuts, differingBits, engineScores, exportTrained, prepare, trainingForward } from "../support/bits.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-head-bits-"));
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

const heads: [string, Partial<ModelConfigJson>][] = [
  ["int8, tied", { embedding_dtype: "int8_row" }],
  ["ternary groups, tied", { embedding_quantizer: { type: "absmean_ternary_group", group_size: 128 } }],
  [
    "ternary groups, untied",
    { embedding_quantizer: { type: "absmean_ternary_group", group_size: 64 }, tie_word_embeddings: false },
  ],
  ["int8, untied", { embedding_dtype: "int8_row", tie_word_embeddings: false }],
];

describe.each(heads)("bits: %s", (_, keys) => {
  let model: ReturnType<typeof prepare>;
  beforeAll(() => {
    model = prepare(keys, { steps: 4, tokens: 1500 });
  });
  afterAll(() => model.trained.model.dispose());

  it.each(variants)(
    "%s: training forward = engine, 1 to 3 threads, whole, in chunks and token by token",
    async (variant) => {
      addon.setVariant(variant);
      const some = variant === "scalar" ? model.sequences.slice(0, 6) : model.sequences;
      const expected = model.expected.slice(0, some.length);
      for (const threads of variant === "scalar" ? [2] : [1, 3]) {
        addon.setThreads(threads);
        expect(differingBits(expected, trainingForward(model.trained, some, 2 * threads - 1))).toBe(0);
      }
      const file = await exportTrained(model.trained, "tq2_0", folder);
      for (const { threads, chunk } of cuts) {
        expect(differingBits(expected, await engineScores(file, some, threads, chunk))).toBe(0);
      }
      addon.setVariant("");
    },
    120_000,
  );
});
