/** A GGUF file is read as the checkpoint that it was made of: exported again, it has the same bytes. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gguf } from "@huggingface/gguf";
import { afterAll, describe, expect, it } from "vitest";
import { aboutOfMetadata, exportModel, type GgufValue, planExport, readGgufMetadata } from "../../export/index.ts";
import { openCheckpoint, parameterReader } from "../../src/checkpoint/checkpoint.ts";
import { scalingOfFactors } from "../../src/checkpoint/gguf/model_keys.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import { writeGguf } from "../../src/gguf/gguf_writer.ts";
import { readerOf, smallConfig, smallParameters, smallTokenizer } from "../export/small_model.ts";

const folder = mkdtempSync(path.join(tmpdir(), "gguf-checkpoint-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Case {
  model?: Partial<ModelConfigJson>;
  target?: string;
  type?: string;
  embeddingType?: "q8_0" | "f32";
}

const float = { weight_quantizer: "none", activation_quantizer: "none" } as const;
const llama = { hidden_act: "silu", norm_placement: "pre", num_key_value_heads: 4 } as const;
const group = (size: 64 | 128 | 256) => ({ type: "absmean_ternary_group", group_size: size });
const about = { author: "Ann", license: "mit", tags: ["small"] };
const trainingFacts = { steps: 7, tokens: 70, loss: 2.5, validationLoss: 2.25, madeWith: "bitnet-lab 0.1.0" };

async function write(name: string, { model, target = "bitnet-lab", type, embeddingType }: Case) {
  const config = smallConfig(model);
  const file = path.join(folder, `${name.replaceAll(/\W+/g, "-")}.gguf`);
  const choice = { target, type, embeddingType, name: "small", about, trainingFacts };
  await exportModel(planExport(config, smallTokenizer(), choice), file, readerOf(smallParameters(config)));
  return file;
}

/** The file, read and exported again for the same target in its types. */
async function rewritten(file: string, { target = "bitnet-lab", type, embeddingType }: Case) {
  const checkpoint = await openCheckpoint(file);
  try {
    const out = file.replace(/gguf$/, "again.gguf");
    const facts = aboutOfMetadata(await readGgufMetadata(file));
    const choice = { target, type, embeddingType, name: "small", ...facts };
    const plan = planExport(checkpoint.config, checkpoint.tokenizer, choice);
    await exportModel(plan, out, parameterReader(checkpoint));
    return { out, config: checkpoint.config };
  } finally {
    await checkpoint.tensors.close();
  }
}

const cases: Record<string, Case> = {
  TQ2_0: {},
  TQ1_0: { type: "tq1_0" },
  "I2_S with float32 scales": { model: { scale_dtype: "f32" }, type: "i2_s" },
  "Q2_0, one scale a matrix": { type: "q2_0" },
  "ternary F16": { type: "f16" },
  "ternary F32 with bfloat16 scales": { model: { scale_dtype: "bf16" }, type: "f32" },
  "a scale a row": { model: { weight_quantizer: "absmean_ternary_row" } },
  "groups of 256": { model: { weight_quantizer: group(256) } },
  "groups of 128 in Q2_0": { model: { weight_quantizer: group(128) }, type: "q2_0" },
  "groups of 64 as F16": { model: { weight_quantizer: group(64) }, type: "f16" },
  "weights of integers with 16 levels": { model: { weight_quantizer: "int4" }, type: "f32" },
  "other ternary codes and a bias of theirs": { model: { weight_quantizer: "tequila_ternary" } },
  "learnt steps": { model: { weight_quantizer: { type: "lsq_ternary", scale_per: "row" } } },
  "4-bit activations": { model: { activation_quantizer: "absmax_int4" } },
  "sparse activations": { model: { activation_quantizer: { type: "topk_int8", keep: 0.39 } } },
  "an int8 head": { model: { embedding_dtype: "int8_row" } },
  "a ternary head, untied": { model: { embedding_quantizer: group(64), tie_word_embeddings: false } },
  "a ternary head with a scale a row": { model: { embedding_quantizer: "absmean_ternary_row" } },
  "another type of the embedding": { embeddingType: "q8_0" },
  "an mlp with a norm in every layer": {
    model: { norm_placement: "every_linear", feed_forward: "mlp", use_hadamard: true, qk_norm: true },
  },
  "llama for llama.cpp": { model: llama, target: "llama.cpp" },
  "llama with biases and Llama 3.1's positions": {
    model: {
      ...{ ...llama, ...float, attention_bias: true, mlp_bias: true },
      rope_scaling: {
        type: "llama3",
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 8192,
      },
    },
    target: "llama.cpp",
    type: "f16",
  },
  "bitnet for bitnet.cpp": { model: { num_key_value_heads: 4 }, target: "bitnet.cpp" },
  qwen2: { model: { ...llama, ...float, qkv_bias: true }, target: "llama.cpp", type: "bf16" },
  "qwen3 with yarn": {
    model: {
      ...{ ...llama, ...float, qk_norm: true, head_dim: 32 },
      rope_scaling: { type: "yarn", factor: 4, original_max_position_embeddings: 32, beta_fast: 32, beta_slow: 1 },
    },
    target: "llama.cpp",
    type: "q8_0",
  },
  gemma3: {
    model: {
      ...float,
      norm_placement: "pre_post",
      hidden_act: "gelu_tanh",
      qk_norm: true,
      sliding_window: 8,
      rope_theta: 1000000,
      embedding_multiplier: 16,
    },
    target: "llama.cpp",
    type: "f16",
  },
};

describe("exported again, the bytes are the same", () => {
  it.each(Object.entries(cases))("%s", async (name, each) => {
    const file = await write(name, each);
    const { out, config } = await rewritten(file, each);
    expect(readFileSync(out).equals(readFileSync(file))).toBe(true);
    const { hiddenAct, normPlacement, headDim, ropeScaling, slidingWindow } = smallConfig(each.model);
    expect(config).toMatchObject({ hiddenAct, normPlacement, headDim, ropeScaling, slidingWindow });
    expect(await seenByHuggingFace(out)).toEqual(await seenByUs(out));
  });
});

/** Names, types and shapes by @huggingface/gguf, another program's reader. */
async function seenByHuggingFace(file: string) {
  const { metadata, tensorInfos } = await gguf(file, { allowLocalFile: true });
  const tensors = tensorInfos.map(({ name, dtype, shape }) => [name, dtype, shape.map(Number).reverse()]);
  const name = (metadata as Record<string, unknown>)["general.name"];
  return { name, count: Number(metadata.tensor_count), tensors };
}

async function seenByUs(file: string) {
  const read = await GgufFile.open(file);
  await read.close();
  const tensors = read.tensors.map(({ name, type, shape }) => [name, type.id, [...shape]]);
  return { name: read.scalar("general.name"), count: tensors.length, tensors };
}

/** A copy of a file with other metadata, its tensors as they are. */
async function edited(file: string, name: string, change: (metadata: Map<string, GgufValue>) => void) {
  const source = await GgufFile.open(file);
  const metadata = new Map(source.metadata);
  change(metadata);
  const out = path.join(folder, name);
  const tensors = source.tensors.map(({ name: tensor, type, shape }) => ({
    ...{ name: tensor, type, shape },
    bytes: async function* () {
      yield await source.read(tensor);
    },
  }));
  await writeGguf(out, metadata, tensors);
  await source.close();
  return out;
}

const withoutOurKeys = (metadata: Map<string, GgufValue>) => {
  for (const key of [...metadata.keys()]) if (key.startsWith("bitnet-lab.")) metadata.delete(key);
};

describe("a file of another program", () => {
  it("has layers and scales by its architecture and types", async () => {
    const foreign = await edited(await write("2b4t", {}), "foreign.gguf", withoutOurKeys);
    const { config, configJson, tensors } = await openCheckpoint(foreign);
    await tensors.close();
    expect(config).toMatchObject({
      weightQuantizer: "absmean_ternary",
      activationQuantizer: "absmax_int8",
      hiddenAct: "relu2",
      normPlacement: "sub",
      rmsNormEps: 1e-5,
      scaleDtype: "f16",
    });
    expect(configJson).not.toHaveProperty("scale_dtype");
  });

  it("is a float model where only our keys would say that activations are quantized", async () => {
    const model = { ...llama, weight_quantizer: group(64) };
    const file = await write("ternary llama", { model, type: "q2_0" });
    const foreign = await edited(file, "q2_0.gguf", (metadata) => {
      for (const [key, value] of [...metadata]) {
        metadata.delete(key);
        if (!key.startsWith("bitnet-lab.")) continue;
        if (!key.includes(".", 11) || /attention|rope/.test(key))
          metadata.set(key.replace("bitnet-lab", "qwen3"), value);
      }
      metadata.set("general.architecture", { type: "string", value: "llama" });
      for (const [key, value] of [...metadata]) metadata.set(key.replace("qwen3", "llama"), value);
    });
    const checkpoint = await openCheckpoint(foreign);
    expect(checkpoint.config).toMatchObject({ weightQuantizer: "none", activationQuantizer: "none" });
    const [q] = await Promise.all([parameterReader(checkpoint)("model.layers.0.self_attn.o_proj.weight")]);
    expect(new Set(q.subarray(0, 64).map(Math.abs)).size).toBeLessThanOrEqual(2);
    await checkpoint.tensors.close();
  });

  it("is refused in one line where its graph is another", async () => {
    const file = await write("plain", {});
    const fault = async (name: string, key: string, value: GgufValue) =>
      openCheckpoint(await edited(file, `${name}.gguf`, (metadata) => metadata.set(key, value))).catch((error: Error) =>
        error.message.replace(/^.*\.gguf: /, ""),
      );
    expect(await fault("arch", "general.architecture", { type: "string", value: "mamba" })).toBe(
      "metadata general.architecture is mamba, which is not read",
    );
    expect(await fault("experts", "bitnet-b1.58.expert_count", { type: "uint32", value: 8 })).toBe(
      "metadata bitnet-b1.58.expert_count is 8: no graph here has anything of the kind",
    );
    expect(await fault("partial", "bitnet-b1.58.rope.dimension_count", { type: "uint32", value: 32 })).toBe(
      "tensor blk.0.attn_q.weight is [256,256], the keys ask for [128,256]",
    );
    expect(await fault("width", "bitnet-b1.58.feed_forward_length", { type: "uint32", value: 256 })).toBe(
      "tensor blk.0.ffn_gate.weight is [512,256], the keys ask for [256,256]",
    );
  });
});

it("factors of unknown making are refused", () => {
  expect(() => scalingOfFactors("x.gguf", Float32Array.of(1, 2, 3, 4), 10000)).toThrow(
    "x.gguf: rope_freqs.weight holds factors of RoPE that are not those of Llama 3.1 or 3.2",
  );
});
