/**
 * Hugging Face transformers: the class of the model's family (src/config/families), with packed codes (AutoBitLinear,
 * offline: weight_scale multiplies), with latent weights that it quantizes as it runs (online), or as a float model (no
 * quantization_config).
 */
import { familyOf } from "../../src/config/families/families.ts";
import type { ModelConfig } from "../../src/config/model_config.ts";
import {
  hasTernaryWeights,
  isFloat,
  isQuantized,
  ownKey,
  weightQuantizerOf,
} from "../../src/config/model_quantizers.ts";
import { fits, type Storage } from "../../src/config/tensor_fit.ts";
import { transformersExportBytes, writeTransformersExport } from "../transformers_export.ts";
import { statedByDirectory } from "../verify/stated_model.ts";
import { verifyTransformers } from "../verify/verify_transformers.ts";
import { floatHeadChange } from "./head_note.ts";
import { type ExportTarget, firstBroken } from "./target.ts";

/** Codes that share a byte; they lie a quarter of the rows apart. */
const rowsPerByte = 4;

/** As a type: AutoBitLinear has one scale for a matrix. */
const packedUint8: Storage = {
  kind: "codes",
  name: "packed_uint8",
  blockElements: 1,
  holds: { levels: [-1, 0, 1], scales: "tensor", scaleDtype: "f32" },
};

export const transformers: ExportTarget = {
  name: "transformers",
  defaultType: (config) => (hasTernaryWeights(config) ? "packed_uint8" : "f32"),
  note: ({ config }) =>
    isFloat(config) && config.normPlacement === "sub"
      ? "its config.json has no quantization_config, which makes it a float model in transformers: here it is opened with --quantization none"
      : null,
  refusal({ config, linearType }) {
    const { numAttentionHeads: heads, numKeyValueHeads: kvHeads, headDim, hiddenSize, intermediateSize } = config;
    const quantized = isQuantized(config);
    const rowCounts = [hiddenSize, kvHeads * headDim, intermediateSize];
    const quantizer = weightQuantizerOf(config);
    const misfit = quantizer && fits(packedUint8, quantizer, []);
    const hasSubNorms = config.normPlacement === "sub";
    const key = ownKey(config);
    return firstBroken([
      [key === null, `transformers has no model with ${key}: export with --target bitnet-lab`],
      [
        familyOf(config)?.gainOffset === undefined,
        "transformers' Gemma 3 stores the gains of its norms less 1, which loses digits: export with --target bitnet-lab or llama.cpp",
      ],
      [
        linearType === "packed_uint8" || linearType === "f32",
        `transformers does not read ${linearType}: leave --type out for packed codes, or use --type f32 for the latent weights`,
      ],
      [
        quantized || isFloat(config),
        "transformers has models with both quantizers or none, and this model has one: train with weight_quantizer and activation_quantizer both on or both none, or export with --target bitnet-lab",
      ],
      [
        !hasSubNorms || heads * headDim === hiddenSize,
        `transformers' BitNet has an attn_sub_norm of hidden_size elements: num_attention_heads x head_dim (${heads * headDim}) must be hidden_size (${hiddenSize}), or export with --target bitnet-lab`,
      ],
      [linearType !== "packed_uint8" || quantized, "this model has no ternary weights to pack: use --type f32"],
      [
        linearType !== "packed_uint8" || rowCounts.every((rows) => rows % rowsPerByte === 0),
        `transformers packs ${rowsPerByte} rows into one: hidden_size, num_key_value_heads x head_dim and intermediate_size (${rowCounts.join(", ")}) must be multiples of ${rowsPerByte}, or use --type f32`,
      ],
      [linearType !== "packed_uint8" || misfit === null, `${misfit}: export with --target bitnet-lab`],
      [
        linearType !== "f32" || quantizer === null || quantizer.fused === "absmean_tensor",
        `transformers quantizes latent weights by the mean of their matrix, and this model has weight_quantizer: ${quantizer?.name}: leave --type out for packed codes, or export with --target bitnet-lab`,
      ],
    ]);
  },
  changes(request) {
    const { config, linearType } = request;
    const head = floatHeadChange(request, "transformers");
    if (!recomputesScales(config, linearType) || config.scaleDtype === "f32") return head;
    const text = `transformers recomputes the weight scales in f32, trained as ${config.scaleDtype}`;
    return [...head, { text, config: { scaleDtype: "f32" } }];
  },
  describe: (plan) => ({
    text: `transformers, ${plan.linearType === "f32" ? "f32" : "packed codes"}`,
    bytes: transformersExportBytes(plan),
  }),
  write: (plan, out, read, onBytes) => writeTransformersExport(out, plan, read, onBytes),
  verifyTensors: (plan, out, read) => verifyTransformers(out, plan, read),
  stated: statedByDirectory,
  reader: () => "training forward",
};

/** True for latent weights, which AutoBitLinear quantizes on every forward pass. */
function recomputesScales(config: ModelConfig, linearType: string): boolean {
  return linearType === "f32" && weightQuantizerOf(config) !== null;
}
