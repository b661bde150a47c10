/** What `import "bitnet-lab"` offers: layers for any tfjs model, the language model, checkpoints, tokenizers, evaluation. */
export { type Checkpoint, loadCausalLM, openCheckpoint, readParameter } from "./checkpoint/checkpoint.ts";
export { CheckpointError } from "./checkpoint/checkpoint_error.ts";
export { fileSystem } from "./checkpoint/file_system.ts";
export { SafetensorsFile } from "./checkpoint/safetensors_file.ts";
export { type SafetensorsEntry, writeSafetensors } from "./checkpoint/safetensors_writer.ts";
export { type CheckpointContents, writeCheckpoint } from "./checkpoint/write_checkpoint.ts";
export {
  type ModelConfig,
  type ModelConfigJson,
  modelConfigSchema,
  resolveModelConfig,
} from "./config/model_config.ts";
export { TaskData, type TaskDataOptions } from "./eval/data/task_data.ts";
export { type EvaluationOptions, evaluate, type TaskResult } from "./eval/evaluator.ts";
export type { Task } from "./eval/task/task.ts";
export { findTask, shippedTasks, TaskRegistry } from "./eval/task/task_registry.ts";
export type {
  GenerateRequest,
  LanguageModel,
  LoglikelihoodRequest,
  LoglikelihoodResult,
} from "./language_model/language_model.ts";
export { TfjsLanguageModel } from "./language_model/tfjs_language_model.ts";
export { BitLinear, type BitLinearArgs } from "./layers/bit_linear.ts";
export { DecoderLayer, type DecoderLayerArgs } from "./layers/decoder_layer.ts";
export { GatedFeedForward, type GatedFeedForwardArgs } from "./layers/gated_feed_forward.ts";
export { GroupedQueryAttention, type GroupedQueryAttentionArgs } from "./layers/grouped_query_attention.ts";
export {
  AbsmaxInt8,
  AbsmeanTernary,
  Quantizer,
  QuantizerError,
  type QuantizerIdentifier,
} from "./layers/quantizers.ts";
export { RMSNorm, type RMSNormArgs } from "./layers/rms_norm.ts";
export { RotaryEmbedding, type RotaryEmbeddingArgs } from "./layers/rotary_embedding.ts";
export { CausalLM, type Initialization, ParameterError } from "./model/causal_lm.ts";
export { modelParameters, type ParameterKind, type ParameterSpec, parameterCount } from "./model/parameters.ts";
export { absmaxInt8, type Int8Rows } from "./quant/absmax_int8.ts";
export { absmeanTernary, type TernaryMatrix } from "./quant/absmean_ternary.ts";
export { loadTokenizer } from "./tokenizer/load_tokenizer.ts";
export type { Tokenizer } from "./tokenizer/tokenizer.ts";
