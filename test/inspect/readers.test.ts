/** What each reader does with files that are traps: by their headers alone. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openGgufBytes } from "../../src/gguf/gguf_reader.ts";
import { type Evidence, noEvidence } from "../../src/inspect/model_facts.ts";
import { openGgufModel } from "../../src/inspect/open_gguf.ts";
import { allVerdicts } from "../../src/inspect/readers/readers.ts";
import { tensorStatistics, typeSummaries } from "../../src/inspect/statistics.ts";
import {
  type HandModel,
  i2s,
  type Pack,
  q2Mainline,
  q2Prism,
  randomCodes,
  stq1,
  tq2,
  writeHandModel,
} from "./made_files.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-readers-"));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;

/** "llama.cpp from 2026-07" -> "computes it ...", of all readers and versions. */
async function judged(model: HandModel, evidence: Partial<Evidence> = {}) {
  const opened = await openGgufModel(writeHandModel(folder, `made-${count++}`, model), openGgufBytes);
  await opened.close();
  const verdicts = allVerdicts(opened.facts, { ...noEvidence, ...evidence });
  return Object.fromEntries(
    verdicts.map(({ reader, versions, outcome, why }) => [`${reader} ${versions}`.trim(), `${outcome}: ${why}`]),
  );
}

const bitnet: HandModel = { architecture: "bitnet", pack: tq2 };
const official: HandModel = { architecture: "bitnet-b1.58", pack: i2s(32) };
const act = (act: string) => ({ "bitnet-lab.hidden_act": { string: act } });

describe("a model for llama.cpp", () => {
  it("that was trained with SiLU is computed, and refused where the type was not known yet", async () => {
    const found = await judged({ ...bitnet, keys: act("silu") });
    expect(found["llama.cpp before 2024-09"]).toContain("refuses: type 35 of blk.0.attn_q.weight (TQ2_0) is not known");
    expect(found["llama.cpp from 2024-09"]).toMatch(/^computes it: activations are quantized per 256/);
    expect(found.Ollama).toMatch(/^computes it/);
    expect(found["LM Studio"]).toMatch(/^computes it/);
    expect(found.transformers).toContain('refuses: "GGUF model with architecture bitnet is not supported yet"');
  });

  it("that was trained with relu^2 and relabelled is computed with SiLU", async () => {
    const found = await judged({ ...bitnet, keys: act("relu2") });
    for (const reader of ["llama.cpp from 2024-09", "Ollama", "LM Studio", "bitnet.cpp, x86", "bitnet.cpp, ARM"]) {
      expect(found[reader], reader).toContain(
        "computes something else: gated SiLU, which its bitnet graph always has; the model was trained with relu^2 (says a key)",
      );
    }
    const unsaid = await judged(bitnet);
    expect(unsaid["llama.cpp from 2024-09"]).toContain("nothing says whether the model was trained so");
    const found2 = await judged(bitnet, { hiddenAct: { name: "relu2", why: "losses 1 and 2" } });
    expect(found2["llama.cpp from 2024-09"]).toContain("trained with relu^2 (losses 1 and 2)");
  });

  it("without sub-norms is refused by name of what is missing", async () => {
    const found = await judged({ ...bitnet, subNorms: false, keys: act("silu") });
    expect(found["llama.cpp from 2024-09"]).toContain("refuses: missing tensor: its bitnet graph has attn_sub_norm");
    expect(found["bitnet.cpp, x86"]).toContain("the file in 0 and 0 of 1");
  });

  it("whose vocabulary has another size than the embedding is refused", async () => {
    const found = await judged({ ...bitnet, tokens: 300, keys: act("silu") });
    expect(found["llama.cpp from 2024-09"]).toContain(
      "refuses: token_embd.weight has the wrong shape: 260 rows, and the vocabulary has 300",
    );
  });

  it("whose weights are folded loads and answers nonsense", async () => {
    const keys = { ...act("silu"), "prism.hadamard.block": { u32: 128 } };
    const found = await judged({ ...bitnet, keys });
    expect(found["llama.cpp from 2024-09"]).toContain("computes something else: the weights are folded");
    expect(found["bitnet-lab"]).toContain(
      "refuses: its weights are folded with a Hadamard rotation (prism.hadamard.block)",
    );
  });
});

describe("another graph than its own name's", () => {
  it.each([
    ["qwen3", "relu2", "gated SiLU, which its qwen3 graph always has; the model was trained with relu^2"],
    ["qwen2", "gelu_tanh", "gated SiLU, which its qwen2 graph always has; the model was trained with GELU"],
    ["gemma3", "silu", "gated GELU, which its gemma3 graph always has; the model was trained with SiLU"],
  ])("%s of a model with %s is computed with the graph's activation", async (architecture, trained, text) => {
    const found = await judged({ architecture, pack: tq2, subNorms: false, keys: act(trained) });
    expect(found["llama.cpp from 2024-09"]).toContain(`computes something else: ${text} (says a key)`);
    expect(found.Ollama).toContain(text);
  });

  it("has no place for sub-norms in a llama", async () => {
    const found = await judged({ architecture: "llama", pack: tq2, keys: act("silu") });
    for (const reader of ["llama.cpp from 2024-09", "bitnet.cpp, x86", "bitnet.cpp, ARM"]) {
      expect(found[reader], reader).toContain("refuses: its llama graph has no sub-norms");
    }
    expect(found.transformers).toContain("computes something else: its llama graph has no sub-norms");
  });
});

describe("a model for bitnet.cpp", () => {
  it("is computed by versions between two dates, on x86; on ARM its codes are taken in another order later", async () => {
    const found = await judged(official, {
      hiddenAct: { name: "relu2", why: "" },
      i2sOrder: { name: "x86", why: "losses" },
    });
    expect(found["bitnet.cpp, x86 before 2025-04"]).toContain("unknown model architecture: 'bitnet-b1.58'");
    expect(found["bitnet.cpp, x86 2025-04 until 2026-07"]).toMatch(/^computes it/);
    expect(found["bitnet.cpp, x86 from 2026-07"]).toContain("computes something else: gated SiLU");
    expect(found["bitnet.cpp, ARM 2025-04 until 2026-01"]).toMatch(/^computes it/);
    expect(found["bitnet.cpp, ARM from 2026-01"]).toContain(
      "computes something else: it takes the codes of I2_S in the order ARM (64",
    );
    expect(found["llama.cpp"]).toContain("refuses: type 36 of blk.0.attn_q.weight (I2_S) is not known to it");
    expect(found.Ollama).toMatch(/^refuses: type 36/);
  });

  it("says what is open where nothing tells the order", async () => {
    const found = await judged(official);
    expect(found["bitnet.cpp, x86 2025-04 until 2026-07"]).toContain("if the codes of I2_S are in the order of x86");
  });

  it("that was trained with SiLU is computed with relu^2 until 2026-07", async () => {
    const found = await judged({ ...official, keys: act("silu") }, { i2sOrder: { name: "x86", why: "" } });
    expect(found["bitnet.cpp, x86 2025-04 until 2026-07"]).toContain(
      "gated relu^2, which its bitnet-b1.58 graph always has; the model was trained with SiLU",
    );
    expect(found["bitnet.cpp, x86 from 2026-07"]).toMatch(/^computes it/);
  });
});

describe("type 42", () => {
  const silu = { architecture: "bitnet", keys: act("silu") };

  it("in groups of 64 is llama.cpp's from July 2026 on, and not known before", async () => {
    const found = await judged({ ...silu, pack: q2Mainline });
    expect(found["llama.cpp before 2026-07"]).toContain(
      "type 42 of blk.0.attn_q.weight (Q2_0) is not known to it, which has it from 2026-07 on",
    );
    expect(found["llama.cpp from 2026-07"]).toMatch(/^computes it/);
    expect(found["Ollama before llama.cpp of 2026-07"]).toMatch(/^refuses/);
    expect(found["Ollama from llama.cpp of 2026-07"]).toMatch(/^computes it/);
  });

  it.each([
    ["PrismML's groups of 128", q2Prism, "Q2_0 of PrismML's fork"],
    ["AngelSlim's STQ1_0", stq1, "STQ1_0 of AngelSlim's first files"],
  ])("as %s is told by its bytes, refused by others, and read here", async (_, pack, name) => {
    const found = await judged({ ...silu, pack });
    expect(found["llama.cpp before 2026-07"]).toContain(`(${name}) is not known`);
    expect(found["llama.cpp from 2026-07"]).toContain(
      `blk.0.attn_q.weight is ${name}, and it takes type 42 for 18 bytes per 64 elements`,
    );
    expect(found["bitnet-lab"]).toBe("not known: the engine was not asked; its reader of the header takes the file");
  });

  it.each([
    ["Q2_0", q2Mainline, 2.25, [-1, 0, 1, 2]],
    ["Q2_0 of PrismML's fork", q2Prism, 2.125, [-1, 0, 1, 2]],
    ["STQ1_0 of AngelSlim's first files", stq1, 1.3125, [-1, 0, 1]],
  ] as const)("as %s is counted by its codes", async (name, pack, bits, levels) => {
    const file = writeHandModel(folder, `counted-${bits}`, { architecture: "qwen3", subNorms: false, pack });
    const opened = await openGgufModel(file, openGgufBytes);
    const tensor = opened.tensors.find((each) => each.name === "blk.0.attn_q.weight")!;
    const statistics = (await tensorStatistics(opened, tensor, () => undefined))!;
    const [summary] = typeSummaries([tensor], new Map([[tensor.name, statistics]]));
    await opened.close();
    expect(summary).toMatchObject({ type: name, storedBits: bits });
    expect(statistics.codes!.levels).toEqual(levels);
    // Random ternary codes, or one zero in each group of four.
    const zeros =
      levels.length === 3 ? 0.25 : randomCodes(tensor.name, 256, 256).filter((code) => code === 0).length / 65536;
    expect(summary!.zeroFraction).toBe(zeros);
    const bitnetLab = allVerdicts(opened.facts, { ...noEvidence, engine: "" }).find(
      ({ reader }) => reader === "bitnet-lab",
    );
    expect(bitnetLab).toMatchObject({ outcome: "computes it", why: expect.stringMatching(/^with float activations/) });
  });

  it("whose bytes fit none of them is refused with what would fit", async () => {
    const pack: Pack = (codes) => ({ type: 42, bytes: new Uint8Array((codes.length / 64) * 20) });
    const found = await judged({ ...silu, pack });
    expect(found["bitnet-lab"]).toMatch(
      /^refuses: tensor blk\.0\.attn_q\.weight: type 42 at offset \d+ has 20480 bytes up to the next tensor, which fit none of Q2_0 with 18 bytes per 64 elements \(18432\), /,
    );
  });
});

describe("a container", () => {
  it("that is big-endian is refused by name", async () => {
    const found = await judged({ ...bitnet, layout: { bigEndian: true } });
    expect(found["llama.cpp"]).toContain("refuses: big-endian: a little-endian machine reads version 50331648");
    expect(found["bitnet-lab"]).toContain("refuses: big-endian GGUF");
    expect(found.transformers).toContain("refuses: big-endian GGUF");
  });

  it("aligned to 24 bytes is read here, and refused by others", async () => {
    const keys = { ...act("silu"), "general.alignment": { u32: 24 } };
    const found = await judged({ ...bitnet, keys, layout: { alignment: 24 } });
    expect(found["llama.cpp"]).toContain('refuses: general.alignment is 24: "not a power of 2"');
    expect(found["bitnet-lab"]).toMatch(/^not known/);
    const wide = { ...act("silu"), "general.alignment": { u32: 128 } };
    const found2 = await judged({ ...bitnet, keys: wide, layout: { alignment: 128 } });
    expect(found2["llama.cpp from 2024-09"]).toMatch(/^computes it/);
  });

  it("with an array of arrays is refused by others", async () => {
    const found = await judged({ ...bitnet, keys: { ...act("silu"), "a.nested": { arrays: [[1, 2], [3]] } } });
    expect(found["llama.cpp"]).toContain('key a.nested is an array of arrays: "invalid GGUF type 9"');
    expect(found["bitnet-lab"]).toMatch(/^not known/);
  });
});
