/**
 * Which models fit which export type without loss: rules on the configuration alone, so training can warn before a
 * step is spent and export can refuse before a byte is written.
 *
 * A linear weight [out, in] is packed along `in`, in whole blocks: 256 elements for TQ1_0 and TQ2_0, 128 for I2_S.
 * TQ1_0 and TQ2_0 store their scale as float16, I2_S as float32. A scale trained as bf16 fits both: scales are at
 * least 1e-5, and every bfloat16 from there to 65504 is a float16.
 */
import type { ModelConfig } from "./model_config.ts";
import { hasTernaryWeights } from "./model_quantizers.ts";

/** Types of the linear weights in an exported file. */
export const exportTypes = ["tq2_0", "tq1_0", "i2_s", "f16", "f32"] as const;
export type ExportType = (typeof exportTypes)[number];

const packedRowMultiple: Partial<Record<ExportType, number>> = { tq2_0: 256, tq1_0: 256, i2_s: 128 };
const float16ScaleTypes: readonly ExportType[] = ["tq2_0", "tq1_0", "f16"];

/** Input sizes of the linear layers, with the config keys that set them. */
function inputSizes(config: ModelConfig): [key: string, size: number][] {
  return [
    ["hidden_size", config.hiddenSize],
    ["num_attention_heads x head_dim", config.numAttentionHeads * config.headDim],
    ["intermediate_size", config.intermediateSize],
  ];
}

/** Why `config` cannot be packed as `type`, or null. */
function obstacle(config: ModelConfig, type: ExportType): string | null {
  const ternary = hasTernaryWeights(config);
  const multiple = packedRowMultiple[type];
  if (multiple !== undefined) {
    if (!ternary) return `${type} holds ternary weights, and this model has weight_quantizer: none`;
    const unfit = inputSizes(config).filter(([, size]) => size % multiple !== 0);
    if (unfit.length > 0) {
      const sizes = unfit.map(([key, size]) => `${key} (${size})`).join(" and ");
      const rule = unfit.length > 1 ? `are no multiples of ${multiple}` : `is no multiple of ${multiple}`;
      return `${type} packs rows in blocks of ${multiple} weights, and ${sizes} ${rule}`;
    }
  }
  if (ternary && config.scaleDtype === "f32" && float16ScaleTypes.includes(type)) {
    return `${type} stores float16 scales, and this model was trained with scale_dtype: f32`;
  }
  return null;
}

/**
 * Null if every linear weight of the model can be packed as `type` without loss, otherwise one line that names the
 * key, the rule and the types that work.
 */
export function checkPackable(config: ModelConfig, type: ExportType): string | null {
  const reason = obstacle(config, type);
  if (reason === null) return null;
  const others = exportTypes.filter((other) => obstacle(config, other) === null);
  return `${reason}: use --type ${others.join(" or ")}, or change the key and train again`;
}
