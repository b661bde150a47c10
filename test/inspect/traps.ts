/**
 * Trained tiny models in files and folders that some reader refuses or computes wrongly, and what `bitnet-inspect` must say of
 * each. `traps.test.ts` holds it; `experiments/oracles/inspect_verdicts.ts` asks the programs themselves.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { exportModel, planExport } from "../../export/index.ts";
import { ggufName } from "../../src/checkpoint/gguf/tensor_names.ts";
import { packTernary, scaleName } from "../../src/checkpoint/packed_ternary.ts";
import { type SafetensorsEntry, writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import type { ModelConfig } from "../../src/config/model_config.ts";
import type { Outcome } from "../../src/inspect/readers/reader.ts";
import { modelParameters } from "../../src/model/parameters.ts";
import { hadamardRows } from "../../src/quant/hadamard.ts";
import { absmeanTernary } from "../../src/quantizers/absmean_ternary.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { trainSmallModel } from "../support/trained_model.ts";
import { type HandModel, i2s, type Pack, q2Scaled, stq1, tq2Scaled, writeHandModel } from "./made_files.ts";

/** Each character tells the next one: what a model learns in a few steps, and by its layers alone. */
const line = "the quick brown fox jumps over a lazy dog; 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ!\n";
export const trapText = line.slice(0, 64);
/** After twice as many they know the line so well that one activation is as good as the other. */
const steps = 35;

/** The readers of a verdict below, in this order. */
export const trapReaders = ["bitnet-lab", "llama.cpp", "bitnet.cpp, x86", "bitnet.cpp, ARM", "transformers"] as const;
const letters: Record<string, Outcome> = {
  c: "computes it",
  e: "computes something else",
  r: "refuses",
};

/** `gains`: relu2 with sub-norms that count, which 35 steps leave near 1. */
export type ModelName = "relu2" | "silu" | "llama" | "gains";

/** A trained model, by names of Hugging Face. */
interface Trained {
  config: ModelConfig;
  tokenizer: Tokenizer;
  latent: ReadonlyMap<string, Float32Array>;
  codes: ReadonlyMap<string, { codes: Int8Array; scale: number }>;
}

export interface Trap {
  name: string;
  /** The model that it was made of. */
  model: ModelName;
  /** Its codes are made up: nobody knows the right loss. */
  madeUp: boolean;
  /** Of the newest version of each of {@link trapReaders}; of bitnet.cpp the newest that computes relu^2. */
  outcomes: readonly Outcome[];
  /** Into a new folder. @returns the path of file or folder */
  write(folder: string, model: Trained): Promise<string>;
}

export function trainedModels(): Record<ModelName, Trained> {
  const ofOneLayer = { num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 512 };
  const shape = { ...ofOneLayer, hidden_size: 256, max_position_embeddings: 128 };
  const corpus = line.repeat(Math.ceil(((steps + 1) * 8 * 65) / line.length));
  const train = (keys: Parameters<typeof trainSmallModel>[0]): Trained => {
    const { model, tokenizer } = trainSmallModel({ ...shape, ...keys }, steps, corpus);
    const latent = new Map<string, Float32Array>();
    const codes = new Map<string, { codes: Int8Array; scale: number }>();
    for (const { name, kind, shape } of modelParameters(model.config)) {
      const values = Float32Array.from(model.parameters.get(name)!.dataSync<"float32">());
      latent.set(name, values);
      if (kind !== "matrix") continue;
      const found = absmeanTernary(values, shape[0], shape[1], "f16");
      codes.set(name, { codes: found.codes, scale: found.weightScale });
    }
    model.dispose();
    return { config: model.config, tokenizer, latent, codes };
  };
  const relu2 = train({ hidden_act: "relu2" });
  const uneven = (gain: number, i: number) => gain * (i % 2 === 0 ? 0.25 : 2);
  const gains = Array.from(
    relu2.latent,
    ([name, values]) => [name, /sub_norm/.test(name) ? values.map(uneven) : values] as const,
  );
  return {
    relu2,
    gains: { ...relu2, latent: new Map(gains) },
    silu: train({ hidden_act: "silu" }),
    llama: train({ hidden_act: "silu", norm_placement: "pre" }),
  };
}

type ScaledPack = (scaleOf: (name: string) => number) => Pack;
type HandPart = Omit<Partial<HandModel>, "codes" | "pack">;

/** A GGUF file of a BitNet, tensor by tensor. */
function gguf(architecture: string, pack: ScaledPack, part: HandPart = {}): Trap["write"] {
  return async (folder, { config, tokenizer, latent, codes }) => {
    const byGguf = new Map([...latent.keys()].map((name) => [ggufName(name), name]));
    const scaleOf = (name: string) => codes.get(byGguf.get(name)!)!.scale;
    return writeHandModel(folder, "model", {
      architecture,
      pack: pack(scaleOf),
      codes: (name) => codes.get(byGguf.get(name)!)!.codes,
      floats: (name) => latent.get(byGguf.get(name)!)!,
      sizes: {
        hidden: config.hiddenSize,
        intermediate: config.intermediateSize,
        heads: config.numAttentionHeads,
        kvHeads: config.numKeyValueHeads,
        layers: config.numHiddenLayers,
        vocabulary: config.vocabSize,
      },
      ...part,
      keys: {
        [`${architecture}.rope.freq_base`]: { f32: config.ropeTheta },
        "tokenizer.huggingface.json": { string: JSON.stringify(tokenizer.json) },
        ...part.keys,
      },
    });
  };
}

/** As the export to llama.cpp writes it. */
function exported(type: string): Trap["write"] {
  return async (folder, { config, tokenizer, latent }) => {
    const file = path.join(folder, "model.gguf");
    await exportModel(
      planExport(config, tokenizer, { target: "llama.cpp", type }),
      file,
      async (name) => latent.get(name)!,
    );
    return file;
  };
}

/** Rows of 2^n float32 values rotated, as folded models have them. */
const foldedFloats =
  (widths: (codes: Int8Array, name: string) => number): ScaledPack =>
  (scaleOf) =>
  (codes, name) => {
    const values = Float32Array.from(codes, (code) => code * scaleOf(name));
    return { type: 0, bytes: new Uint8Array(hadamardRows(values, widths(codes, name)).buffer) };
  };

interface FolderPart {
  quantization?: Record<string, string>;
  /** `weight_scale` of packed codes; left out: latent weights. */
  scale?: (absmean: number) => number;
  keys?: Record<string, unknown>;
  leaveOut?: RegExp;
}

/** A folder of Hugging Face's BitNetForCausalLM. */
function folder({ quantization, scale, keys = {}, leaveOut }: FolderPart): Trap["write"] {
  return async (directory, { config, tokenizer, latent, codes }) => {
    mkdirSync(directory, { recursive: true });
    const json = {
      architectures: ["BitNetForCausalLM"],
      model_type: "bitnet",
      hidden_act: config.hiddenAct,
      hidden_size: config.hiddenSize,
      intermediate_size: config.intermediateSize,
      num_hidden_layers: config.numHiddenLayers,
      num_attention_heads: config.numAttentionHeads,
      num_key_value_heads: config.numKeyValueHeads,
      max_position_embeddings: config.maxPositionEmbeddings,
      rms_norm_eps: config.rmsNormEps,
      rope_theta: config.ropeTheta,
      vocab_size: config.vocabSize,
      tie_word_embeddings: true,
      bos_token_id: null,
      eos_token_id: 256,
      ...(quantization === undefined ? {} : { quantization_config: { quant_method: "bitnet", ...quantization } }),
      ...keys,
    };
    writeFileSync(path.join(directory, "config.json"), JSON.stringify(json));
    writeFileSync(path.join(directory, "tokenizer.json"), JSON.stringify(tokenizer.json));
    const entries = modelParameters(config).flatMap(({ name, kind, shape }): SafetensorsEntry[] => {
      if (leaveOut?.test(name)) return [];
      if (kind !== "matrix" || scale === undefined) {
        return [{ name, dtype: "F32", shape, data: () => latent.get(name)! }];
      }
      const found = codes.get(name)!;
      const packed = () => packTernary(found.codes, shape[0], shape[1]);
      return [
        { name, dtype: "U8", shape: [shape[0] / 4, shape[1]], data: packed },
        { name: scaleName(name), dtype: "F32", shape: [1], data: () => Float32Array.of(scale(found.scale)) },
      ];
    });
    await writeSafetensors(path.join(directory, "model.safetensors"), entries, { format: "pt" });
    return directory;
  };
}

const offline = (linear_class: string) => ({ linear_class, quantization_mode: "offline" });
const online = { linear_class: "autobitlinear", quantization_mode: "online" };
const onlineBitLinear = { ...online, linear_class: "bitlinear" };
const absmean = (scale: number) => scale;
const reciprocal = (scale: number) => 1 / scale;
const x86: ScaledPack = (scaleOf) => i2s(32, scaleOf);
const arm: ScaledPack = (scaleOf) => i2s(16, scaleOf);
const groups = (size: 64 | 128) => (scaleOf: (name: string) => number) => q2Scaled(size, scaleOf);
const folded = foldedFloats((codes, name) => (name.includes("ffn_down") ? codes.length / 256 : 256));

const list: [name: string, model: ModelName, outcomes: string, write: Trap["write"]][] = [
  ["SiLU as bitnet, TQ2_0", "silu", "ccccr", gguf("bitnet", tq2Scaled)],
  ["relu^2 as bitnet, TQ2_0", "relu2", "eeeer", gguf("bitnet", tq2Scaled)],
  ["relu^2 as bitnet-b1.58, I2_S", "relu2", "crcer", gguf("bitnet-b1.58", x86)],
  ["SiLU as bitnet-b1.58, I2_S", "silu", "ereer", gguf("bitnet-b1.58", x86)],
  ["I2_S in the order of ARM", "relu2", "rrecr", gguf("bitnet-b1.58", arm)],
  ["bitnet without sub-norms", "silu", "rrrrr", gguf("bitnet", tq2Scaled, { subNorms: false })],
  ["type 42 in groups of 64", "silu", "ccrrr", gguf("bitnet", groups(64))],
  ["type 42 in groups of 128", "silu", "crrrr", gguf("bitnet", groups(128))],
  ["type 42 of STQ1_0", "silu", "crrrr", gguf("bitnet", () => stq1)],
  ["folded weights", "silu", "reeer", gguf("bitnet", folded, { keys: { "prism.hadamard.block": { u32: 256 } } })],
  ["a head of its own", "silu", "crrrr", gguf("bitnet", tq2Scaled, { head: true })],
  ["a vocabulary of another size", "silu", "rrrrr", gguf("bitnet", tq2Scaled, { tokens: 300 })],
  ["big-endian", "silu", "rrrrr", gguf("bitnet", tq2Scaled, { layout: { bigEndian: true } })],
  [
    "aligned to 24 bytes",
    "silu",
    "crrrr",
    gguf("bitnet", tq2Scaled, { layout: { alignment: 24 }, keys: { "general.alignment": { u32: 24 } } }),
  ],
  ["an array of arrays", "silu", "crrrr", gguf("bitnet", tq2Scaled, { keys: { "a.nested": { arrays: [[1], [2]] } } })],
  ["sub-norms in a llama", "silu", "rrrre", gguf("llama", tq2Scaled)],
  ["Llama, TQ2_0", "llama", "ccccc", exported("tq2_0")],
  ["Llama, Q2_0", "llama", "ccrrr", exported("q2_0")],
  ["packed, scales multiply", "relu2", "crrrc", folder({ quantization: offline("autobitlinear"), scale: absmean })],
  [
    "packed, scales should divide",
    "relu2",
    "errre",
    folder({ quantization: offline("autobitlinear"), scale: reciprocal }),
  ],
  ["packed, scales divide", "relu2", "crrrc", folder({ quantization: offline("bitlinear"), scale: reciprocal })],
  ["packed, scales should multiply", "relu2", "errre", folder({ quantization: offline("bitlinear"), scale: absmean })],
  ["packed, said to be latent", "relu2", "crrrr", folder({ quantization: online, scale: absmean })],
  ["packed, without quantization_config", "relu2", "rrrrr", folder({ scale: absmean })],
  ["latent", "relu2", "crrrc", folder({ quantization: online })],
  ["latent, said to be packed", "relu2", "rrrre", folder({ quantization: offline("autobitlinear") })],
  ["latent, said to be packed for BitLinear", "relu2", "rrrrr", folder({ quantization: offline("bitlinear") })],
  [
    "packed for BitLinear, said to be latent",
    "relu2",
    "crrrc",
    folder({ quantization: onlineBitLinear, scale: reciprocal }),
  ],
  ["latent, without quantization_config", "relu2", "rrrre", folder({})],
  ["latent, without sub-norms", "gains", "rrrre", folder({ quantization: online, leaveOut: /sub_norm/ })],
  ["another vocab_size", "relu2", "rrrrr", folder({ quantization: online, keys: { vocab_size: 300 } })],
  ["latent SiLU", "silu", "crrrc", folder({ quantization: online })],
];

export const traps: readonly Trap[] = list.map(([name, model, outcomes, write]) => ({
  name,
  model,
  madeUp: name.includes("STQ1_0"),
  outcomes: Array.from(outcomes, (letter) => letters[letter]),
  write: (directory, trained) => {
    mkdirSync(directory, { recursive: true });
    return write(directory, trained);
  },
}));
