/** Decides what an export writes, or refuses it, before a byte is read or written. */

import type { ModelConfig } from "../src/config/model_config.ts";
import { weightQuantizerOf } from "../src/config/model_quantizers.ts";
import type { EmbeddingDtype } from "../src/quant/dtypes.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";
import { ExportRefusedError } from "./export_error.ts";
import { bitnetCpp } from "./targets/bitnet_cpp.ts";
import { bitnetLab } from "./targets/bitnet_lab.ts";
import { llamaCpp } from "./targets/llama_cpp.ts";
import type { ExportTarget, LinearType, TargetName } from "./targets/target.ts";
import { transformers } from "./targets/transformers.ts";

const targets: Record<TargetName, ExportTarget> = {
  "bitnet-lab": bitnetLab,
  "llama.cpp": llamaCpp,
  "bitnet.cpp": bitnetCpp,
  transformers,
};

export interface ExportChoice {
  target: TargetName;
  /** The target's default if absent. */
  type?: LinearType;
  /** What the model was trained with if absent. */
  embeddingType?: EmbeddingDtype;
}

export interface ExportPlan {
  target: TargetName;
  /** As trained. */
  config: ModelConfig;
  tokenizer: Tokenizer | null;
  linearType: LinearType;
  embeddingDtype: EmbeddingDtype;
  /** What the user should know of the reader, or null. */
  note: string | null;
  /** What the file changes against the trained model, in words; empty if it is the same model. */
  differences: readonly string[];
}

/** @throws {ExportRefusedError} with the reason and what would work. */
export function planExport(config: ModelConfig, tokenizer: Tokenizer | null, choice: ExportChoice): ExportPlan {
  const target = targets[choice.target];
  const linearType = choice.type ?? target.defaultType(config);
  const embeddingDtype = choice.embeddingType ?? config.embeddingDtype;
  const request = { config, tokenizer, linearType };
  const refusal = target.refusal(request) ?? storageRefusal(config, embeddingDtype, choice.target);
  if (refusal !== null) throw new ExportRefusedError(refusal);
  const plan = { target: choice.target, config, tokenizer, linearType, embeddingDtype };
  return { ...plan, note: target.note?.(request) ?? null, differences: differences(plan) };
}

/** What the file cannot hold, whoever reads it. */
function storageRefusal(config: ModelConfig, embeddingDtype: EmbeddingDtype, target: TargetName): string | null {
  if (embeddingDtype === "q8_0" && config.hiddenSize % 32 !== 0) {
    return `q8_0 packs rows in blocks of 32, and hidden_size (${config.hiddenSize}) is no multiple of 32: use --embedding-type f16`;
  }
  if (target !== "transformers" && Math.fround(config.ropeTheta) !== config.ropeTheta) {
    return `rope_theta (${config.ropeTheta}) is not a float32 number, and GGUF stores it as one: train with ${Math.fround(config.ropeTheta)}`;
  }
  return null;
}

function differences(plan: Omit<ExportPlan, "note" | "differences">): string[] {
  const { config, embeddingDtype, linearType } = plan;
  const found: string[] = [];
  if (embeddingDtype !== config.embeddingDtype) {
    found.push(`the embedding is ${embeddingDtype}, trained as ${config.embeddingDtype}`);
  }
  const float = weightQuantizerOf(config) === null;
  if (float && linearType !== "f32") found.push(`the linear weights are rounded to ${linearType}, trained as f32`);
  if (!float && plan.target === "transformers" && linearType === "f32" && config.scaleDtype !== "f32") {
    found.push(`transformers recomputes the weight scales in f32, trained as ${config.scaleDtype}`);
  }
  return found;
}
