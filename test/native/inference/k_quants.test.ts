/** K-quants and blocks of 32 in the engine: the bits of the same model with the gguf package's values as F32. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Engine } from "../../../native/inference/engine.ts";
import { floatTensor, ggufByHand, type HandTensor, type HandValue } from "../../support/gguf_by_hand.ts";
import { randomSequences, temporaryFolder } from "./exported_model.ts";

const golden = JSON.parse(readFileSync(new URL("../../golden/gguf/k_quants.json", import.meta.url), "utf8"));
const folder = temporaryFolder("k-quants-");
afterAll(() => folder.remove());

const hidden = 256;
const vocab = 5; // rows of the golden file

/** Small deterministic values, another sequence for each seed. */
function floats(seed: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(seed + i * 1.7) * 0.2));
}

/** One Llama-shaped float layer; everything but embedding and head is float32 unless `linearOf` makes it. */
function model(
  tables: HandTensor[],
  linearOf?: (name: string) => HandTensor,
  quantizers = { weight: "none", activation: "none" },
  norm = floatTensor("output_norm.weight", [hidden], new Float32Array(hidden).fill(1)),
): Buffer {
  const metadata: Record<string, HandValue> = {
    "general.architecture": { string: "bitnet-lab" },
    "bitnet-lab.context_length": { u32: 64 },
    "bitnet-lab.embedding_length": { u32: hidden },
    "bitnet-lab.block_count": { u32: 1 },
    "bitnet-lab.feed_forward_length": { u32: 256 },
    "bitnet-lab.attention.head_count": { u32: 4 },
    "bitnet-lab.attention.layer_norm_rms_epsilon": { f32: 1e-5 },
    "bitnet-lab.hidden_act": { string: "silu" },
    "bitnet-lab.weight_quantizer": { string: quantizers.weight },
    "bitnet-lab.activation_quantizer": { string: quantizers.activation },
  };
  const linear = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"];
  const gain = new Float32Array(hidden).fill(1);
  return ggufByHand(metadata, [
    ...tables,
    norm,
    floatTensor("blk.0.attn_norm.weight", [hidden], gain),
    floatTensor("blk.0.ffn_norm.weight", [hidden], gain),
    ...linear.map((name, i) => {
      const weight = `blk.0.${name}.weight`;
      return linearOf?.(weight) ?? floatTensor(weight, [hidden, 256], floats(i, hidden * 256));
    }),
  ]);
}

function goldenValues(type: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(golden[type].values, "hex")).buffer);
}

async function logprobs(name: string, file: Buffer) {
  const target = path.join(folder.path, name);
  writeFileSync(target, file);
  const engine = await Engine.load(target, { threads: 2 });
  // Prefill, and token by token: different kernels decode the rows.
  const scores = [
    ...(await engine.score(randomSequences([40, 3], vocab))),
    ...(await engine.score(randomSequences([9], vocab), { chunk: "token" })),
  ];
  const { embeddingType } = engine.config;
  engine.dispose();
  return {
    embeddingType,
    finite: scores.every((score) => score.logprobs.every(Number.isFinite)),
    bits: scores.map((score) => [...new Uint32Array(score.logprobs.slice().buffer)]),
  };
}

/** 256 rows, the first two of the golden file in turn: the others have scales of no model. */
function rows256(all: Uint8Array): Uint8Array {
  const row = all.length / vocab;
  return Uint8Array.from({ length: 256 * row }, (_, i) => all[i % (2 * row)]!);
}

describe.each([
  ["Q6_K", 14],
  ["Q5_K", 13],
  ["Q4_K", 12],
  ["Q5_0", 6],
  ["Q4_0", 2],
  ["Q5_1", 7],
  ["Q4_1", 3],
] as const)("%s", (type, id) => {
  const bytes = new Uint8Array(Buffer.from(golden[type].bytes, "hex"));

  it.each([
    ["tied", ["token_embd.weight"]],
    ["untied", ["token_embd.weight", "output.weight"]],
  ] as const)("%s embedding and head give the bits of their values", async (name, tables) => {
    const packed = await logprobs(
      `${type}-${name}.gguf`,
      model(tables.map((table) => ({ name: table, sizes: [hidden, vocab], type: id, bytes }))),
    );
    const plain = await logprobs(
      `${type}-${name}-f32.gguf`,
      model(tables.map((table) => floatTensor(table, [hidden, vocab], goldenValues(type)))),
    );
    expect(packed.embeddingType).toBe(type);
    expect(packed.bits).toEqual(plain.bits);
    expect(packed.finite).toBe(true);
  });

  it("linear weights do, too", async () => {
    const table = floatTensor("token_embd.weight", [hidden, vocab], floats(9, hidden * vocab));
    const sizes = [hidden, 256];
    const packed = await logprobs(
      `${type}-linear.gguf`,
      model([table], (name) => ({ name, sizes, type: id, bytes: rows256(bytes) })),
    );
    const plain = await logprobs(
      `${type}-linear-f32.gguf`,
      model([table], (name) =>
        floatTensor(name, sizes, new Float32Array(rows256(new Uint8Array(goldenValues(type).buffer)).buffer)),
      ),
    );
    expect(packed.bits).toEqual(plain.bits);
    expect(packed.finite).toBe(true);
  });

  it("rows that are no whole blocks are refused", async () => {
    const table = { name: "token_embd.weight", sizes: [16, vocab], type: id, bytes };
    await expect(logprobs("odd.gguf", model([table]))).rejects.toThrow(
      /tensor "token_embd.weight" at byte \d+ has rows of 16 elements, Q\d_[K01] needs a multiple of (256|32)/,
    );
  });
});

/** Blocks of 32 whose values are 0 and +-8 d, by codes of -1, 0, 1. */
const ternaryBlocks = {
  Q5_0: { id: 6, head: [0, 0x30], high: 4, code: (ternary: number) => 16 + 8 * ternary },
  Q4_0: { id: 2, head: [0, 0x30], high: 0, code: (ternary: number) => 8 + 4 * ternary },
  // With the minimum -16 d, -8 d.
  Q5_1: { id: 7, head: [0, 0x30, 0, 0xc0], high: 4, code: (ternary: number) => 16 + 8 * ternary },
  Q4_1: { id: 3, head: [0, 0x30, 0, 0xbc], high: 0, code: (ternary: number) => 8 + 4 * ternary },
};

describe.each(Object.entries(ternaryBlocks))("ternary weights as %s", (type, { id, head, high, code }) => {
  /** d = 2^-3. */
  const scale = (type.startsWith("Q5") ? 8 : 4) * 0.125;
  const ternary = (seed: number) => Array.from({ length: hidden * 256 }, (_, i) => ((i * 7 + seed + (i >> 5)) % 3) - 1);

  function packed(values: readonly number[]): Uint8Array {
    const blocks = Array.from({ length: values.length / 32 }, (_, b) => {
      const codes = values.slice(32 * b, 32 * b + 32).map(code);
      const fifth = Array.from({ length: high }, (_, byte) =>
        codes.slice(8 * byte, 8 * byte + 8).reduce((bits, each, i) => bits | ((each >> 4) << i), 0),
      );
      return [
        ...head,
        ...fifth,
        ...Array.from({ length: 16 }, (_, m) => (codes[m]! & 15) | ((codes[16 + m]! & 15) << 4)),
      ];
    });
    return Uint8Array.from(blocks.flat());
  }

  it("have the bits of their values", async () => {
    const table = floatTensor("token_embd.weight", [hidden, vocab], floats(9, hidden * vocab));
    const quantizers = { weight: "absmean_ternary", activation: "absmax_int8" };
    const sizes = [hidden, 256];
    const stored = await logprobs(
      `${type}-ternary.gguf`,
      model([table], (name) => ({ name, sizes, type: id, bytes: packed(ternary(name.length)) }), quantizers),
    );
    const plain = await logprobs(
      `${type}-ternary-f32.gguf`,
      model(
        [table],
        (name) =>
          floatTensor(
            name,
            sizes,
            Float32Array.from(ternary(name.length), (each) => each * scale),
          ),
        quantizers,
      ),
    );
    expect(stored.bits).toEqual(plain.bits);
    expect(stored.finite).toBe(true);
  });

  it("are no gains of a norm", async () => {
    const table = floatTensor("token_embd.weight", [hidden, vocab], floats(9, hidden * vocab));
    const norm = { name: "output_norm.weight", sizes: [hidden], type: id, bytes: packed(ternary(0).slice(0, hidden)) };
    await expect(logprobs(`${type}-norm.gguf`, model([table], undefined, undefined, norm))).rejects.toThrow(
      `tensor "output_norm.weight" must be F32, F16 or BF16, not ${type}`,
    );
  });
});
