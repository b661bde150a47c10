/** What embedding and head can be stored as: tables whose rows are looked up, and multiplied as floats. */
import { q2_0 } from "../gguf/types/q2_0.ts";
import type { WritableTensorType } from "../gguf/types/tensor_type.ts";
import { floatTypeOf } from "../gguf/types/tensor_types.ts";
import { type EmbeddingDtype, embeddingDtypes } from "../quant/dtypes.ts";
import { embeddingQuantizerOf } from "./embedding_keys.ts";
import type { ModelConfig } from "./model_config.ts";
import { nameOf, unevenRows, valueMisfit } from "./tensor_fit.ts";

/** Types of codes that the engine decodes by rows. They hold the values of an `embedding_quantizer` in fewer bytes. */
const codeTypes = [q2_0] as const;

type TableCodes = Lowercase<(typeof codeTypes)[number]["name"]>;

/** As the command line calls it. */
export type EmbeddingType = EmbeddingDtype | TableCodes;
export const embeddingTypes: readonly EmbeddingType[] = [
  ...embeddingDtypes,
  ...codeTypes.map((type) => nameOf(type) as TableCodes),
];

export function isTableCodes(type: EmbeddingType): type is TableCodes {
  return codeTypes.some((codes) => nameOf(codes) === type);
}

/** The type of the tensors in a file. */
export function tableTypeOf(type: EmbeddingType): WritableTensorType {
  return isTableCodes(type) ? codeTypes.find((codes) => nameOf(codes) === type)! : floatTypeOf(type);
}

/** Null if the tables of the model can be stored as `type`, as {@link fits} says of linear weights; else the reason. */
export function tableMisfit(type: WritableTensorType, config: ModelConfig): string | null {
  const rows = [{ key: "hidden_size", size: config.hiddenSize }];
  return valueMisfit(type, embeddingQuantizerOf(config), "embedding_quantizer") ?? unevenRows(type, rows);
}

/** The smallest type that holds the tables without loss. */
export function defaultTableType(config: ModelConfig): EmbeddingType {
  const codes = embeddingTypes.filter(isTableCodes).find((type) => tableMisfit(tableTypeOf(type), config) === null);
  return codes ?? config.embeddingDtype;
}
