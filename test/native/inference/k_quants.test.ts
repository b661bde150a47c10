/** K-quants, Q5_0 and Q4_0 in the engine: the bits of the same model with the gguf package's values as F32. */
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
function model(tables: HandTensor[], linearOf?: (name: string) => HandTensor): Buffer {
  const metadata: Record<string, HandValue> = {
    "general.architecture": { string: "bitnet-lab" },
    "bitnet-lab.context_length": { u32: 64 },
    "bitnet-lab.embedding_length": { u32: hidden },
    "bitnet-lab.block_count": { u32: 1 },
    "bitnet-lab.feed_forward_length": { u32: 256 },
    "bitnet-lab.attention.head_count": { u32: 4 },
    "bitnet-lab.attention.layer_norm_rms_epsilon": { f32: 1e-5 },
    "bitnet-lab.hidden_act": { string: "silu" },
    "bitnet-lab.weight_quantizer": { string: "none" },
    "bitnet-lab.activation_quantizer": { string: "none" },
  };
  const linear = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"];
  const gain = new Float32Array(hidden).fill(1);
  return ggufByHand(metadata, [
    ...tables,
    floatTensor("output_norm.weight", [hidden], gain),
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
      /tensor "token_embd.weight" at byte \d+ has rows of 16 elements, Q\d_[K0] needs a multiple of (256|32)/,
    );
  });
});
