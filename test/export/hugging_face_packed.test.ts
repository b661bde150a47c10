/**
 * Conversion of a checkpoint in the form of microsoft/bitnet-b1.58-2B-4T: config.json with Hugging Face's keys only,
 * uint8 weights [out / 4, in] with a bfloat16 weight_scale [1], everything else bfloat16. The GGUF file must have the
 * bits of the same model in bitnet.cpp's layout, made by hand.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Engine } from "../../native/inference/engine.ts";
import { type SafetensorsEntry, writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { tokenizerOf } from "../../src/gguf/gguf_tokenizer.ts";
import { byteBpeJson } from "../../src/tokenizer/byte_bpe_json.ts";
import { randomSequences, temporaryFolder } from "../native/inference/exported_model.ts";
import {
  floats,
  intermediate,
  matrices,
  officialFile,
  officialTensors,
  vocab,
  vocabulary,
  x86,
} from "../native/inference/official_file.ts";

vi.setConfig({ testTimeout: 300_000 });

const folder = temporaryFolder("hugging-face-packed-");
afterAll(() => folder.remove());
const script = fileURLToPath(new URL("../../cli/bin/bitnet-export.mjs", import.meta.url));

function bitnetExport(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: "utf8",
    cwd: folder.path,
  });
  return { status, stdout, stderr };
}

const configJson = {
  architectures: ["BitNetForCausalLM"],
  auto_map: { AutoConfig: "configuration_bitnet.BitNetConfig", AutoModelForCausalLM: "modeling_bitnet.BitNet" },
  bos_token_id: vocab - 3,
  eos_token_id: vocab - 2,
  hidden_act: "relu2",
  hidden_size: 256,
  initializer_range: 0.02,
  intermediate_size: intermediate,
  max_position_embeddings: 128,
  model_type: "bitnet",
  rms_norm_eps: 1e-5,
  num_attention_heads: 4,
  num_hidden_layers: 2,
  num_key_value_heads: 2,
  rope_theta: 500000.0,
  tie_word_embeddings: true,
  torch_dtype: "bfloat16",
  use_cache: true,
  vocab_size: vocab,
  quantization_config: { quant_method: "bitnet", linear_class: "autobitlinear", quantization_mode: "offline" },
};

/** Bits of values that are bfloat16 already. */
const bfloat16 = (values: Float32Array) => new Uint16Array(values.slice().buffer).filter((_, i) => i % 2 === 1);

/** Row r + i * rows / 4 of the codes in bits 2i of row r. */
function packed(codes: Int8Array): Uint8Array {
  const quarter = codes.length / 4;
  return Uint8Array.from({ length: quarter }, (_, j) =>
    [0, 1, 2, 3].reduce((byte, i) => byte | ((codes[j + i * quarter]! + 1) << (2 * i)), 0),
  );
}

function entries(): SafetensorsEntry[] {
  const plain = [...floats()].map(([name, values]): SafetensorsEntry => {
    const shape = name === "model.embed_tokens.weight" ? [vocab, 256] : [values.length];
    return { name, shape, dtype: "BF16", data: () => bfloat16(values) };
  });
  const ternary = matrices(true).flatMap(({ parameter, rows, cols, codes, scale }): SafetensorsEntry[] => [
    { name: parameter, shape: [rows / 4, cols], dtype: "U8", data: () => packed(codes) },
    { name: `${parameter}_scale`, shape: [1], dtype: "BF16", data: () => bfloat16(Float32Array.of(scale)) },
  ]);
  return [...plain, ...ternary];
}

/** A directory with the official files; `config` replaces keys, `tensors` the weights. */
async function checkpoint(name: string, config: object = {}, tensors = entries()): Promise<void> {
  const directory = path.join(folder.path, name);
  mkdirSync(directory);
  const write = (file: string, json: object) => writeFileSync(path.join(directory, file), JSON.stringify(json));
  write("config.json", { ...configJson, ...config });
  write("generation_config.json", { bos_token_id: vocab - 3, eos_token_id: [vocab - 2, vocab - 1] });
  const ids = Object.fromEntries(vocabulary().map((token, id) => [token, id]));
  const special = vocabulary().filter((token) => token.startsWith("<|"));
  const json = byteBpeJson(
    ids,
    [
      ["h", "e"],
      ["he", "l"],
    ],
    "llama3",
    { specialTokens: special, bosToken: "<|begin_of_text|>", eosToken: "<|end_of_text|>" },
  );
  write("tokenizer.json", json);
  write("tokenizer_config.json", {
    added_tokens_decoder: {},
    bos_token: "<|begin_of_text|>",
    eos_token: { content: "<|end_of_text|>", lstrip: false },
    tokenizer_class: "PreTrainedTokenizerFast",
  });
  writeFileSync(path.join(directory, "chat_template.jinja"), "{{ messages[0].content }}<|eot_id|>");
  await writeSafetensors(path.join(directory, "model.safetensors"), tensors, { format: "pt" });
}

describe("a packed checkpoint of Hugging Face", () => {
  beforeAll(() => checkpoint("official"));

  it.each(["tq2_0", "tq1_0", "i2_s"])("becomes %s with the bits of the model", async (type) => {
    const { status, stdout, stderr } = bitnetExport(
      "official",
      "--out",
      `${type}.gguf`,
      "--type",
      type,
      "--verify",
      "tensors",
    );
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toContain(`bitnet-b1.58, ${type}, embedding bf16`);
    expect(stdout).toMatch(/verified: 14 matrices \([\d,]+ ternary codes and their scales\) and 10 float tensors/);

    const byHand = path.join(folder.path, "by_hand.gguf");
    writeFileSync(byHand, officialFile(officialTensors(x86)));
    const engines = await Promise.all([Engine.load(path.join(folder.path, `${type}.gguf`)), Engine.load(byHand)]);
    const [converted, official] = await Promise.all(
      engines.map((engine) => engine.score(randomSequences([50, 3], vocab))),
    );
    const [tokenizer, fromKeys] = engines.map(tokenizerOf);
    for (const engine of engines) engine.dispose();
    expect(converted).toEqual(official);
    expect(tokenizer!.encode("hello 123")).toEqual(fromKeys!.encode("hello 123"));
    expect(tokenizer!.config?.chat_template).toBe("{{ messages[0].content }}<|eot_id|>");
  });

  it("is compared with the training forward, and goes to bitnet.cpp", () => {
    const { status, stdout } = bitnetExport("official", "--out", "cpp.gguf", "--target", "bitnet.cpp");
    expect(status).toBe(0);
    expect(stdout).toMatch(/log-probabilities identical to the training forward/);
  });

  it("of Llama's shape runs with ternary weights and int8 activations", async () => {
    const tensors = entries().filter(({ name }) => !name.includes("sub_norm"));
    const config = { model_type: "llama", architectures: ["LlamaForCausalLM"], hidden_act: "silu" };
    await checkpoint("llama", config, tensors);
    const { stdout, status } = bitnetExport("llama", "--out", "llama.gguf", "--verify", "tensors");
    expect(status).toBe(0);
    expect(stdout).toContain("bitnet-lab, tq2_0, embedding bf16");
    const engine = await Engine.load(path.join(folder.path, "llama.gguf"));
    expect(engine.config).toMatchObject({
      hiddenAct: "silu",
      normPlacement: "pre",
      weightQuantizer: "absmean_ternary",
      activationQuantizer: "absmax_int8",
    });
    engine.dispose();
  });
});

describe("a packed checkpoint that would be read wrongly is refused", () => {
  const weight = "model.layers.1.mlp.up_proj.weight";
  const bitnet = configJson.quantization_config;
  const changed = (name: string, change: (entry: SafetensorsEntry) => SafetensorsEntry | null) =>
    entries().flatMap((entry) => (entry.name === name ? (change(entry) ?? []) : [entry]));

  it.each<[string, object, () => SafetensorsEntry[], string]>([
    ["another quantizer", { quantization_config: { quant_method: "gptq" } }, entries, 'quant_method "gptq"'],
    ["norms", { quantization_config: { ...bitnet, use_rms_norm: true } }, entries, "use_rms_norm is not supported"],
    [
      "excluded layers",
      { quantization_config: { ...bitnet, modules_to_not_convert: ["lm_head", "down_proj"] } },
      entries,
      'modules_to_not_convert: "down_proj"',
    ],
    ["a window", { sliding_window: 64 }, entries, "sliding_window 64 is not supported"],
    ["no scale", {}, () => changed(`${weight}_scale`, () => null), `has no tensor ${weight}_scale`],
    [
      "one latent matrix",
      {},
      () =>
        changed(weight, (entry) => ({
          ...entry,
          shape: [intermediate, 256],
          dtype: "BF16",
          data: () => new Uint16Array(intermediate * 256),
        })).filter(({ name }) => name !== `${weight}_scale`),
      `${weight} is BF16, model.layers.0.self_attn.q_proj.weight U8`,
    ],
    [
      "a fourth code",
      {},
      () => changed(weight, (entry) => ({ ...entry, data: () => new Uint8Array((intermediate / 4) * 256).fill(0xc0) })),
      `${weight} holds a code that is not ternary`,
    ],
  ])("%s", async (name, config, tensors, reason) => {
    await checkpoint(name, config, tensors());
    const { status, stderr } = bitnetExport(name, "--out", "refused.gguf", "--verify", "tensors");
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain(reason);
    expect(existsSync(path.join(folder.path, "refused.gguf"))).toBe(false);
  });
});
