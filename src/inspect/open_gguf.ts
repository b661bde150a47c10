/** A GGUF file, or all parts of a split one, as it is looked into: whatever its types, and whether we read it or not. */
import { chatTemplatesOfFile } from "../gguf/chat_template_keys.ts";
import { foldedKeys, type SurveyedTensor, surveyGgufHeader } from "../gguf/gguf_header.ts";
import { closeAll, type OpenBytes, openParts, partsFault } from "../gguf/gguf_reader.ts";
import type { GgufMetadata, GgufValue } from "../gguf/gguf_types.ts";
import { tensorBytes } from "../gguf/types/tensor_type.ts";
import { factsOfTensors } from "./facts_of_tensors.ts";
import { type InspectedModel, type InspectedTensor, roleOf, weightsOf } from "./inspected_model.ts";
import type { GgufFacts, ModelSizes, TokenizerFacts } from "./model_facts.ts";

type Placed = InspectedTensor & { part: number; offset: number };

/**
 * @param path of the file, or of any part
 * @throws {GgufError} if it is no GGUF file, or its header is cut off.
 */
export async function openGgufModel(path: string, openBytes: OpenBytes): Promise<InspectedModel> {
  const parts = await openParts(path, openBytes, surveyGgufHeader);
  const { sources, headers } = parts;
  const [first] = headers;
  const tensors = headers.flatMap((header, part) =>
    header.tensors.map((tensor) => inspected(tensor, part, header.littleEndian)),
  );
  const { metadata } = first;
  const architecture = text(metadata, "general.architecture") ?? "";
  const number = (key: string) => numberOf(metadata, `${architecture}.${key}`);
  const [heads, hidden] = [number("attention.head_count"), number("embedding_length")];
  const sizes: ModelSizes = {
    layers: number("block_count"),
    hidden,
    intermediate: number("feed_forward_length"),
    heads,
    kvHeads: number("attention.head_count_kv") ?? heads,
    headDim:
      number("attention.key_length") ??
      number("rope.dimension_count") ??
      (heads !== null && hidden !== null ? hidden / heads : null),
    context: number("context_length"),
    vocabulary: number("vocab_size"),
    rmsNormEps: number("attention.layer_norm_rms_epsilon"),
    ropeTheta: number("rope.freq_base"),
  };
  const names = headers.map((header) => header.tensors.map(({ name }) => name));
  const broken = partsFault(parts, names);
  const gguf: GgufFacts = {
    version: first.version,
    littleEndian: first.littleEndian,
    alignment: first.alignment,
    statedAlignment: metadata.get("general.alignment") ?? null,
    nestedArrays: [...metadata]
      .filter(([, value]) => value.type === "array" && value.of === "array")
      .map(([key]) => key),
    dataBytes: headers.map(({ dataStart }, part) => sources[part].size - dataStart),
    placed: headers.flatMap(({ tensors: all, dataStart }, part) =>
      all.map(({ name, shape, id, offset, meaning }) => ({
        name,
        shape,
        typeNumber: id,
        type: meaning?.name ?? `type ${id}`,
        offset: offset - dataStart,
        part,
      })),
    ),
    isFolded: [...metadata.keys()].some((key) => key.startsWith(foldedKeys)),
    statesActivations: metadata.has("bitnet-lab.activation_quantizer"),
    hiddenActivation: text(metadata, `${architecture}.hidden_activation`),
  };
  const fileBytes = sources.reduce((sum, { size }) => sum + size, 0);
  return {
    path,
    tensors,
    quantizer: null,
    embedding: null,
    keys: new Map([...metadata].map(([key, value]) => [key, plainValue(value)])),
    facts: {
      container: "gguf",
      name: text(metadata, "general.name"),
      architecture,
      files: sources.length,
      fileBytes,
      headerBytes: fileBytes - tensors.reduce((sum, { bytes }) => sum + bytes, 0),
      sizes,
      hiddenAct: text(metadata, "bitnet-lab.hidden_act") ?? gguf.hiddenActivation,
      ...factsOfTensors(tensors),
      tokenizer: tokenizerFacts(metadata),
      faults: [...headers.flatMap(({ faults }) => faults), ...(broken === null ? [] : [broken])],
      gguf,
      folder: null,
    },
    read(tensor, begin, end) {
      const { part, offset } = tensor as Placed;
      return sources[part].read(offset + begin, offset + end);
    },
    close: () => closeAll(sources),
  };
}

function inspected(tensor: SurveyedTensor, part: number, littleEndian: boolean): Placed {
  const { name, shape, id, meaning, offset, span } = tensor;
  const type = littleEndian ? (meaning?.type ?? null) : null;
  const shared = { name, ggufName: name, role: roleOf(name), typeNumber: id, shape, part, offset };
  const typeName = meaning?.name ?? `type ${id}`;
  const isWhole = type !== null && shape[shape.length - 1] % type.blockElements === 0;
  const bytes = isWhole ? tensorBytes(type, shape) : blockBytes(tensor);
  const isReadable = isWhole && bytes <= span;
  return { ...shared, type: typeName, bytes, layout: isReadable ? { kind: "gguf", type } : { kind: "bytes" } };
}

/** Of a type that we do not read: by its blocks, if they are known. */
function blockBytes({ meaning, shape, span }: SurveyedTensor): number {
  const block = meaning?.block;
  return block == null ? span : Math.min(span, (weightsOf({ shape }) / block.elements) * block.bytes);
}

function text(metadata: GgufMetadata, key: string): string | null {
  const entry = metadata.get(key);
  return entry?.type === "string" ? entry.value : null;
}

function numberOf(metadata: GgufMetadata, key: string): number | null {
  const value = metadata.get(key)?.value;
  return typeof value === "number" ? value : null;
}

function plainValue(value: GgufValue): unknown {
  if (value.type !== "array") return value.value;
  return value.of === "array" ? value.value.map(plainValue) : value.value;
}

function tokenizerFacts(metadata: GgufMetadata): TokenizerFacts | null {
  const tokens = metadata.get("tokenizer.ggml.tokens");
  const hasJson = text(metadata, "tokenizer.huggingface.json") !== null;
  const model = text(metadata, "tokenizer.ggml.model");
  if (model === null && tokens === undefined && !hasJson) return null;
  const scalars = new Map<string, string | number | boolean>();
  for (const [key, entry] of metadata) if (entry.type !== "array") scalars.set(key, entry.value);
  const config = text(metadata, "tokenizer.huggingface.config");
  const templates = chatTemplatesOfFile(scalars, config === null ? null : parsed(config));
  return {
    model,
    pre: text(metadata, "tokenizer.ggml.pre"),
    tokens: tokens?.type === "array" ? tokens.value.length : null,
    bos: numberOf(metadata, "tokenizer.ggml.bos_token_id"),
    eos: numberOf(metadata, "tokenizer.ggml.eos_token_id"),
    chatTemplates: [...templates.keys()],
    chatTemplate: templates.get("default") ?? null,
    hasJson,
  };
}

function parsed(json: string): Record<string, unknown> | null {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
