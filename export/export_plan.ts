/** Decides what an export writes, or refuses it, before a byte is read or written. */
import { embeddingQuantizerOf } from "../src/config/embedding_keys.ts";
import type { ModelConfig } from "../src/config/model_config.ts";
import { hasTernaryWeights } from "../src/config/model_quantizers.ts";
import { checkPackable } from "../src/config/packing_rules.ts";
import {
  defaultTableType,
  type EmbeddingType,
  isTableCodes,
  tableMisfit,
  tableTypeOf,
} from "../src/config/table_types.ts";
import { writableTypes } from "../src/config/tensor_fit.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";
import type { About, TrainingFacts } from "./about.ts";
import { ExportRefusedError } from "./export_error.ts";
import type { ExportPlan, ExportRequest, ExportTarget, ModelChange } from "./targets/target.ts";
import { targetNames, targets } from "./targets/targets.ts";

export interface ExportChoice {
  /** Name of a target. */
  target: string;
  /** Of the linear weights; the target's default if absent. */
  type?: string;
  /** What the model was trained with if absent, packed where the target reads that. */
  embeddingType?: EmbeddingType;
  /** Of the model, for people. */
  name?: string;
  about?: About;
  trainingFacts?: TrainingFacts;
  /**
   * Nobody has named the type of the weight scales (Hugging Face's files do not): a type of codes with smaller ones may
   * round them, which is a change of the model with a price.
   */
  scalesMayRound?: boolean;
}

/** @throws {ExportRefusedError} with the reason and what would work. */
export function planExport(config: ModelConfig, tokenizer: Tokenizer | null, choice: ExportChoice): ExportPlan {
  const target = targets.find(({ name }) => name === choice.target);
  if (target === undefined) {
    throw new ExportRefusedError(`no target is called ${choice.target}: they are ${targetNames.join(", ")}`);
  }
  const packable = choice.scalesMayRound === true ? { ...config, scaleDtype: "f16" as const } : config;
  const linearType = choice.type ?? target.defaultType(packable);
  const rounding = choice.scalesMayRound === true ? scaleRounding(config, linearType) : [];
  const request: ExportRequest = {
    config: Object.assign({ ...config }, ...rounding.map((change) => change.config)),
    tokenizer,
    linearType,
    ...embeddingStorage(config, target, choice.embeddingType),
  };
  const refusal = target.refusal(request) ?? embeddingRefusal(request);
  if (refusal !== null) throw new ExportRefusedError(refusal);
  return {
    ...request,
    target,
    name: choice.name ?? "model",
    note: target.note?.(request) ?? null,
    about: choice.about ?? {},
    trainingFacts: choice.trainingFacts,
    changes: [...rounding, ...embeddingChange(request), ...target.changes(request)],
  };
}

/** The change that float32 scales make when the type has float16 ones; none where it holds them. */
function scaleRounding(config: ModelConfig, linearType: string): ModelChange[] {
  if (config.scaleDtype !== "f32" || !hasTernaryWeights(config)) return [];
  const type = writableTypes.find(({ name }) => name.toLowerCase() === linearType);
  if (type?.kind !== "codes" || type.holds.scaleDtype !== "f16") return [];
  const exact = checkPackable(config, "i2_s") === null ? " (--type i2_s keeps them)" : "";
  const text = `the weight scales are rounded to float16, config.json has them computed in float32${exact}`;
  return [{ text, config: { scaleDtype: "f16" } }];
}

/** How embedding and head are stored: as `chosen`, else as the target has them. */
export function embeddingStorage(
  config: ModelConfig,
  { packsTables }: ExportTarget,
  chosen: EmbeddingType = packsTables ? defaultTableType(config) : config.embeddingDtype,
): Pick<ExportRequest, "embeddingDtype" | "tableType"> {
  return { embeddingDtype: isTableCodes(chosen) ? config.embeddingDtype : chosen, tableType: tableTypeOf(chosen) };
}

function embeddingRefusal({ config, tableType }: ExportRequest): string | null {
  const misfit = tableMisfit(tableType, config);
  return misfit && `embedding and head: ${misfit}: use --embedding-type ${defaultTableType(config)}`;
}

function embeddingChange({ config, embeddingDtype }: ExportRequest): ModelChange[] {
  // A type that holds the values of a quantizer changes nothing.
  if (embeddingDtype === config.embeddingDtype || embeddingQuantizerOf(config) !== null) return [];
  return [
    { text: `the embedding is ${embeddingDtype}, trained as ${config.embeddingDtype}`, config: { embeddingDtype } },
  ];
}
