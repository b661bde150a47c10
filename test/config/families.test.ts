/** Families in TypeScript and in the engine are the same graphs. */
import { describe, expect, test } from "vitest";
import { loadAddon } from "../../native/addon.ts";
import { families, familyOf, ownGraphPart } from "../../src/config/families/families.ts";
import { type Graph, type ModelFamily, plainGraph } from "../../src/config/families/family.ts";
import { type ModelConfigJson, modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { hasNative } from "../support/tfjs_backends.ts";

const shape = { hidden_size: 256, num_hidden_layers: 1, intermediate_size: 512, num_attention_heads: 4 };
const config = (keys: Partial<ModelConfigJson>) => resolveModelConfig(modelConfigSchema.parse({ ...shape, ...keys }));

/** Graphs of the family with each of its activations. */
function graphs({ graph }: ModelFamily): Graph[] {
  const first = Object.fromEntries(
    Object.entries(graph).map(([part, values]) => [part, values[0]]),
  ) as unknown as Graph;
  return graph.hidden_act.map((hidden_act) => ({ ...first, hidden_act }));
}

describe.runIf(hasNative)("the engine's table", () => {
  const table = hasNative ? loadAddon().families() : [];

  test.each(families)("$modelType is the same graph there", (family) => {
    for (const graph of graphs(family)) {
      const architecture = family.architecture(graph);
      if (architecture === null) continue;
      const biases = family.graph.mlp_bias.includes(true) || family.graph.attention_bias.includes("all");
      expect(table.find((each) => each.architecture === architecture)).toEqual({
        architecture,
        normPlacement: graph.norm_placement,
        hiddenAct: graph.hidden_act,
        bitnetLayers: family.modelType === "bitnet",
        qkNorm: graph.qk_norm,
        windows: graph.sliding_window,
        biases: biases ? "any" : graph.attention_bias,
      });
    }
  });

  test("every architecture there has a family", () => {
    const named = families.flatMap((family) => graphs(family).map((graph) => family.architecture(graph)));
    // The earlier name of bitnet-b1.58.
    expect([...named, "bitnet-25"]).toEqual(expect.arrayContaining(table.map(({ architecture }) => architecture)));
  });
});

test.each<[string | null, Partial<ModelConfigJson>]>([
  ["bitnet", {}],
  ["bitnet", { hidden_act: "silu" }],
  ["llama", { norm_placement: "pre", hidden_act: "silu" }],
  ["llama", { norm_placement: "pre", hidden_act: "silu", attention_bias: true, mlp_bias: true }],
  ["qwen2", { norm_placement: "pre", hidden_act: "silu", qkv_bias: true }],
  ["qwen3", { norm_placement: "pre", hidden_act: "silu", qk_norm: true }],
  [
    "gemma3_text",
    {
      norm_placement: "pre_post",
      hidden_act: "gelu_tanh",
      qk_norm: true,
      sliding_window: 64,
      embedding_multiplier: 16,
    },
  ],
  [null, { norm_placement: "pre_post", hidden_act: "gelu_tanh", qk_norm: true, sliding_window: 64 }],
  [null, { norm_placement: "every_linear" }],
  [null, { qk_norm: true }],
])("the family is %s for %j", (modelType, keys) => {
  expect(familyOf(config(keys))?.modelType ?? null).toBe(modelType);
});

test("what keeps a model out of all families is named", () => {
  expect(ownGraphPart(config({ qk_norm: true }))).toBe("qk_norm: true");
  expect(ownGraphPart(config({ qkv_bias: true }))).toBe("qkv_bias: true");
});

test("a family leaves no part of the graph open by omission", () => {
  for (const { graph } of families) expect(Object.keys(graph).sort()).toEqual(Object.keys(plainGraph).sort());
});
