/** A Hugging Face folder as it is looked into: config.json, safetensors (one file, or several with an index), tokenizer. */
import { readModelConfig } from "../checkpoint/model_config_json.ts";
import { scaleName } from "../checkpoint/packed_ternary.ts";
import { SafetensorsFile } from "../checkpoint/safetensors_file.ts";
import { embeddingQuantizerOf } from "../config/embedding_keys.ts";
import { weightQuantizerOf } from "../config/model_quantizers.ts";
import { UserError } from "../errors/user_error.ts";
import { factsOfTensors } from "./facts_of_tensors.ts";
import { folderTokenizer } from "./folder_tokenizer.ts";
import { type InspectedModel, type InspectedTensor, roleOf, type TensorLayout } from "./inspected_model.ts";
import type { FolderFacts, ModelSizes } from "./model_facts.ts";
import { InspectError, jsonOf, type ModelFolder } from "./model_folder.ts";

type Json = Record<string, unknown>;
type Placed = InspectedTensor & { shard: SafetensorsFile };

/** GGUF's name for a parameter; undefined if it has none there. */
export type GgufNameOf = (parameter: string) => string | undefined;

export interface FolderOptions {
  ggufName: GgufNameOf;
  /** Opens the folder as our own reader does, and says why not; left out: its configuration alone is read. */
  ownFault?: () => Promise<string | null>;
}

const weights = "model.safetensors";
const index = `${weights}.index.json`;

/** @throws {InspectError | CheckpointError} if it is no such folder, or a file of it is malformed. */
export async function openFolderModel(
  folder: ModelFolder,
  { ggufName, ownFault }: FolderOptions,
): Promise<InspectedModel> {
  const config = await jsonOf(folder, "config.json");
  if (config === null) throw new InspectError(`${folder.path}: it has no config.json`);
  const shards = await openShards(folder);
  try {
    const tensors = tensorsOf(shards, ggufName);
    const dtypes = new Map(shards.flatMap((shard) => shard.names().map((name) => [name, shard.info(name).dtype])));
    let quantizer: InspectedModel["quantizer"] = null;
    let embedding: InspectedModel["embedding"] = null;
    let fault: string | null = null;
    const packed = tensors.some(({ layout }) => layout.kind === "packed");
    try {
      const known = readModelConfig(config, (name) => dtypes.get(name));
      if (!packed) quantizer = weightQuantizerOf(known);
      embedding = { dtype: known.embeddingDtype, quantizer: embeddingQuantizerOf(known) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      fault = error.message;
    }
    if (ownFault !== undefined) fault = await ownFault();
    const fileBytes = shards.reduce((sum, { fileBytes: bytes }) => sum + bytes, 0);
    return {
      path: folder.path,
      tensors,
      quantizer,
      embedding,
      keys: new Map(Object.entries(config)),
      facts: {
        container: "safetensors",
        name: typeof config._name_or_path === "string" ? config._name_or_path : null,
        architecture: className(config) ?? String(config.model_type ?? "unknown"),
        files: shards.length,
        fileBytes,
        headerBytes: fileBytes - tensors.reduce((sum, { bytes }) => sum + bytes, 0),
        sizes: sizesOf(config),
        hiddenAct: typeof config.hidden_act === "string" ? config.hidden_act : null,
        ...factsOfTensors(tensors),
        tokenizer: await folderTokenizer(folder),
        faults: fault === null ? [] : [fault],
        gguf: null,
        folder: folderFacts(config, packed, fault),
      },
      async read(tensor, begin, end) {
        return (tensor as Placed).shard.readBytes(tensor.name, begin, end);
      },
      close: async () => {
        await Promise.all(shards.map((shard) => shard.close()));
      },
    };
  } catch (error) {
    await Promise.all(shards.map((shard) => shard.close()));
    throw error;
  }
}

async function openShards(folder: ModelFolder): Promise<SafetensorsFile[]> {
  const names = folder.files.has(weights) ? [weights] : await shardNames(folder);
  const shards: SafetensorsFile[] = [];
  try {
    for (const name of names) shards.push(await SafetensorsFile.open(await folder.open(name)));
    return shards;
  } catch (error) {
    await Promise.all(shards.map((shard) => shard.close()));
    throw error;
  }
}

async function shardNames(folder: ModelFolder): Promise<string[]> {
  const map = (await jsonOf(folder, index))?.weight_map;
  if (map === null || typeof map !== "object") {
    throw new InspectError(`${folder.path}: it has neither ${weights} nor ${index}`);
  }
  const names = [...new Set(Object.values(map as Json).map(String))].sort();
  const missing = names.filter((name) => !folder.files.has(name));
  if (missing.length === 0) return names;
  throw new InspectError(`${folder.path}: of ${names.length} weight files ${missing.join(", ")} missing`);
}

function tensorsOf(shards: readonly SafetensorsFile[], ggufName: GgufNameOf): Placed[] {
  const all = new Set(shards.flatMap((shard) => shard.names()));
  return shards.flatMap((shard) =>
    shard.names().map((name): Placed => {
      const { dtype, shape } = shard.info(name);
      const bytes = shard.bytesOf(name);
      const isPacked = dtype === "U8" && shape.length === 2;
      const own = ggufName(name) ?? name;
      let layout: TensorLayout = { kind: "bytes" };
      if (dtype === "F32" || dtype === "F16" || dtype === "BF16") layout = { kind: "floats", dtype };
      if (isPacked) layout = { kind: "packed", scale: all.has(scaleName(name)) ? scaleName(name) : null };
      return {
        name,
        ggufName: own,
        role: roleOf(own),
        type: isPacked ? "U8 codes" : dtype,
        typeNumber: null,
        shape: isPacked ? [4 * shape[0], shape[1]] : shape,
        bytes,
        layout,
        shard,
      };
    }),
  );
}

function className(config: Json): string | null {
  const [name] = Array.isArray(config.architectures) ? config.architectures : [];
  return typeof name === "string" ? name : null;
}

function sizesOf(config: Json): ModelSizes {
  const number = (key: string) => (typeof config[key] === "number" ? config[key] : null);
  const [heads, hidden] = [number("num_attention_heads"), number("hidden_size")];
  const rope = (config.rope_parameters ?? config.rope_scaling ?? {}) as Json;
  return {
    layers: number("num_hidden_layers"),
    hidden,
    intermediate: number("intermediate_size"),
    heads,
    kvHeads: number("num_key_value_heads") ?? heads,
    headDim: number("head_dim") ?? (heads !== null && hidden !== null ? hidden / heads : null),
    context: number("max_position_embeddings"),
    vocabulary: number("vocab_size"),
    rmsNormEps: number("rms_norm_eps"),
    ropeTheta: number("rope_theta") ?? (typeof rope.rope_theta === "number" ? rope.rope_theta : null),
  };
}

function folderFacts(config: Json, isPacked: boolean, ownFault: string | null): FolderFacts {
  const section = config.quantization_config as Json | null | undefined;
  const named = (key: string) => {
    const value = config[key] ?? "none";
    const name = typeof value === "string" ? value : String((value as Json).type);
    return name === "none" ? null : name;
  };
  return {
    className: className(config),
    modelType: typeof config.model_type === "string" ? config.model_type : null,
    // The defaults are those of transformers' BitNetQuantConfig.
    quantization: section
      ? {
          method: String(section.quant_method),
          linearClass: String(section.linear_class ?? "bitlinear"),
          mode: String(section.quantization_mode ?? "offline"),
        }
      : null,
    own:
      "weight_quantizer" in config
        ? { weights: named("weight_quantizer"), activations: named("activation_quantizer") }
        : null,
    isPacked,
    ownFault,
  };
}
