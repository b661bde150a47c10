/**
 * The keys of a config.json that are no numbers of a model's shape: which may say anything, because the forward pass does
 * not depend on them, and which may say only what this code computes. Facts of transformers 4 and 5: their common
 * configuration, BitNet's, Llama's, and keys of their relatives that would be another model.
 */
import { CheckpointError } from "./checkpoint_error.ts";

type Json = Record<string, unknown>;

/** Read elsewhere: the shape (model_config_json.ts), RoPE (rope_keys.ts), BitNet layers (quantization_keys.ts). */
const readElsewhere = [
  "model_type architectures hidden_size num_hidden_layers intermediate_size num_attention_heads num_key_value_heads",
  "head_dim vocab_size max_position_embeddings rms_norm_eps hidden_act initializer_range tie_word_embeddings",
  "rope_theta rope_parameters rope_scaling partial_rotary_factor quantization_config",
  // Ours.
  "use_sub_norms norm_placement feed_forward use_hadamard weight_quantizer activation_quantizer scale_dtype embedding_dtype",
  "embedding_quantizer",
];

/** Of training, of the class around the model, of generation, of the file: the log-probabilities do not depend on them. */
const harmless = [
  "transformers_version dtype torch_dtype _name_or_path name_or_path _commit_hash auto_map tokenizer_class",
  "attention_dropout hidden_dropout resid_pdrop embd_pdrop dropout classifier_dropout label_smoothing pretraining_tp",
  "use_cache output_hidden_states output_attentions output_scores return_dict return_dict_in_generate torchscript",
  "chunk_size_feed_forward tie_last_hidden_states attn_implementation _attn_implementation use_bfloat16",
  "_attn_implementation_autoset gradient_checkpointing use_flash_attn",
  "id2label label2id num_labels problem_type finetuning_task task_specific_params is_decoder tie_encoder_decoder",
  "cross_attention_hidden_size tf_legacy_loss prefix",
  "bos_token_id eos_token_id pad_token_id sep_token_id unk_token_id mask_token_id decoder_start_token_id",
  "max_length min_length max_new_tokens do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature",
  "top_k top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size",
  "bad_words_ids num_return_sequences forced_bos_token_id forced_eos_token_id remove_invalid_values",
  "exponential_decay_length_penalty suppress_tokens begin_suppress_tokens",
  // Which layers have a window, where there is none; the context that a base model had.
  "max_window_layers original_max_position_embeddings cache_implementation",
  "unsloth_version unsloth_fixed",
];

const words = (lines: readonly string[]) => new Set(lines.flatMap((line) => line.split(" ")));
const silent = words([...readElsewhere, ...harmless]);

const off = (value: unknown) => !value;
const one = (value: unknown) => value === 1;
const isEmpty = (value: unknown) => typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** Keys that change what a model computes, and the values with which they do not. Null is no value. */
const neutralValues: Record<string, (value: unknown, json: Json) => boolean> = {
  attention_bias: off,
  qkv_bias: off,
  use_bias: off,
  bias: off,
  mlp_bias: off,
  lm_head_bias: off,
  use_sliding_window: off,
  sliding_window: (window, json) => off(window) || json.use_sliding_window === false || coversContext(window, json),
  layer_types: (types) => Array.isArray(types) && types.every((type) => type === "full_attention"),
  no_rope_layers: isEmpty,
  per_layer_config: isEmpty,
  pruned_heads: isEmpty,
  is_encoder_decoder: off,
  add_cross_attention: off,
  qk_norm: off,
  use_qk_norm: off,
  qk_layernorm: off,
  use_parallel_residual: off,
  parallel_attn: off,
  rope_interleaved: off,
  alibi: off,
  clip_qkv: off,
  attn_logit_softcapping: off,
  final_logit_softcapping: off,
  use_bidirectional_attention: off,
  num_experts: off,
  num_local_experts: off,
  n_routed_experts: off,
  num_nextn_predict_layers: off,
  scale_embeddings: off,
  rotary_pct: one,
  logit_scale: one,
  logits_scaling: one,
  embedding_multiplier: one,
  residual_multiplier: one,
};

/** A window of the whole context is none. */
function coversContext(window: unknown, { max_position_embeddings: context }: Json): boolean {
  return typeof window === "number" && typeof context === "number" && window >= context;
}

/**
 * @param read keys that the file may set, because the model is built by them
 * @throws {CheckpointError} naming the first other key whose value would make this another model.
 */
export function checkNeutralKeys(json: Json, read: readonly string[]): void {
  for (const [key, isNeutral] of Object.entries(neutralValues)) {
    const value = json[key];
    if (read.includes(key) || value === undefined || value === null || isNeutral(value, json)) continue;
    throw new CheckpointError(`${key} ${JSON.stringify(value)} is not supported: it changes the model`);
  }
}

/** Keys that neither this code nor transformers' class of the model knows: they change nothing there, and nothing here. */
export function unknownKeys(json: Json): string[] {
  return Object.keys(json).filter((key) => !silent.has(key) && !Object.hasOwn(neutralValues, key));
}
