import { mkdtempSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gguf } from "@huggingface/gguf";
import { afterAll, describe, expect, it } from "vitest";
import { planExport } from "../../export/export_plan.ts";
import { ggufExportBytes, planGguf, writeGgufExport } from "../../export/gguf_export.ts";
import { verifyGguf } from "../../export/verify/verify_gguf.ts";
import { Engine } from "../../native/inference/engine.ts";
import { interleavedRowOrder } from "../../src/checkpoint/gguf/tensor_names.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { checkPackable } from "../../src/config/packing_rules.ts";
import { type ExportType, exportTypes } from "../../src/config/tensor_fit.ts";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import { parameterCount } from "../../src/model/parameters.ts";
import { readerOf, smallConfig, smallParameters, smallTokenizer } from "./small_model.ts";

const folder = mkdtempSync(path.join(tmpdir(), "gguf-export-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Exports a small model for our engine and returns what the tests look at. */
async function exported(name: string, type: ExportType, changes: Partial<ModelConfigJson> = {}) {
  const config = smallConfig(changes);
  const parameters = smallParameters(config);
  const file = path.join(folder, `${name}.gguf`);
  const plan = planGguf(planExport(config, smallTokenizer(), { target: "bitnet-lab", type, name }));
  await writeGgufExport(file, plan, readerOf(parameters));
  return { file, plan, config, parameters };
}

describe("an export for our engine", () => {
  for (const type of exportTypes.filter((each) => checkPackable(smallConfig(), each) === null)) {
    it(`as ${type} holds every code, scale and float of the checkpoint`, async () => {
      const { file, plan, parameters } = await exported(type, type);
      expect(statSync(file).size).toBe(ggufExportBytes(plan));
      expect(await verifyGguf(file, plan, readerOf(parameters))).toEqual({
        ternaryMatrices: 14,
        ternaryCodes: 2 * (256 * 256 * 2 + 128 * 256 * 2 + 3 * 256 * 512),
        floatTensors: 10,
      });
    });
  }

  it.each(["f16", "bf16", "f32", "q8_0"] as const)("keeps an embedding trained as %s", async (dtype) => {
    const { file, plan, parameters } = await exported(`embedding-${dtype}`, "tq2_0", { embedding_dtype: dtype });
    await verifyGguf(file, plan, readerOf(parameters));
    const read = await GgufFile.open(file);
    expect(read.info("token_embd.weight").type.name).toBe(dtype.toUpperCase());
    await read.close();
  });

  it("has the keys that llama.cpp and our engine ask for", async () => {
    const { file } = await exported("keys", "i2_s", { scale_dtype: "f32" });
    const { metadata, tensorInfos } = await gguf(file, { allowLocalFile: true });
    expect(metadata).toMatchObject({
      "general.architecture": "bitnet-b1.58",
      "general.file_type": 40,
      "bitnet-b1.58.vocab_size": 300,
      "bitnet-b1.58.context_length": 128,
      "bitnet-b1.58.embedding_length": 256,
      "bitnet-b1.58.block_count": 2,
      "bitnet-b1.58.feed_forward_length": 512,
      "bitnet-b1.58.attention.head_count": 4,
      "bitnet-b1.58.attention.head_count_kv": 2,
      "bitnet-b1.58.attention.layer_norm_rms_epsilon": Math.fround(1e-5),
      "bitnet-b1.58.rope.dimension_count": 64,
      "bitnet-b1.58.rope.freq_base": 500000,
      "bitnet-lab.scale_dtype": "f32",
      "bitnet-lab.weight_quantizer": "absmean_ternary",
      "bitnet-lab.hidden_act": "relu2",
      "bitnet-lab.use_sub_norms": true,
    });
    expect(tensorInfos).toHaveLength(24);
    expect(tensorInfos.map((tensor) => tensor.name)).toContain("blk.1.ffn_sub_norm.weight");
  });

  it.each([
    [{}, "bitnet-b1.58"],
    [{ hidden_act: "silu" }, "bitnet"],
    [{ use_sub_norms: false }, "bitnet-lab"],
    [{ activation_quantizer: "none" }, "bitnet-lab"],
  ] as const)("of %j is written as %s", async (changes, architecture) => {
    const { file } = await exported(`architecture-${architecture}`, "tq2_0", changes);
    const read = await GgufFile.open(file);
    expect(read.scalar("general.architecture")).toBe(architecture);
    await read.close();
  });

  it("of a graph of our own has keys and norms that say so, and every code", async () => {
    const { file, plan, config, parameters } = await exported("own-graph", "tq2_0", {
      norm_placement: "every_linear",
      feed_forward: "mlp",
      use_hadamard: true,
      activation_quantizer: { type: "topk_int8", keep: 0.4 },
    });
    const { ternaryMatrices, floatTensors } = await verifyGguf(file, plan, readerOf(parameters));
    // q, k, v, o, up, down of two layers, a norm for each; embedding and final norm.
    expect([ternaryMatrices, floatTensors]).toEqual([12, 14]);
    const { metadata, tensorInfos } = await gguf(file, { allowLocalFile: true });
    expect(metadata).toMatchObject({
      "general.architecture": "bitnet-lab",
      "bitnet-lab.activation_quantizer": "absmax_int8",
      "bitnet-lab.activation_keep": 0.4,
      "bitnet-lab.use_sub_norms": false,
      "bitnet-lab.norm_placement": "every_linear",
      "bitnet-lab.feed_forward": "mlp",
      "bitnet-lab.use_hadamard": true,
    });
    const names = tensorInfos.map((tensor) => tensor.name).filter((name) => name.startsWith("blk.1.attn_output"));
    expect(names).toEqual(["blk.1.attn_output.rms_norm.weight", "blk.1.attn_output.weight"]);
    const engine = await Engine.load(file);
    expect(engine.config).toMatchObject({
      normPlacement: config.normPlacement,
      feedForward: config.feedForward,
      useHadamard: true,
      activationKeep: 0.4,
      parameters: parameterCount(config),
    });
    engine.dispose();
  });

  it("of a Llama-shaped float model has q and k rows in interleaved order", async () => {
    const { file, plan, config, parameters } = await exported("llama", "f32", {
      hidden_act: "silu",
      use_sub_norms: false,
      weight_quantizer: "none",
      activation_quantizer: "none",
      tie_word_embeddings: false,
    });
    await verifyGguf(file, plan, readerOf(parameters));
    const read = await GgufFile.open(file);
    expect(read.scalar("general.architecture")).toBe("llama");
    const rowOf = async (name: string, row: number) =>
      new Float32Array((await read.read(name, row * 1024, (row + 1) * 1024)).buffer);
    const weights = parameters.get("model.layers.1.self_attn.k_proj.weight")!;
    // Row 67 = head 1, pair 1, second element: the checkpoint's row 64 + 1 + 32.
    expect(await rowOf("blk.1.attn_k.weight", 67)).toEqual(weights.slice(97 * 256, 98 * 256));
    const values = parameters.get("model.layers.1.self_attn.v_proj.weight")!;
    expect(await rowOf("blk.1.attn_v.weight", 67)).toEqual(values.slice(67 * 256, 68 * 256));
    expect(read.info("output.weight").shape).toEqual([config.vocabSize, 256]);
    await read.close();
  });

  it("orders rows as llama.cpp's converter permutes them", () => {
    // weights.reshape(heads, 2, head_dim / 2).swapaxes(1, 2), for 2 heads of 6
    expect([...interleavedRowOrder(12, 6)]).toEqual([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
  });

  it("refuses a checkpoint of another config", async () => {
    const config = smallConfig();
    const parameters = smallParameters(smallConfig({ intermediate_size: 256 }));
    const plan = planGguf(planExport(config, null, { target: "bitnet-lab", name: "other" }));
    const file = path.join(folder, "other.gguf");
    await expect(writeGgufExport(file, plan, readerOf(parameters))).rejects.toThrow(
      "model.layers.0.mlp.gate_proj.weight has 65536 elements, the config says 512 x 256: the checkpoint is of another config",
    );
    expect(() => statSync(file)).toThrow("ENOENT");
  });

  it("refuses a checkpoint with values that are not finite", async () => {
    const config = smallConfig();
    const parameters = smallParameters(config);
    parameters.get("model.norm.weight")![17] = Number.NaN;
    const plan = planGguf(planExport(config, null, { target: "bitnet-lab", name: "nan" }));
    await expect(writeGgufExport(path.join(folder, "nan.gguf"), plan, readerOf(parameters))).rejects.toThrow(
      "model.norm.weight holds values that are not finite",
    );
  });

  it("stores scales trained as bf16, down to the smallest, and refuses one beyond float16", async () => {
    const config = smallConfig({ scale_dtype: "bf16" });
    const plan = planGguf(planExport(config, null, { target: "bitnet-lab", name: "bf16" }));
    const file = path.join(folder, "bf16.gguf");
    for (const factor of [1e-6, 3e-4, 1]) {
      const parameters = scaled(smallParameters(config), factor);
      await writeGgufExport(file, plan, readerOf(parameters));
      await verifyGguf(file, plan, readerOf(parameters));
    }
    const huge = scaled(smallParameters(config), 1e7);
    await expect(writeGgufExport(file, plan, readerOf(huge))).rejects.toThrow(
      /^the scale of model.layers.0.self_attn.q_proj.weight \(\d+\) does not fit into TQ2_0$/,
    );
  });
});

function scaled(parameters: Map<string, Float32Array>, factor: number): Map<string, Float32Array> {
  return new Map([...parameters].map(([name, values]) => [name, values.map((value) => value * factor)]));
}

describe("verification", () => {
  /** Flips the lowest bit of one byte of a tensor. */
  async function damage(file: string, tensor: string, byte: number) {
    const read = await GgufFile.open(file);
    const { offset } = read.info(tensor);
    await read.close();
    const handle = await open(file, "r+");
    const one = new Uint8Array(1);
    await handle.read(one, 0, 1, offset + byte);
    one[0] ^= 1;
    await handle.write(one, 0, 1, offset + byte);
    await handle.close();
  }

  it.each([
    ["tq2_0", "blk.1.ffn_down.weight", 3 * 132 + 66 + 5, /blk.1.ffn_down.weight, row 3, element 261: /],
    ["tq2_0", "blk.1.ffn_down.weight", 64, /blk.1.ffn_down.weight, row 0: scale /],
    ["tq1_0", "blk.0.attn_q.weight", 54 * 7 + 52, /blk.0.attn_q.weight, row 7: scale /],
    ["i2_s", "blk.0.attn_v.weight", 64 * 128, /blk.0.attn_v.weight, row 0: scale /],
    ["f16", "token_embd.weight", 512 * 299, /token_embd.weight, row 299, element 0: /],
    ["f32", "output_norm.weight", 8, /output_norm.weight, row 0, element 2: /],
  ] as const)("finds one wrong bit in a %s file: %s, byte %i", async (type, tensor, byte, message) => {
    const { file, plan, parameters } = await exported("damaged", type);
    await damage(file, tensor, byte);
    await expect(verifyGguf(file, plan, readerOf(parameters))).rejects.toThrow(message);
  });
});
