/**
 * Whether the linear layers of a checkpoint are BitNet's, by its config.json: `quantization_config` of transformers, the
 * quantizers that our own files name, or, where a file says nothing, the user.
 */
import { CheckpointError } from "./checkpoint_error.ts";

type Json = Record<string, unknown>;

/** What a user says of a checkpoint that does not: BitNet layers over latent weights, or plain ones. */
export const quantizations = ["online", "none"] as const;
export type Quantization = (typeof quantizations)[number];

/** AutoBitLinear's configuration in transformers: packed codes (offline), or latent weights that it quantizes itself. */
export function quantizationConfigJson(packed: boolean): Json {
  return {
    quant_method: "bitnet",
    linear_class: "autobitlinear",
    quantization_mode: packed ? "offline" : "online",
    modules_to_not_convert: ["lm_head"],
  };
}

/** `quantization_config`; null if the file has none. @throws {CheckpointError} if it is not BitNet's, or adds something. */
function bitnetSection(json: Json): Json | null {
  const section = json.quantization_config as Json | undefined | null;
  if (section === undefined || section === null) return null;
  const { quant_method: method, use_rms_norm: rmsNorm, modules_to_not_convert: kept, linear_class: linear } = section;
  if (method !== "bitnet") {
    throw new CheckpointError(`quantization_config.quant_method "${method}" is not supported, only "bitnet"`);
  }
  if (rmsNorm) throw new CheckpointError("quantization_config.use_rms_norm is not supported: it adds norms");
  if (linear !== undefined && linear !== "bitlinear" && linear !== "autobitlinear") {
    throw new CheckpointError(`quantization_config.linear_class ${JSON.stringify(linear)} is not supported`);
  }
  if (Array.isArray(kept)) {
    const other = kept.find((name) => name !== "lm_head");
    if (other !== undefined) {
      throw new CheckpointError(
        `quantization_config.modules_to_not_convert: "${other}" is not supported, only lm_head`,
      );
    }
    if (kept.length === 0) {
      throw new CheckpointError(
        "quantization_config.modules_to_not_convert without lm_head is not supported: the head",
      );
    }
  }
  return section;
}

/** Says that the quantizers of our own keys are on; undefined if the file has no such keys. */
function ownAnswer({ weight_quantizer: weights, activation_quantizer: activations }: Json): boolean | undefined {
  if (weights === undefined) return undefined;
  return weights !== "none" || (activations !== undefined && activations !== "none");
}

const advice =
  "say what it is with --quantization online (BitNet layers) or --quantization none (float weights), for init_from with model.weight_quantizer";

/**
 * True if the linear layers are BitNet's. A file of ours that transformers has written since must say so in both ways: it
 * ran, and was perhaps trained further, by `quantization_config` alone.
 * @param answers the user's, which a file that says something must not contradict, and what is assumed of one that does not
 * @throws {CheckpointError} if two keys disagree, or nobody says it.
 */
export function hasBitnetLayers(
  json: Json,
  type: string,
  { given, assumed }: { given?: Quantization; assumed?: Quantization } = {},
): boolean {
  const section = bitnetSection(json);
  const own = ownAnswer(json);
  const rewritten = json.transformers_version !== undefined && type !== "bitnet-lab";
  const withoutOne = ["weight_quantizer", "activation_quantizer"].find((key) => json[key] === "none");
  if (section !== null && withoutOne !== undefined) {
    throw new CheckpointError(`${withoutOne} is none and quantization_config is bitnet: remove the one that is wrong`);
  }
  const isSilent = own === undefined ? type === "bitnet" && section === null : own && section === null && rewritten;
  if (given !== undefined) {
    const says = section !== null || (own === true && !isSilent);
    const saysNot = own === false;
    if (given === "online" ? saysNot : says) {
      throw new CheckpointError(
        `quantization ${given} contradicts config.json: ${says ? "its linear layers are BitNet's" : "weight_quantizer is none"}`,
      );
    }
    return given === "online";
  }
  if (isSilent && assumed !== undefined) return assumed === "online";
  if (isSilent) {
    const but = own === undefined ? "" : ` although weight_quantizer is ${JSON.stringify(json.weight_quantizer)}`;
    throw new CheckpointError(
      `model_type ${type} without quantization_config is a float model in transformers${but}: ${advice}`,
    );
  }
  return own ?? section !== null;
}

/**
 * The weights must be stored as the file says that they run.
 * @throws {CheckpointError} if latent weights are said to be codes, or nothing says how the scales of codes are meant.
 */
export function checkStorage(json: Json, packed: boolean, given?: Quantization): void {
  const section = bitnetSection(json);
  if (packed && section === null) {
    throw new CheckpointError(
      "the weights are packed codes, and without quantization_config.linear_class their scales may multiply or divide",
    );
  }
  if (section === null || packed || given === "online") return;
  if ((section.quantization_mode ?? "offline") === "online" && section.linear_class === "autobitlinear") return;
  const { linear_class: linear = "bitlinear", quantization_mode: mode = "offline" } = section;
  throw new CheckpointError(
    `quantization_config says ${linear}, ${mode}: packed codes, and the weights are not packed: if they are latent ones to be quantized in each forward pass, say --quantization online`,
  );
}
