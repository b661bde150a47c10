import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadCausalLM, openCheckpoint, readParameter } from "../../src/checkpoint/checkpoint.ts";
import { modelConfigJson, readModelConfig } from "../../src/checkpoint/model_config_json.ts";
import { latentFromTernary, packTernary, unpackTernary } from "../../src/checkpoint/packed_ternary.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_file.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { writeCheckpoint } from "../../src/checkpoint/write_checkpoint.ts";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { initialValues } from "../../src/model/initialization.ts";
import { modelParameters, parameterSize } from "../../src/model/parameters.ts";
import { absmeanTernary } from "../../src/quantizers/absmean_ternary.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { useBackend } from "../support/tfjs_backends.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-checkpoint-"));
afterAll(() => rmSync(folder, { recursive: true }));

const golden = path.resolve(import.meta.dirname, "../golden");
const tinyBitnet = path.join(golden, "lm_eval/models/tiny-bitnet");

const configOf = (keys: object) =>
  resolveModelConfig(
    modelConfigSchema.parse({
      hidden_size: 16,
      num_hidden_layers: 1,
      intermediate_size: 24,
      num_attention_heads: 2,
      vocab_size: 10,
      ...keys,
    }),
  );
const config = configOf({ tie_word_embeddings: false, embedding_dtype: "bf16", rope_theta: 1234 });
const specs = modelParameters(config);
const valuesOf = (name: string) => initialValues(specs.find((spec) => spec.name === name)!, config, 3);

/** A fresh valid checkpoint to damage. */
async function validCheckpoint(name: string): Promise<string> {
  const directory = path.join(folder, name);
  await writeCheckpoint(directory, { config, tokenizer: null, parameters: valuesOf });
  return directory;
}

function editConfig(directory: string, edit: (json: Record<string, unknown>) => void): void {
  const file = path.join(directory, "config.json");
  const json = JSON.parse(readFileSync(file, "utf8"));
  edit(json);
  writeFileSync(file, JSON.stringify(json));
}

describe("our checkpoints", () => {
  test("write and open: configuration, tensors, no tokenizer", async () => {
    const directory = await validCheckpoint("plain");
    expect(readdirSync(directory).sort()).toEqual(["config.json", "model.safetensors"]);
    const checkpoint = await openCheckpoint(directory);
    expect(checkpoint.config).toEqual(config);
    expect(checkpoint.tokenizer).toBeNull();
    expect(checkpoint.configJson).toMatchObject({ model_type: "bitnet", architectures: ["BitNetForCausalLM"] });
    for (const spec of specs) expect(await readParameter(checkpoint, spec)).toEqual(valuesOf(spec.name));
    await checkpoint.tensors.close();
  });

  test.each([
    ["a BitNet", {}, "bitnet", "online"],
    ["its float twin", { weight_quantizer: "none", activation_quantizer: "none" }, "bitnet", undefined],
    ["ternary weights alone", { activation_quantizer: "none" }, "bitnet-lab", undefined],
    ["a BitNet without sub-norms", { norm_placement: "pre" }, "llama", "online"],
    ["a ternary Qwen3", { norm_placement: "pre", hidden_act: "silu", qk_norm: true }, "qwen3", "online"],
    ["a BitNet with QK norm", { qk_norm: true, rope_scaling: { type: "linear", factor: 2 } }, "bitnet-lab", undefined],
    ["a BitNet with a norm in every linear layer", { norm_placement: "every_linear" }, "bitnet-lab", undefined],
    ["a BitNet with a Hadamard transform", { use_hadamard: true }, "bitnet-lab", undefined],
    [
      "a float model without gate",
      { weight_quantizer: "none", activation_quantizer: "none", norm_placement: "pre", feed_forward: "mlp" },
      "bitnet-lab",
      undefined,
    ],
    [
      "a Llama",
      { weight_quantizer: "none", activation_quantizer: "none", use_sub_norms: false, hidden_act: "silu" },
      "llama",
      undefined,
    ],
  ])("%s is what transformers takes it for, or unknown to it", (_, keys, type, mode) => {
    const chosen = configOf(keys);
    const json = modelConfigJson(chosen, null);
    const quantization = json.quantization_config as { quantization_mode: string } | undefined;
    expect([json.model_type, quantization?.quantization_mode]).toEqual([type, mode]);
    expect(readModelConfig(json, () => undefined)).toEqual(chosen);
  });

  test("the tokenizer and its ids come along", async () => {
    const original = await openCheckpoint(tinyBitnet);
    const directory = path.join(folder, "with-tokenizer");
    await writeCheckpoint(directory, {
      config: original.config,
      tokenizer: original.tokenizer,
      parameters: (name) => original.tensors.readFloat32(name),
    });
    await original.tensors.close();
    const copy = await openCheckpoint(directory);
    await copy.tensors.close();
    expect(copy.config).toEqual(original.config);
    expect(copy.tokenizer?.hash).toBe(original.tokenizer?.hash);
    expect(copy.configJson).toMatchObject({ bos_token_id: 0, eos_token_id: 1 });
    expect(copy.tokenizer?.encode("Question: How do I boil water?")).toEqual(
      original.tokenizer?.encode("Question: How do I boil water?"),
    );
  });

  test("a failed write leaves the old checkpoint and nothing else", async () => {
    const directory = await validCheckpoint("kept");
    const failing = writeCheckpoint(directory, {
      config,
      tokenizer: null,
      parameters: valuesOf,
      writeExtra: async () => {
        throw new Error("power cut");
      },
    });
    await expect(failing).rejects.toThrow("power cut");
    const checkpoint = await openCheckpoint(directory);
    await checkpoint.tensors.close();
    expect(readdirSync(folder).filter((name) => name.includes("kept"))).toEqual(["kept"]);
  });

  test("extra files are there before the directory has its name; other people's directories are not replaced", async () => {
    const directory = path.join(folder, "extra");
    await writeCheckpoint(directory, {
      config,
      tokenizer: null,
      parameters: valuesOf,
      writeExtra: async (temporary) => {
        expect(existsSync(directory)).toBe(false);
        writeFileSync(path.join(temporary, "trainer.json"), "{}");
      },
    });
    expect(existsSync(path.join(directory, "trainer.json"))).toBe(true);
    const precious = path.join(folder, "precious");
    mkdirSync(precious);
    writeFileSync(path.join(precious, "thesis.txt"), "");
    await expect(writeCheckpoint(precious, { config, tokenizer: null, parameters: valuesOf })).rejects.toThrow(
      "holds other files",
    );
  });

  test("a run directory opens its latest checkpoint", async () => {
    const run = path.join(folder, "run");
    mkdirSync(path.join(run, "checkpoints"), { recursive: true });
    await expect(openCheckpoint(run)).rejects.toThrow(`${run}: the run has no checkpoint yet`);
    await writeCheckpoint(path.join(run, "checkpoints", "step-00000002"), {
      config,
      tokenizer: null,
      parameters: valuesOf,
    });
    writeFileSync(path.join(run, "checkpoints", "latest"), "step-00000002\n");
    for (const named of [run, path.join(run, "checkpoints", "latest")]) {
      const checkpoint = await openCheckpoint(named);
      await checkpoint.tensors.close();
      expect(path.basename(checkpoint.directory)).toBe("step-00000002");
    }
  });
});

describe("checkpoints that do not fit", () => {
  const damaged: Record<string, [(directory: string) => void | Promise<void>, RegExp]> = {
    "no directory": [(d) => rmSync(d, { recursive: true }), /: no such directory$/],
    "no config.json": [(d) => rmSync(path.join(d, "config.json")), /is not a checkpoint: it has no config\.json/],
    "config.json is no JSON": [
      (d) => writeFileSync(path.join(d, "config.json"), "{"),
      /config\.json is not valid JSON/,
    ],
    "config.json is a list": [(d) => writeFileSync(path.join(d, "config.json"), "[]"), /not a JSON object/],
    "no weights": [(d) => rmSync(path.join(d, "model.safetensors")), /cannot read .*model\.safetensors: no such file/],
    "a larger tokenizer": [
      (d) => cpSync(path.join(tinyBitnet, "tokenizer.json"), path.join(d, "tokenizer.json")),
      /tokenizer\.json: the tokenizer has the id \d+ .*, the model only 10 embedding rows: they do not belong together/,
    ],
    "another width": [
      (d) => editConfig(d, (json) => Object.assign(json, { hidden_size: 32, head_dim: 8 })),
      /model\.embed_tokens\.weight has shape \[10,16\], config\.json asks for \[10,32\]/,
    ],
    "more layers": [
      (d) => editConfig(d, (json) => Object.assign(json, { num_hidden_layers: 2 })),
      /has no tensor model\.layers\.1\.input_layernorm\.weight/,
    ],
    "fewer tensors wanted": [
      (d) => editConfig(d, (json) => Object.assign(json, { norm_placement: "pre" })),
      /no model of model_type bitnet has norm_placement: pre/,
    ],
    "wrong type": [
      (d) => editConfig(d, (json) => Object.assign(json, { hidden_size: "16" })),
      /config\.json: hidden_size: .*expected number/,
    ],
    "heads that do not divide": [
      (d) => editConfig(d, (json) => Object.assign(json, { num_key_value_heads: 3 })),
      /config\.json: num_key_value_heads \(3\) must divide num_attention_heads \(2\)/,
    ],
  };

  test.each(Object.keys(damaged))("%s", async (name) => {
    const [damage, message] = damaged[name];
    const directory = await validCheckpoint(name);
    await damage(directory);
    await expect(openCheckpoint(directory)).rejects.toThrow(message);
    await expect(openCheckpoint(directory)).rejects.not.toThrow("\n");
  });
});

describe("Hugging Face configurations", () => {
  const huggingFace = async (name: string, edit: (json: Record<string, unknown>) => void) => {
    const directory = path.join(folder, name);
    cpSync(tinyBitnet, directory, { recursive: true });
    editConfig(directory, edit);
    const checkpoint = await openCheckpoint(directory);
    await checkpoint.tensors.close();
    return checkpoint.config;
  };

  test("BitNet: quantizers on, f32 scale and embedding, rope_parameters", async () => {
    expect(await huggingFace("hf", () => {})).toMatchObject({
      weightQuantizer: "absmean_ternary",
      activationQuantizer: "absmax_int8",
      scaleDtype: "f32",
      embeddingDtype: "f32",
      hiddenAct: "relu2",
      normPlacement: "sub",
      tieWordEmbeddings: true,
      ropeTheta: 500000,
      headDim: 32,
    });
  });

  test("top-level rope_theta; a missing tie_word_embeddings follows the tensors", async () => {
    const edited = await huggingFace("hf-theta", (json) => {
      delete json.rope_parameters;
      delete json.tie_word_embeddings;
      json.rope_theta = 777;
    });
    expect(edited).toMatchObject({ ropeTheta: 777, tieWordEmbeddings: true });
  });

  test("Llama: float linears, no sub-norms", async () => {
    const checkpoint = await openCheckpoint(path.join(golden, "lm_eval/models/tiny-llama"));
    await checkpoint.tensors.close();
    expect(checkpoint.config).toMatchObject({
      weightQuantizer: "none",
      activationQuantizer: "none",
      normPlacement: "pre",
      hiddenAct: "silu",
      ropeTheta: 10000,
      embeddingDtype: "f32",
    });
  });

  test.each<[string, (json: Record<string, unknown>) => void, RegExp]>([
    ["another model", (json) => Object.assign(json, { model_type: "gpt2" }), /model_type "gpt2" is not supported/],
    ["a name of Object.prototype", (json) => Object.assign(json, { model_type: "toString" }), /is not supported/],
    ["biases", (json) => Object.assign(json, { attention_bias: true }), /attention_bias true is not supported/],
    [
      "scaled RoPE",
      (json) => Object.assign(json, { rope_parameters: { rope_type: "longrope" } }),
      /rope type "longrope"/,
    ],
    ["another activation", (json) => Object.assign(json, { hidden_act: "gelu" }), /hidden_act: /],
  ])("%s is refused", async (name, edit, message) => {
    await expect(huggingFace(name, edit)).rejects.toThrow(message);
  });
});

describe("packed ternary weights", () => {
  test("packing is the inverse of unpacking", () => {
    const rng = new CounterRng(1, "codes");
    const codes = Int8Array.from({ length: 12 * 7 }, () => rng.integer(3) - 1);
    expect(unpackTernary(packTernary(codes, 12, 7), 12, 7)).toEqual(codes);
  });

  test("latent weights quantize to exactly the packed codes and scale", () => {
    const rng = new CounterRng(2, "latent");
    for (let trial = 0; trial < 200; trial++) {
      const [rows, cols] = [1 + rng.integer(40), 1 + rng.integer(60)];
      const zeros = rng.uniform();
      const codes = Int8Array.from({ length: rows * cols }, () =>
        rng.uniform() < zeros ? 0 : rng.uniform() < 0.5 ? 1 : -1,
      );
      const scale = Math.fround(2 ** (8 * rng.uniform() - 10));
      const ternary = absmeanTernary(latentFromTernary(codes, scale), rows, cols, "f32");
      expect(ternary.codes.map((code) => code + 0)).toEqual(codes);
      if (codes.some((code) => code !== 0)) expect(ternary.weightScale).toBe(scale);
    }
  });

  describe.each([
    ["autobitlinear", (absmean: number) => absmean],
    ["bitlinear", (absmean: number) => Math.fround(1 / absmean)],
  ] as const)("%s", (linearClass, stored) => {
    const directory = path.join(folder, `packed-${linearClass}`);

    beforeAll(async () => {
      const latent = await openCheckpoint(tinyBitnet);
      cpSync(tinyBitnet, directory, { recursive: true });
      editConfig(directory, (json) => {
        json.quantization_config = { quant_method: "bitnet", linear_class: linearClass, quantization_mode: "offline" };
      });
      const entries = [];
      for (const { name, shape, kind } of modelParameters(latent.config)) {
        const values = await latent.tensors.readFloat32(name);
        if (kind !== "matrix") {
          entries.push({ name, shape, dtype: "F32" as const, data: () => values });
          continue;
        }
        const [rows, cols] = shape;
        const { codes, weightScale } = absmeanTernary(values, rows, cols, "f32");
        const packed = packTernary(codes, rows, cols);
        entries.push({ name, shape: [rows / 4, cols], dtype: "U8" as const, data: () => packed });
        const scale = Float32Array.of(stored(weightScale));
        entries.push({ name: `${name}_scale`, shape: [1], dtype: "F32" as const, data: () => scale });
      }
      await latent.tensors.close();
      await writeSafetensors(path.join(directory, "model.safetensors"), entries);
    });

    test("gives the logits of the latent checkpoint", async () => {
      await useBackend("cpu");
      const logits: Float32Array[] = [];
      for (const source of [tinyBitnet, directory]) {
        const checkpoint = await openCheckpoint(source);
        const lm = await loadCausalLM(checkpoint);
        await checkpoint.tensors.close();
        logits.push(
          tf.tidy(() => lm.logits(tf.tensor2d([[0, 426, 17, 99]], undefined, "int32")).dataSync<"float32">()),
        );
        lm.dispose();
      }
      // The reciprocal of a reciprocal may differ in the last bit; the codes are the same.
      logits[0].forEach((value, i) => {
        expect(Math.abs(value - logits[1][i])).toBeLessThan(linearClass === "autobitlinear" ? 1e-30 : 5e-3);
      });
    });

    test("a missing or absurd scale is named", async () => {
      const tensors = await SafetensorsFile.open(path.join(directory, "model.safetensors"));
      const scaleName = "model.layers.0.self_attn.q_proj.weight_scale";
      const entries = [];
      for (const name of tensors.names()) {
        const bytes = await tensors.readBytes(name);
        entries.push({ name, ...tensors.info(name), data: () => bytes });
      }
      await tensors.close();
      const broken = path.join(folder, `broken-${linearClass}`);
      cpSync(directory, broken, { recursive: true });
      const weights = path.join(broken, "model.safetensors");
      await writeSafetensors(
        weights,
        entries.filter(({ name }) => name !== scaleName),
      );
      await expect(openCheckpoint(broken)).rejects.toThrow(`has no tensor ${scaleName}`);
      await writeSafetensors(
        weights,
        entries.map((entry) => (entry.name === scaleName ? { ...entry, data: () => Float32Array.of(-1) } : entry)),
      );
      const checkpoint = await openCheckpoint(broken);
      await expect(loadCausalLM(checkpoint)).rejects.toThrow(`${scaleName} is not one positive number`);
      await checkpoint.tensors.close();
    });
  });

  test.each([
    ["none", "weight_quantizer is none and quantization_config is bitnet"],
    ["absmedian_ternary", "is packed ternary, but weight_quantizer is absmedian_ternary"],
  ])("packed weights with weight_quantizer %s are refused", async (quantizer, message) => {
    const source = path.join(folder, "packed-autobitlinear");
    const directory = path.join(folder, "packed-float");
    cpSync(source, directory, { recursive: true });
    editConfig(directory, (json) => Object.assign(json, { weight_quantizer: quantizer, rope_theta: 500000 }));
    await expect(openCheckpoint(directory)).rejects.toThrow(message);
  });
});

test("every parameter of the written file has its configured size", async () => {
  const directory = await validCheckpoint("sizes");
  const tensors = await SafetensorsFile.open(path.join(directory, "model.safetensors"));
  expect(tensors.names()).toEqual(specs.map((spec) => spec.name));
  for (const spec of specs) expect((await tensors.readBytes(spec.name)).length).toBe(4 * parameterSize(spec));
  await tensors.close();
});
