/**
 * Hugging Face transformers: `BitNetForCausalLM` with packed codes (AutoBitLinear, offline: weight_scale multiplies) or
 * with latent weights that it quantizes as it runs (online), and `LlamaForCausalLM` for Llama-shaped float models.
 */
import { hasTernaryWeights, isLlamaShaped, isQuantized } from "../../src/config/model_quantizers.ts";
import { type ExportTarget, firstBroken } from "./target.ts";

/** Codes that share a byte; they lie a quarter of the rows apart. */
const rowsPerByte = 4;

export const transformers: ExportTarget = {
  defaultType: (config) => (hasTernaryWeights(config) ? "packed_uint8" : "f32"),
  refusal({ config, linearType }) {
    const { numAttentionHeads: heads, numKeyValueHeads: kvHeads, headDim, hiddenSize, intermediateSize } = config;
    const quantized = isQuantized(config);
    const rowCounts = [hiddenSize, kvHeads * headDim, intermediateSize];
    return firstBroken([
      [
        linearType === "packed_uint8" || linearType === "f32",
        `transformers does not read ${linearType}: leave --type out for packed codes, or use --type f32 for the latent weights`,
      ],
      [
        quantized || isLlamaShaped(config),
        "transformers has BitNet (both quantizers) and Llama (none, with hidden_act: silu and use_sub_norms: false), and this model is neither: train one of them, or export with --target bitnet-lab",
      ],
      [
        !quantized || config.useSubNorms,
        "transformers' BitNet has both sub-norms: train with use_sub_norms: true, or export with --target bitnet-lab",
      ],
      [
        !quantized || heads * headDim === hiddenSize,
        `transformers' BitNet has an attn_sub_norm of hidden_size elements: num_attention_heads x head_dim (${heads * headDim}) must be hidden_size (${hiddenSize}), or export with --target bitnet-lab`,
      ],
      [linearType !== "packed_uint8" || quantized, "this model has no ternary weights to pack: use --type f32"],
      [
        linearType !== "packed_uint8" || rowCounts.every((rows) => rows % rowsPerByte === 0),
        `transformers packs ${rowsPerByte} rows into one: hidden_size, num_key_value_heads x head_dim and intermediate_size (${rowCounts.join(", ")}) must be multiples of ${rowsPerByte}, or use --type f32`,
      ],
    ]);
  },
};
