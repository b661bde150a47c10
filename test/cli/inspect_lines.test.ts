/** The lines of `bitnet-inspect` in a narrow terminal. */
import { describe, expect, it } from "vitest";
import { tensorTable, verdictLines } from "../../cli/inspect/fact_lines.ts";
import type { InspectedTensor } from "../../src/inspect/inspected_model.ts";
import type { TensorStatistics } from "../../src/inspect/statistics.ts";

const names = ["model.layers.0.post_attention_layernorm.weight", "model.layers.0.self_attn.q_proj.weight"];
const tensors = names.map(
  (name): InspectedTensor => ({
    name,
    ggufName: name,
    role: "linear",
    type: "U8 codes",
    typeNumber: null,
    shape: [256, 256],
    bytes: 16384,
    layout: { kind: "bytes" },
  }),
);
const statistics = new Map(
  names.map((name): [string, TensorStatistics] => [
    name,
    {
      codes: { levels: [-1, 0, 1], counts: [1, 2, 1], invalid: 0, zeroFraction: 0.5, entropyBits: 1.5 },
      scales: { per: "row", least: 0.25, most: 0.5, mean: 0.4, zeros: 0 },
      ternaryFloats: false,
      values: null,
      notFinite: 0,
    },
  ]),
);

describe("tensors", () => {
  it("stand beside their numbers where there is room", () => {
    const lines = tensorTable(tensors, statistics);
    expect(lines).toHaveLength(4);
    expect(lines[2]).toMatch(/^\| model\.layers\.0\.post_attention_layernorm\.weight \| U8 codes \| 256x256 /);
    expect(tensorTable(tensors, statistics, lines[0]!.length)).toEqual(lines);
  });

  it("stand above them in 80 columns", () => {
    const lines = tensorTable(tensors, statistics, 80);
    expect(lines.map((line) => line.length).every((length) => length <= 80)).toBe(true);
    expect(lines.slice(2)).toEqual([
      names[0],
      "| U8 codes | 256x256 | 0.016 | 50.0% | 0.250 to 0.500, one a row |",
      names[1],
      "| U8 codes | 256x256 | 0.016 | 50.0% | 0.250 to 0.500, one a row |",
    ]);
  });
});

it("a verdict points at numbers that were shown", () => {
  const why = "a text has a loss of 1.00 nats a token with SiLU, 2.00 with relu^2";
  const verdict = { reader: "llama.cpp", versions: "from 2024-09", outcome: "computes something else" } as const;
  const lines = verdictLines(
    [
      { ...verdict, why: `gated SiLU; the model was trained with relu^2 (${why})` },
      { ...verdict, versions: "", why: `the values are for one that divides: ${why}` },
      { ...verdict, reader: "transformers", why: "" },
    ],
    [{ name: "relu2", why }],
  );
  expect(lines).toEqual([
    {
      reader: "llama.cpp",
      text: "from 2024-09: computes something else (gated SiLU; the model was trained with relu^2, by its values)",
    },
    { reader: "", text: "computes something else (the values are for one that divides, by its values)" },
    { reader: "transformers", text: "from 2024-09: computes something else" },
  ]);
});
