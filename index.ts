/**
 * `import ... from "bitnet-lab"`: layers for any tfjs model, the language model, checkpoints, tokenizers, evaluation, and
 * GGUF files in the native engine (loaded at first use).
 */
import "./src/ops/one_tfjs.ts";

export { BackendError, selectBackend } from "./native/backend/select_backend.ts";
export * from "./native/inference/index.ts";
export { OpenOptionError, type OpenOptions, openModel } from "./native/open_model.ts";
export {
  type Checkpoint,
  loadCausalLM,
  openCheckpoint,
  parameterReader,
  type ReadParameter,
  readParameter,
} from "./src/checkpoint/checkpoint.ts";
export { CheckpointError } from "./src/checkpoint/checkpoint_error.ts";
export { fileSystem } from "./src/checkpoint/file_system.ts";
export { SafetensorsFile } from "./src/checkpoint/safetensors_file.ts";
export { type SafetensorsEntry, writeSafetensors } from "./src/checkpoint/safetensors_writer.ts";
export { type CheckpointContents, writeCheckpoint } from "./src/checkpoint/write_checkpoint.ts";
export {
  type ModelConfig,
  type ModelConfigJson,
  modelConfigSchema,
  resolveModelConfig,
} from "./src/config/model_config.ts";
export { TaskData, type TaskDataOptions } from "./src/eval/data/task_data.ts";
export { type EvaluationOptions, evaluate, type TaskResult } from "./src/eval/evaluator.ts";
export type { Task } from "./src/eval/task/task.ts";
export { findTask, shippedTasks, TaskRegistry } from "./src/eval/task/task_registry.ts";
export type {
  CallOptions,
  GeneratedPiece,
  GenerateRequest,
  LanguageModel,
  LoglikelihoodRequest,
  LoglikelihoodResult,
} from "./src/language_model/language_model.ts";
export type { ModelFacts } from "./src/language_model/model_facts.ts";
export { TfjsLanguageModel } from "./src/language_model/tfjs_language_model.ts";
export { BitLinear, type BitLinearArgs } from "./src/layers/bit_linear.ts";
export { DecoderLayer, type DecoderLayerArgs } from "./src/layers/decoder_layer.ts";
export { GatedFeedForward, type GatedFeedForwardArgs } from "./src/layers/gated_feed_forward.ts";
export { GroupedQueryAttention, type GroupedQueryAttentionArgs } from "./src/layers/grouped_query_attention.ts";
export {
  AbsmaxInt8,
  AbsmeanTernary,
  Quantizer,
  QuantizerError,
  type QuantizerIdentifier,
} from "./src/layers/quantizers.ts";
export { RMSNorm, type RMSNormArgs } from "./src/layers/rms_norm.ts";
export { RotaryEmbedding, type RotaryEmbeddingArgs } from "./src/layers/rotary_embedding.ts";
export { UngatedFeedForward } from "./src/layers/ungated_feed_forward.ts";
export { CausalLM, type Initialization, ParameterError } from "./src/model/causal_lm.ts";
export { modelParameters, type ParameterKind, type ParameterSpec, parameterCount } from "./src/model/parameters.ts";
export type { BackendName, Compute } from "./src/ops/compute.ts";
export { absmaxInt8, type Int8Rows } from "./src/quantizers/absmax_int8.ts";
export { absmeanTernary, type TernaryMatrix } from "./src/quantizers/absmean_ternary.ts";
export {
  activationQuantizers,
  makeActivationQuantizer,
  makeWeightQuantizer,
  type QuantizerDescription,
  weightQuantizers,
} from "./src/quantizers/registry.ts";
export {
  dequantize,
  type MatrixShape,
  type QuantizedMatrix,
  type WeightQuantizer,
  type WeightQuantizerDefinition,
} from "./src/quantizers/weight_quantizer.ts";
export { CounterRng } from "./src/random/counter_rng.ts";
export { byteLevelTokenizer } from "./src/tokenizer/byte_level_tokenizer.ts";
export { loadTokenizer } from "./src/tokenizer/load_tokenizer.ts";
export type { Tokenizer } from "./src/tokenizer/tokenizer.ts";
