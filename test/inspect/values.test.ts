/** What only the values of a trained model tell: the order of I2_S codes, the activation, the meaning of weight_scale. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evidenceByLosses } from "../../cli/inspect/losses.ts";
import { ggufName } from "../../src/checkpoint/gguf/tensor_names.ts";
import { packTernary, scaleName } from "../../src/checkpoint/packed_ternary.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { openGgufBytes } from "../../src/gguf/gguf_reader.ts";
import { i2sOrderByFit, i2sOrderFits } from "../../src/inspect/i2_s_fit.ts";
import { noEvidence } from "../../src/inspect/model_facts.ts";
import { localFolder } from "../../src/inspect/model_folder.ts";
import { openFolderModel } from "../../src/inspect/open_folder.ts";
import { openGgufModel } from "../../src/inspect/open_gguf.ts";
import { allVerdicts } from "../../src/inspect/readers/readers.ts";
import { scaleMeaningByValues } from "../../src/inspect/scale_meaning.ts";
import { tensorStatistics } from "../../src/inspect/statistics.ts";
import { modelParameters } from "../../src/model/parameters.ts";
import { absmeanTernary } from "../../src/quantizers/absmean_ternary.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { titleUnless } from "../support/missing.ts";
import { hasNative, useBackend } from "../support/tfjs_backends.ts";
import { trainSmallModel } from "../support/trained_model.ts";
import { type HandModel, i2s, writeHandModel } from "./made_files.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-values-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Codes, scales and floats of the trained model, by names of GGUF files. */
const trained = {
  codes: new Map<string, { codes: Int8Array; scale: number }>(),
  floats: new Map<string, Float32Array>(),
  vocabulary: 0,
};
let tokenizer: Tokenizer;
/** Each character tells the next one: what a model learns in a few steps, and by its layers alone. */
const line = "the quick brown fox jumps over a lazy dog; 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ!\n";
const steps = 80;
const text = line.slice(0, 64);
const shape = {
  hidden_size: 128,
  intermediate_size: 256,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 512,
};

function handModel(architecture: string, lane: 16 | 32): HandModel {
  const { hidden_size: hidden, intermediate_size: intermediate, num_hidden_layers: layers } = shape;
  return {
    architecture,
    pack: i2s(lane, (name) => trained.codes.get(name)!.scale),
    codes: (name) => trained.codes.get(name)!.codes,
    floats: (name) => trained.floats.get(name)!,
    sizes: { hidden, intermediate, heads: 4, kvHeads: 2, layers, vocabulary: trained.vocabulary },
    keys: { "tokenizer.huggingface.json": { string: JSON.stringify(tokenizer.json) } },
  };
}

/** What the values of a file say, and what the readers then do with it. */
async function look(architecture: string, lane: 16 | 32) {
  const file = writeHandModel(folder, `${architecture}-${lane}`, handModel(architecture, lane));
  const model = await openGgufModel(file, openGgufBytes);
  const evidence = await evidenceByLosses(file, model, { text });
  const verdicts = allVerdicts(model.facts, { ...noEvidence, ...evidence });
  const fits = await i2sOrderFits(model);
  const fit = await i2sOrderByFit(model);
  await model.close();
  return { evidence, fits, fit, of: (reader: string) => verdicts.filter((verdict) => verdict.reader === reader) };
}

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the native addon", "a trained model with relu^2"), () => {
  beforeAll(async () => {
    await useBackend("native");
    const corpus = line.repeat(Math.ceil(((steps + 1) * 8 * 65) / line.length));
    const keys = { ...shape, hidden_act: "relu2", scale_dtype: "f32" } as const;
    const { model, tokenizer: made } = trainSmallModel(keys, steps, corpus);
    tokenizer = made;
    trained.vocabulary = made.vocabSize;
    for (const { name, kind, shape } of modelParameters(model.config)) {
      const values = model.parameters.get(name)!.dataSync() as Float32Array;
      if (kind !== "matrix") trained.floats.set(ggufName(name), Float32Array.from(values));
      else {
        const { codes, weightScale } = absmeanTernary(values, shape[0]!, shape[1]!, "f32");
        trained.codes.set(ggufName(name), { codes, scale: weightScale });
      }
    }
  });

  it("in x86 order under its own name is what the file says", async () => {
    const { evidence, fits, of } = await look("bitnet-b1.58", 32);
    expect(evidence.engine).toBe("");
    expect(evidence.hiddenAct?.name).toBe("relu2");
    expect(evidence.i2sOrder?.name).toBe("x86");
    expect(fits.fits[0]?.order).toBe("x86");
    expect(of("bitnet-lab").map(({ outcome }) => outcome)).toEqual(["computes it"]);
    expect(of("bitnet.cpp, x86").map(({ outcome }) => outcome)).toEqual([
      "refuses",
      "computes it",
      "computes something else",
    ]);
  });

  it("in the order of ARM is found out by its losses, and misread on x86", async () => {
    const { evidence, fits, of } = await look("bitnet-b1.58", 16);
    expect(evidence.i2sOrder?.name, JSON.stringify(evidence.losses)).toBe("arm");
    expect(evidence.i2sOrder?.why).toMatch(
      /a text has a loss of \d.\d\d nats a token with ARM \(64 codes in 16 bytes\)/,
    );
    expect(fits.fits[0]?.order).toBe("arm");
    const [, misread] = of("bitnet.cpp, x86");
    expect(misread).toMatchObject({ outcome: "computes something else", versions: "from 2025-04" });
    expect(misread?.why).toContain("they are in ARM (64 codes in 16 bytes)");
    expect(of("bitnet-lab")[0]?.outcome).not.toBe("computes it");
    expect(of("bitnet.cpp, ARM").find(({ outcome }) => outcome === "computes it")?.versions).toBe(
      "2026-01 until 2026-07",
    );
  });

  it("relabelled for SiLU is found out by its losses", async () => {
    const { evidence, of } = await look("bitnet", 32);
    expect(evidence.hiddenAct?.name, JSON.stringify(evidence.losses)).toBe("relu2");
    expect(evidence.hiddenAct?.why).toMatch(/nats a token with relu\^2, \d+\.\d\d with SiLU/);
    for (const reader of ["bitnet.cpp, x86", "bitnet-lab"]) {
      expect(of(reader)[0]?.outcome, reader).toBe("computes something else");
    }
  });

  it.each([
    ["autobitlinear", false, "multiplies"],
    ["autobitlinear", true, "divides"],
    ["bitlinear", true, "divides"],
    ["bitlinear", false, "multiplies"],
  ])("packed for %s with reciprocal scales: %s", async (linearClass, isReciprocal, meaning) => {
    const directory = path.join(folder, `${linearClass}-${isReciprocal}`);
    mkdirSync(directory);
    const config = {
      architectures: ["BitNetForCausalLM"],
      model_type: "bitnet",
      ...shape,
      vocab_size: trained.vocabulary,
      hidden_act: "relu2",
      quantization_config: { quant_method: "bitnet", linear_class: linearClass, quantization_mode: "offline" },
    };
    writeFileSync(path.join(directory, "config.json"), JSON.stringify(config));
    const q = "model.layers.0.self_attn.q_proj.weight";
    const { codes, scale } = trained.codes.get(ggufName(q))!;
    const gains = trained.floats.get("blk.0.attn_norm.weight")!;
    await writeSafetensors(path.join(directory, "model.safetensors"), [
      { name: q, dtype: "U8", shape: [32, 128], data: () => packTernary(codes, 128, 128) },
      { name: scaleName(q), dtype: "F32", shape: [1], data: () => Float32Array.of(isReciprocal ? 1 / scale : scale) },
      { name: "model.layers.0.input_layernorm.weight", dtype: "F32", shape: [128], data: () => gains },
    ]);
    const model = await openFolderModel(await localFolder(directory), { ggufName });
    const scaleMeaning = await scaleMeaningByValues(model);
    expect(scaleMeaning?.name).toBe(meaning);
    const facts = { ...model.facts, subNorms: { attention: 2, feedForward: 2 } };
    const verdict = allVerdicts(facts, { ...noEvidence, scaleMeaning }).find(({ reader }) => reader === "transformers");
    const isRight = (linearClass === "bitlinear") === isReciprocal;
    expect(verdict?.outcome).toBe(isRight ? "computes it" : "computes something else");
    if (!isRight) expect(verdict?.why).toContain(`the values are for one that ${meaning}`);
    const bare = { ...facts, subNorms: { attention: 0, feedForward: 0 } };
    const without = allVerdicts(bare).find(({ reader }) => reader === "transformers");
    expect(without).toMatchObject({ outcome: "computes something else" });
    expect(without?.why).toContain(
      "it puts new ones with gain 1 where the file has none (0 and 0 of 2 layers have them)",
    );
    const found = await tensorStatistics(model, model.tensors.find(({ name }) => name === q)!, () => {});
    expect(found?.codes?.zeroFraction).toBeCloseTo(codes.filter((code) => code === 0).length / codes.length, 12);
    await model.close();
  });
});
