/** Decides what an export writes, or refuses it, before a byte is read or written. */
import type { ModelConfig } from "../src/config/model_config.ts";
import { floatTypeOf } from "../src/gguf/types/tensor_types.ts";
import type { EmbeddingDtype } from "../src/quant/dtypes.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";
import { ExportRefusedError } from "./export_error.ts";
import type { ExportPlan, ExportRequest, ModelChange } from "./targets/target.ts";
import { targetNames, targets } from "./targets/targets.ts";

export interface ExportChoice {
  /** Name of a target. */
  target: string;
  /** Of the linear weights; the target's default if absent. */
  type?: string;
  /** What the model was trained with if absent. */
  embeddingType?: EmbeddingDtype;
  /** Of the model, for people. */
  name?: string;
}

/** @throws {ExportRefusedError} with the reason and what would work. */
export function planExport(config: ModelConfig, tokenizer: Tokenizer | null, choice: ExportChoice): ExportPlan {
  const target = targets.find(({ name }) => name === choice.target);
  if (target === undefined) {
    throw new ExportRefusedError(`no target is called ${choice.target}: they are ${targetNames.join(", ")}`);
  }
  const request: ExportRequest = {
    config,
    tokenizer,
    linearType: choice.type ?? target.defaultType(config),
    embeddingDtype: choice.embeddingType ?? config.embeddingDtype,
  };
  const refusal = target.refusal(request) ?? embeddingRefusal(request);
  if (refusal !== null) throw new ExportRefusedError(refusal);
  return {
    ...request,
    target,
    name: choice.name ?? "model",
    note: target.note?.(request) ?? null,
    changes: [...embeddingChange(request), ...target.changes(request)],
  };
}

function embeddingRefusal({ config, embeddingDtype }: ExportRequest): string | null {
  const { blockElements } = floatTypeOf(embeddingDtype);
  if (config.hiddenSize % blockElements === 0) return null;
  return `${embeddingDtype} packs rows in blocks of ${blockElements}, and hidden_size (${config.hiddenSize}) is no multiple of ${blockElements}: use --embedding-type f16`;
}

function embeddingChange({ config, embeddingDtype }: ExportRequest): ModelChange[] {
  if (embeddingDtype === config.embeddingDtype) return [];
  return [
    { text: `the embedding is ${embeddingDtype}, trained as ${config.embeddingDtype}`, config: { embeddingDtype } },
  ];
}
