/**
 * What other trainers and file formats call the keys of a recipe: transformers (configurations and TrainingArguments),
 * nanoGPT, llama.cpp and GGUF, Megatron, Axolotl. A name means the same in whatever section it stands.
 */

/** Other names, by our key. Written in lower case, with `_`. */
const names: Record<string, string> = {
  "model.num_hidden_layers": "n_layer n_layers num_layers layers depth block_count n_block n_blocks",
  "model.num_attention_heads": "n_head n_heads num_heads heads head_count attention_heads",
  "model.num_key_value_heads": "n_kv_head n_kv_heads n_head_kv num_kv_heads kv_heads head_count_kv num_query_groups",
  "model.hidden_size":
    "n_embd n_embed d_model dim embed_dim embedding_dim embedding_length embedding_size hidden_dim model_dim width n_hidden",
  "model.intermediate_size":
    "d_ff ffn_dim ffn_hidden_size ffn_size feed_forward_length n_ff n_inner mlp_dim mlp_size ff_dim inner_dim",
  "model.head_dim": "d_head head_size d_kv key_length kv_channels",
  "model.max_position_embeddings": "n_ctx context_length context context_size ctx_size n_positions max_seq_len",
  "model.rms_norm_eps": "norm_eps layer_norm_eps layernorm_epsilon layer_norm_epsilon rms_eps norm_epsilon",
  "model.rope_theta": "rope_base rope_freq_base freq_base rotary_base rotary_emb_base theta rope",
  "model.hidden_act": "activation act_fn act hidden_activation activation_function",
  "model.norm_placement": "sub_norms sub_norm subln norm_position norm_type",
  "model.feed_forward": "ffn_type mlp_type ff_type glu",
  "model.qk_norm": "use_qk_norm qk_layernorm qk_layer_norm",
  "model.attention_bias": "attn_bias add_bias_linear",
  "model.qkv_bias": "add_qkv_bias",
  "model.rope_scaling": "rope_scale rope_parameters",
  "model.use_hadamard": "hadamard hadamard_transform rotation",
  "model.tie_word_embeddings": "tie_weights weight_tying tied_embeddings tie_embeddings",
  "model.initializer_range": "init_std initializer_std init_method_std",
  "model.weight_quantizer": "quantization weight_bits quantizer quantization_config",
  "model.activation_quantizer": "activation_bits input_bits",
  "tokenizer.vocab_size": "n_vocab vocabulary_size vocab vocabulary",
  "tokenizer.path": "tokenizer_path tokenizer_file tokenizer_name tokenizer_name_or_path",
  "data.sources":
    "dataset datasets dataset_name dataset_path train_data train_file train_files training_data data_path data_dir files corpus source data.path data.file data.name",
  "data.text_field": "text_column text_key column content_field dataset_text_field field content_key",
  "data.document_separator": "separator delimiter doc_separator eod",
  "data.validation_fraction":
    "val_split validation_split test_size val_fraction eval_split val_size validation val_set_size",
  "data.cache_directory": "cache_dir cache",
  "training.max_steps":
    "max_iters max_iter iters iterations num_steps n_steps steps total_steps num_train_steps max_train_steps train_steps train_iters lr_decay_iters",
  "training.batch_size":
    "batch bs batchsize per_device_train_batch_size micro_batch_size train_batch_size mini_batch_size global_batch_size",
  "training.sequence_length":
    "block_size seq_len seq_length sequence_len max_seq_length max_sequence_length cutoff_len max_length context_len",
  "training.gradient_accumulation_steps":
    "grad_accum grad_accumulation gradient_accumulation grad_accumulation_steps grad_accum_steps accumulation_steps accumulation",
  "training.backward_precision": "bf16 fp16 tf32 precision mixed_precision dtype torch_dtype amp autocast",
  "training.recompute_layers": "gradient_checkpointing activation_checkpointing recompute remat checkpoint_activations",
  "training.max_grad_norm":
    "grad_clip clip gradient_clip gradient_clipping gradient_clip_val max_norm clip_grad clip_grad_norm",
  "training.dropout": "hidden_dropout resid_pdrop embd_pdrop resid_dropout dropout_rate",
  "training.ema_decay": "ema use_ema ema_rate",
  "training.seed": "random_seed data_seed manual_seed",
  "training.log_every": "log_interval logging_steps log_steps log_freq",
  "training.eval_every":
    "eval_interval eval_steps val_every eval_freq val_interval val_check_interval evaluation_strategy",
  "training.eval_batches": "eval_iters eval_samples max_eval_batches limit_val_batches",
  "training.checkpoint_every":
    "save_steps save_every save_interval checkpoint_interval ckpt_every ckpt_interval save_freq",
  "training.keep_checkpoints": "save_total_limit keep_last max_checkpoints",
  "training.sample_prompt": "prompt",
  "training.sample_temperature": "temperature temp",
  "training.sample_max_tokens": "max_new_tokens max_tokens n_predict",
  "loss.distillation.teacher": "teacher teacher_model teacher_path teacher_name_or_path",
  "loss.distillation.temperature": "kd_temperature distillation_temperature",
  "loss.distillation.weight": "kd_alpha kd_weight distillation_weight",
  "loss.z_loss": "z_loss_weight z_loss_coefficient zloss",
  "optimizer.type": "optim optimizer_type optimizer_name",
  "optimizer.learning_rate": "lr max_lr peak_lr learningrate step_size base_lr",
  "optimizer.weight_decay": "wd l2 decay_rate",
  "optimizer.beta1": "adam_beta1 b1 betas",
  "optimizer.beta2": "adam_beta2 b2",
  "optimizer.epsilon": "adam_epsilon eps adam_eps",
  "schedule.type": "lr_scheduler lr_scheduler_type lr_schedule lr_decay_style scheduler scheduler_type decay_lr",
  "schedule.warmup_steps": "warmup num_warmup_steps warmup_iters lr_warmup_steps lr_warmup_iters warm_up",
};

/** What has no key here, and what to do about it. */
const advice: [names: string, text: string][] = [
  [
    "epochs epoch num_epochs num_train_epochs n_epochs max_epochs",
    "a run is as long as its training.max_steps, and --dry-run says how many epochs they are",
  ],
  ["warmup_ratio warmup_fraction", "set schedule.warmup_steps, a number of steps"],
  ["min_lr lr_min end_lr final_lr", "set schedule.min_ratio, the last rate as a share of the first"],
  [
    "device devices gpu gpus num_gpus n_gpu cuda use_cpu no_cuda accelerator",
    "training runs on the CPU, with --backend and --threads",
  ],
  ["backend", "give --backend on the command line"],
  ["threads num_threads n_threads num_workers dataloader_num_workers workers", "give --threads on the command line"],
  ["out output output_dir out_dir save_dir run_name run_dir", "give --out on the command line"],
  ["resume resume_from_checkpoint init_from", "give --resume on the command line"],
  [
    "attention_dropout attn_pdrop attn_dropout",
    "attention has no dropout of its own: training.dropout is for residual branches and the embedding",
  ],
  [
    "model.type model_type architecture architectures model.name",
    "a model is what its keys make it: model.weight_quantizer, model.hidden_act, model.norm_placement",
  ],
  ["rope_scaling rope_parameters rope_type", "the rotary embedding is a plain one: set model.rope_theta"],
  ["shuffle shuffle_data shuffle_seed", "sequences are shuffled in every epoch, by training.seed"],
  ["report_to wandb wandb_project wandb_log tensorboard logging_dir", "metrics are in metrics.jsonl of the run"],
  ["data.type data.format file_type", "the format of a file is told by its ending"],
  ["bias use_bias attention_bias mlp_bias", "these models have no biases: leave it out"],
];

export interface Synonym {
  /** Path of our key, where there is one. */
  key?: string;
  /** What to do, in a few words. */
  advice: string;
}

const synonyms = new Map<string, Synonym>();
for (const [key, others] of Object.entries(names)) {
  for (const name of others.split(" ")) synonyms.set(name, { key, advice: `it is called ${key} here` });
}
for (const [others, text] of advice) for (const name of others.split(" ")) synonyms.set(name, { advice: text });

/**
 * What a name of another trainer means here; undefined for a name that none is known to use.
 * @param section where it stands, for names that mean something in one section only
 */
export function synonymOf(name: string, section = ""): Synonym | undefined {
  const plain = name.toLowerCase().replaceAll("-", "_");
  return synonyms.get(`${section}.${plain}`) ?? synonyms.get(plain);
}

/** Keys that the table leads to. */
export const synonymKeys: readonly string[] = Object.keys(names);
