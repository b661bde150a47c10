/**
 * The law (docs/numerics.md) of heads that multiply something else than float rows: int8 and ternary ones, tied and
 * untied. The training forward is the engine on the exported GGUF, to the bit, for every variant, thread count and cut.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import {
  cuts,
  differingBits,
  engineScores,
  exportTrained,
  prepare,
  setUpBits,
  trainingForward,
} from "../support/bits.ts";

const { folder, addon, variants } = setUpBits("bitnet-head-bits-");

const heads: [string, Partial<ModelConfigJson>, type: string][] = [
  ["int8 head", { embedding_dtype: "int8_row" }, "Q8_0"],
  ["ternary groups", { embedding_quantizer: { type: "absmean_ternary_group", group_size: 128 } }, "Q2_0"],
];

async function tableTypes(file: string): Promise<Record<string, string>> {
  const gguf = await GgufFile.open(file);
  const tables = gguf.tensors.filter(({ name }) => ["token_embd.weight", "output.weight"].includes(name));
  await gguf.close();
  return Object.fromEntries(tables.map(({ name, type }) => [name, type.name]));
}

describe.each(heads)("bits: %s", (_, keys, type) => {
  let tied: ReturnType<typeof prepare>;
  let untied: ReturnType<typeof prepare>;
  beforeAll(() => {
    tied = prepare(keys, { steps: 4, tokens: 600 });
    untied = prepare({ ...keys, tie_word_embeddings: false }, { steps: 4, tokens: 600 });
  });
  afterAll(() => {
    tied.trained.model.dispose();
    untied.trained.model.dispose();
  });

  it.each(variants)("tied, %s: training forward = engine, whole, in chunks and token by token", async (variant) => {
    addon.setVariant(variant);
    // The scalar variant is slow.
    const few = variant === "scalar";
    const some = few ? [tied.sequences[0]!, ...tied.sequences.slice(2, 4)] : tied.sequences;
    const expected = few ? [tied.expected[0]!, ...tied.expected.slice(2, 4)] : tied.expected;
    expect(differingBits(expected, trainingForward(tied.trained, some, 3))).toBe(0);
    const file = await exportTrained(tied.trained, "tq2_0", folder);
    expect(await tableTypes(file)).toEqual({ "token_embd.weight": type });
    for (const { threads, chunk } of cuts) {
      expect(differingBits(expected, await engineScores(file, some, threads, chunk))).toBe(0);
    }
    addon.setVariant("");
  });

  it("untied: training forward = engine", async () => {
    const file = await exportTrained(untied.trained, "tq2_0", folder);
    expect(await tableTypes(file)).toEqual({ "token_embd.weight": type, "output.weight": type });
    for (const { threads, chunk } of cuts) {
      expect(differingBits(untied.expected, await engineScores(file, untied.sequences, threads, chunk))).toBe(0);
    }
  });
});
