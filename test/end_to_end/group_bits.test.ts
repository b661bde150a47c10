/**
 * The law (docs/numerics.md) for scales of groups of neighbours in a row: int32 sums of each group, added in float32 in
 * one order by training and engine, whatever the variant, the threads, the cut, and the type that stores them.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
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

const { folder, addon, variants } = setUpBits("bitnet-group-bits-");

const groups = (group_size: number) => ({ weight_quantizer: { type: "absmean_ternary_group", group_size } });

describe("bits: integer products with a scale per 64 weights", () => {
  let model: ReturnType<typeof prepare>;
  beforeAll(() => {
    model = prepare(groups(64), { tokens: 1024 });
  });

  it.each(variants)(
    "%s: training forward = engine, 1 to 3 threads, whole, in chunks and token by token",
    async (variant) => {
      addon.setVariant(variant);
      const some = variant === "scalar" ? model.sequences.slice(0, 4) : model.sequences;
      const expected = model.expected.slice(0, some.length);
      for (const threads of variant === "scalar" ? [2] : [1, 3]) {
        addon.setThreads(threads);
        expect(differingBits(expected, trainingForward(model.trained, some, 2 * threads - 1))).toBe(0);
      }
      const file = await exportTrained(model.trained, "q2_0", folder);
      for (const { threads, chunk } of cuts) {
        expect(differingBits(expected, await engineScores(file, some, threads, chunk))).toBe(0);
      }
      addon.setVariant("");
    },
    300_000,
  );

  it.each(["f16", "f32"] as const)("%s stores it without loss", async (type) => {
    const scores = await engineScores(await exportTrained(model.trained, type, folder), model.sequences, 2);
    expect(differingBits(model.expected, scores)).toBe(0);
  });

  it("says the size of its groups in the file", async () => {
    const file = await GgufFile.open(await exportTrained(model.trained, "q2_0", folder));
    expect(file.metadata.get("bitnet-lab.quantization.scale_group")).toEqual({ type: "uint32", value: 64 });
    await file.close();
  });
});

describe("bits: other groups, quantizers and types", () => {
  const one = { num_hidden_layers: 1 };
  const cases: [string, Partial<ModelConfigJson>, "q2_0" | "tq1_0" | "tq2_0" | "f32"][] = [
    ["128 in Q2_0", { ...one, ...groups(128) }, "q2_0"],
    ["256 in TQ1_0", { ...one, ...groups(256) }, "tq1_0"],
    ["256 in TQ2_0", { ...one, ...groups(256) }, "tq2_0"],
    ["256 in Q2_0", { ...one, ...groups(256) }, "q2_0"],
    ["float32 scales", { ...one, ...groups(64), scale_dtype: "f32" }, "f32"],
    ["float activations", { ...one, ...groups(128), activation_quantizer: "none" }, "q2_0"],
    [
      "int4 activations, Hadamard",
      { ...one, ...groups(64), activation_quantizer: "absmax_int4", use_hadamard: true },
      "q2_0",
    ],
    ["LSQ", { ...one, weight_quantizer: { type: "lsq_ternary", scale_per: "group_128", product: "integers" } }, "q2_0"],
    [
      "Tequila",
      {
        ...one,
        weight_quantizer: { type: "tequila_ternary", scale_per: "group_64", product: "integers", lambda: 0.1 },
      },
      "q2_0",
    ],
    ["rows in Q2_0", { ...one, weight_quantizer: "absmean_ternary_row" }, "q2_0"],
    ["the matrix in Q2_0", one, "q2_0"],
  ];
  it.each(cases)("%s", async (_, keys, type) => {
    const trained = trainSmallModel(keys, 4);
    const sequences = raggedSequences(trained.heldOutIds, 500);
    const expected = trainingForward(trained, sequences, 3);
    const scores = await engineScores(await exportTrained(trained, type, folder), sequences, 2, 50);
    expect(differingBits(expected, scores)).toBe(0);
    trained.model.dispose();
  });
});
