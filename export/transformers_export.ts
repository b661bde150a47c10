/**
 * From an export plan to a directory that Hugging Face transformers loads with `from_pretrained`:
 *
 *   config.json, generation_config.json, tokenizer.json, tokenizer_config.json, model.safetensors, README.md
 *
 * `packed_uint8`: `X.weight` uint8 [out / 4, in] (src/checkpoint/packed_ternary.ts) and `X.weight_scale` f32 [1] for
 * AutoBitLinear in offline mode, which multiplies by the scale: the model as trained. `f32`: latent weights, which
 * AutoBitLinear quantizes on every forward pass (online) with a float32 scale, or a float model's weights.
 * The embedding is rounded to its dtype in both, as it was in training, but stored as float32: of a quantized model
 * transformers casts nothing to the dtype of config.json, and a float16 embedding would make the whole pass float16.
 */

import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { ReadParameter } from "../src/checkpoint/checkpoint.ts";
import { modelTensors } from "../src/checkpoint/gguf/tensor_names.ts";
import { packTernary } from "../src/checkpoint/packed_ternary.ts";
import { quantizationConfigJson } from "../src/checkpoint/quantization_keys.ts";
import { type SafetensorsEntry, writeSafetensors } from "../src/checkpoint/safetensors_writer.ts";
import { familyOf } from "../src/config/families/families.ts";
import { weightQuantizerOf } from "../src/config/model_quantizers.ts";
import type { RopeScaling } from "../src/config/rope_scaling.ts";
import { writeWholeDirectory } from "../src/files/whole_directory.ts";
import type { QuantizedMatrix } from "../src/quantizers/weight_quantizer.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";
import { modelCard } from "./model_card.ts";
import { readLearnt } from "./packed_tensor.ts";
import { storedEmbedding } from "./stored_embedding.ts";
import type { ExportPlan } from "./targets/target.ts";

type Json = Record<string, unknown>;

/** Checkpoints of training do not have this file: an export never replaces one. */
const marker = "generation_config.json";

/**
 * Writes the directory; an earlier export of that name is replaced. Memory holds one tensor.
 * `onBytes` gets the size of each tensor written.
 * @throws {FileWriteError} if the directory holds something else or the system refuses; nothing is left behind.
 */
export async function writeTransformersExport(
  directory: string,
  plan: ExportPlan,
  read: ReadParameter,
  onBytes?: (bytes: number) => void,
): Promise<void> {
  const { tokenizer } = plan;
  await writeWholeDirectory(directory, marker, async (temporary) => {
    const writeJson = (name: string, json: Json) =>
      writeFile(path.join(temporary, name), `${JSON.stringify(json, null, 2)}\n`);
    await writeJson("config.json", transformersConfig(plan));
    await writeJson(marker, specialIds(tokenizer));
    if (tokenizer !== null) {
      await writeJson("tokenizer.json", tokenizer.json);
      await writeJson("tokenizer_config.json", tokenizer.config ?? tokenizerConfig(tokenizer));
    }
    await writeFile(path.join(temporary, "README.md"), modelCard(plan, path.basename(directory)));
    const entries = transformersTensors(plan, read).map((entry) => ({
      ...entry,
      data: async () => {
        const data = await entry.data();
        onBytes?.(data.byteLength);
        return data;
      },
    }));
    // transformers asks for the framework that the tensors come from.
    await writeSafetensors(path.join(temporary, "model.safetensors"), entries, { format: "pt" });
  });
}

/** Bytes of the tensors that {@link writeTransformersExport} writes. */
export function transformersExportBytes(plan: ExportPlan): number {
  return transformersTensors(plan, async () => new Float32Array()).reduce(
    (sum, { dtype, shape }) => sum + shape.reduce((product, size) => product * size, dtype === "U8" ? 1 : 4),
    0,
  );
}

/** config.json in Hugging Face's words only: a reader must not take it for one of our checkpoints. */
export function transformersConfig({ config, tokenizer, linearType }: ExportPlan): Json {
  const quantized = weightQuantizerOf(config) !== null;
  const family = familyOf(config)!;
  const rope = { rope_type: "default", rope_theta: config.ropeTheta };
  return {
    architectures: [family.className],
    model_type: family.modelType,
    torch_dtype: "float32",
    ...specialIds(tokenizer),
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    head_dim: config.headDim,
    hidden_act: config.hiddenAct,
    max_position_embeddings: config.maxPositionEmbeddings,
    initializer_range: config.initializerRange,
    rms_norm_eps: config.rmsNormEps,
    // transformers 5 reads rope_parameters, earlier versions rope_theta.
    rope_theta: config.ropeTheta,
    rope_parameters: { ...rope, ...transformersScaling(config.ropeScaling) },
    ...(config.ropeScaling === null ? {} : { rope_scaling: transformersScaling(config.ropeScaling) }),
    tie_word_embeddings: config.tieWordEmbeddings,
    attention_bias: config.attentionBias === "all",
    ...(config.mlpBias ? { mlp_bias: true } : {}),
    ...(quantized ? { quantization_config: quantizationConfigJson(linearType === "packed_uint8") } : {}),
  };
}

function transformersScaling(scaling: RopeScaling | null): Json {
  if (scaling === null) return {};
  const { type, ...others } = scaling;
  return { rope_type: type, ...others };
}

function specialIds(tokenizer: Tokenizer | null): Json {
  return { bos_token_id: tokenizer?.bosTokenId ?? null, eos_token_id: tokenizer?.eosTokenId ?? null };
}

/** What AutoTokenizer needs beside a tokenizer.json that came without a tokenizer_config.json. */
function tokenizerConfig(tokenizer: Tokenizer): Json {
  const text = (id: number | null) => (id === null ? null : tokenizer.decode([id], { skipSpecialTokens: false }));
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: text(tokenizer.bosTokenId),
    eos_token: text(tokenizer.eosTokenId),
    clean_up_tokenization_spaces: false,
  };
}

/** The tensors of model.safetensors, in order. Contents are read when asked for. */
function transformersTensors(plan: ExportPlan, read: ReadParameter): SafetensorsEntry[] {
  const { config } = plan;
  const quantizer = weightQuantizerOf(config);
  return modelTensors(config).flatMap(({ parameter: name, shape, kind, learnt }): SafetensorsEntry[] => {
    if (kind === "embedding") {
      const data = async () => storedEmbedding(await read(name), shape[1]!, plan);
      return [{ name, shape, dtype: "F32", data }];
    }
    if (kind !== "matrix" || plan.linearType !== "packed_uint8") {
      return [{ name, shape, dtype: "F32", data: () => read(name) }];
    }
    const [rows, cols] = shape;
    // Both entries of a matrix are written one after the other: it is quantized once.
    let matrix: Promise<QuantizedMatrix> | undefined;
    const quantized = () => {
      matrix ??= readLearnt({ learnt }, read).then(async (values) =>
        quantizer!.quantize(await read(name), { rows, cols }, values),
      );
      return matrix;
    };
    return [
      {
        name,
        shape: [rows / 4, cols],
        dtype: "U8",
        data: async () => packTernary((await quantized()).codes, rows, cols),
      },
      {
        name: `${name}_scale`,
        shape: [1],
        dtype: "F32",
        data: async () => {
          const { scales } = await quantized();
          matrix = undefined;
          return scales;
        },
      },
    ];
  });
}
