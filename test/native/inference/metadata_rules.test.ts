/** Every surprise in the metadata is an error that names the key; what changes nothing is accepted. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Engine } from "../../../native/inference/engine.ts";
import { tokenizerOf } from "../../../src/gguf/gguf_tokenizer.ts";
import { floatTensor, type HandTensor, type HandValue } from "../../support/gguf_by_hand.ts";
import { temporaryFolder } from "./exported_model.ts";
import { officialFile, officialTensors, x86 } from "./official_file.ts";

const folder = temporaryFolder("metadata-rules-");
afterAll(() => folder.remove());
const target = path.join(folder.path, "model.gguf");
const tensors = officialTensors(x86);

function load(changes: Record<string, HandValue | null>, changed: HandTensor[] = tensors): Promise<Engine> {
  writeFileSync(target, officialFile(changed, changes));
  return Engine.load(target);
}

async function failure(changes: Record<string, HandValue | null>, changed?: HandTensor[]): Promise<string> {
  const error = await load(changes, changed).then(
    (engine) => {
      engine.dispose();
      throw new Error("the file was accepted");
    },
    (reason) => reason,
  );
  expect(error.name).toBe("ModelFileError");
  expect(error.message).not.toContain("\n");
  return error.message;
}

const under = (key: string) => `bitnet-b1.58.${key}`;

describe("keys of the architecture", () => {
  it.each<[string, HandValue, string]>([
    ["rope.scaling.type", { string: "longrope" }, 'is "longrope", valid are "none", "linear" and "yarn"'],
    ["rope.scaling.type", { string: "linear\nnone" }, 'is "linear?none"'],
    ["rope.scaling.factor", { f32: 0 }, "must be a positive number"],
    ["rope.scaling.attn_factor", { f32: 1.5 }, "is 1.5: this engine has nothing of the kind"],
    ["rope.scale_linear", { f32: 0.25 }, "is 0.25"],
    ["attention.sliding_window", { u32: 4096 }, "is 4096"],
    ["attention.causal", { bool: false }, "is false"],
    ["expert_count", { u32: 8 }, "is 8"],
    ["final_logit_softcapping", { f32: 30 }, "is 30"],
    ["logit_scale", { f32: 0.0625 }, "is 0.0625"],
    ["attention.head_count", { u32: 0 }, "must be an integer from 1 to"],
    ["attention.head_count_kv", { u32: 3 }, '"bitnet-b1.58.attention.head_count_kv" (3) must divide'],
    ["attention.head_count_kv", { i32s: [2, 1] }, "must be an integer from 1 to"],
    ["attention.value_length", { u32: 32 }, "(32) differs from the size of query and key heads (64)"],
    ["rope.dimension_count", { u32: 0 }, "must be an integer from 1 to"],
    ["attention.layer_norm_rms_epsilon", { f32: 0 }, "must be a positive number"],
    ["rope.freq_base", { f32: Number.NaN }, "must be a positive number"],
    ["vocab_size", { u32: 299 }, 'is 299, but "token_embd.weight" has 300 rows'],
    ["attention.temperature_length", { u32: 1 }, "the key is not known to this engine"],
    ["rope.dimension_sections", { i32s: [1, 2] }, "is an array: the key is not known"],
  ])("%s = %j is refused", async (key, value, reason) => {
    const message = await failure({ [under(key)]: value });
    expect(message).toContain(`metadata "${under(key)}"`);
    expect(message).toContain(reason);
  });

  it.each(["context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count"])(
    "%s is required",
    async (key) => {
      expect(await failure({ [under(key)]: null })).toContain(`metadata "${under(key)}" is missing`);
    },
  );

  it("that llama.cpp's converters write without effect are accepted", async () => {
    const engine = await load({
      [under("rope.scaling.type")]: { string: "linear" },
      [under("rope.scaling.factor")]: { f32: 1 },
      [under("attention.key_length")]: { u32: 64 },
      [under("attention.value_length")]: { u32: 64 },
      [under("attention.sliding_window")]: { u32: 0 },
      [under("expert_count")]: { u32: 0 },
      "general.type": { string: "model" },
      "general.license": { string: "mit" },
      "quantize.imatrix.file": { string: "x" },
      "llama.attention.sliding_window": { u32: 512 },
    });
    expect(engine.config.ropeTheta).toBe(500000);
    engine.dispose();
  });
});

describe("keys of the file", () => {
  it.each<[string, HandValue, string]>([
    ["general.architecture", { string: "gemma" }, 'is "gemma", which is not supported'],
    ["general.type", { string: "adapter" }, "the file is no model"],
    ["general.quantization_version", { u32: 1 }, "only the block layouts of version 2 are known"],
    ["general.alignment", { u32: 20 }, "multiple of 8"],
    ["split.count", { f32: -1 }, "is no number of files"],
    ["tokenizer.ggml.eos_token_id", { u32: 300 }, "the vocabulary has the ids 0 to 299"],
    ["tokenizer.ggml.bos_token_id", { string: "<s>" }, "the vocabulary has the ids 0 to 299"],
    ["tokenizer.ggml.tokens", { strings: Array(301).fill("x") }, "has 301 entries"],
    ["bitnet-lab.version", { u32: 2 }, "this engine knows version 1 of its own keys"],
    ["bitnet-lab.hidden_act", { string: "silu" }, "contradicts the architecture"],
    ["bitnet-lab.hidden_act", { string: "gelu" }, 'valid are "relu2", "silu" and "gelu_tanh"'],
    ["bitnet-lab.activation_quantizer", { string: "absmax_int4" }, 'contradicts the architecture ("absmax_int8")'],
    ["bitnet-lab.activation_quantizer", { string: "int4" }, '"absmax_int4", "absmean_int4" and "none"'],
    ["bitnet-lab.activation_keep", { f32: 0.5 }, "of a bitnet-lab model"],
    ["bitnet-lab.norm_placement", { string: "every_linear" }, 'contradicts the architecture ("sub")'],
    ["bitnet-lab.feed_forward", { string: "mlp" }, 'contradicts the architecture ("gated")'],
    ["bitnet-lab.use_hadamard", { bool: true }, "contradicts the architecture"],
    [
      "bitnet-lab.quantization.scale_group",
      { u32: 32 },
      "must be the uint32 0 (the matrix), 1 (a row), 64, 128 or 256",
    ],
    ["bitnet-lab.act_order", { u32: 2 }, "the key is not known"],
  ])("%s = %j is refused", async (key, value, reason) => {
    const message = await failure({ [key]: value });
    expect(message).toContain(`metadata "${key}"`);
    expect(message).toContain(reason);
  });

  it.each<[string, HandValue | null, string]>([
    [
      "model",
      { string: "rwkv" },
      "tokenizer.ggml.model is rwkv (gpt2, byte-level BPE, llama, SentencePiece, and bert,",
    ],
    ["model", null, "tokenizer.ggml.model is missing"],
    [
      "pre",
      { string: "deepseek-llm" },
      "tokenizer.ggml.pre is deepseek-llm, which is not known; give the model's own by --tokenizer",
    ],
    ["tokens", null, "tokenizer.ggml.tokens is missing"],
    ["merges", null, "tokenizer.ggml.merges is missing"],
    ["merges", { strings: ["h e", "hel"] }, 'entry 1 of its tokenizer.ggml.merges, "hel", is no pair'],
    ["merges", { strings: ["x y"] }, 'entry 0 of its tokenizer.ggml.merges, "x y", is no pair'],
    ["token_type", { i32s: [1, 1] }, "tokenizer.ggml.token_type has 2 entries for 300 tokens"],
    ["eos_token_id", null, "tokenizer.ggml.eos_token_id is missing"],
  ])("tokenizer.ggml.%s = %j is refused where text is needed", async (key, value, reason) => {
    const engine = await load({ [`tokenizer.ggml.${key}`]: value });
    expect(() => tokenizerOf(engine)).toThrow(reason);
    engine.dispose();
  });
});

describe("tensors", () => {
  const without = (name: string) => tensors.filter((tensor) => tensor.name !== name);

  it.each(["token_embd.weight", "output_norm.weight", "blk.1.attn_q.weight", "blk.0.ffn_sub_norm.weight"])(
    "%s is required",
    async (name) => {
      expect(await failure({}, without(name))).toContain(`tensor "${name}" is missing`);
    },
  );

  it.each(["blk.0.attn_q.bias", "blk.2.attn_norm.weight", "rope_factors_long.weight", "blk.0.ffn_gate_exps.weight"])(
    "%s is not known",
    async (name) => {
      const extra = floatTensor(name, [4], new Float32Array(4));
      expect(await failure({}, [...tensors, extra])).toContain(`tensor "${name}" is not known to this engine`);
    },
  );

  it("of scaled rotary frequencies have a positive factor for each, and no other scaling", async () => {
    const factors = (count: number, value: number) =>
      floatTensor("rope_freqs.weight", [count], new Float32Array(count).fill(value));
    expect(await failure({}, [...tensors, factors(31, 1)])).toContain('tensor "rope_freqs.weight" must be F32 [32]');
    expect(await failure({}, [...tensors, factors(32, 0)])).toContain("a factor that is not positive");
    const both = failure({ [under("rope.scaling.factor")]: { f32: 8 } }, [...tensors, factors(32, 2)]);
    expect(await both).toContain("both scale the rotary embedding");
  });

  it("of norms must be floats one by one", async () => {
    const norm = { name: "output_norm.weight", sizes: [256], type: 8, bytes: new Uint8Array((256 / 32) * 34) };
    const message = await failure({}, [...without(norm.name), norm]);
    expect(message).toContain('tensor "output_norm.weight" must be F32, F16 or BF16, not Q8_0');
  });
});
