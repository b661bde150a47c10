import type { BackwardPrecision } from "../src/config/backward_precision.ts";
import type { ScheduleStep } from "./schedules/schedule.ts";

/** One row of metrics.jsonl. */
export interface MetricsRow {
  /** Updates made. */
  step: number;
  /** Tokens trained on so far. */
  tokens: number;
  /** Mean training loss since the row before, nats per token. */
  loss: number;
  /** Of the loss's other terms, without their factors: mean of logsumexp(logits)^2, T^2 KL(teacher || student). */
  loss_z?: number;
  loss_distillation?: number;
  /** Validation loss, nats per token (on steps that validate). */
  val_loss?: number;
  /** Validation loss in bits per byte of text. */
  bits_per_byte?: number;
  /** Validation loss of the average of the weights, quantized anew, where there is one. */
  val_loss_ema?: number;
  /** Learning rate and weight decay of this step's update. */
  learning_rate: number;
  weight_decay: number;
  /** Part of the schedule that this step is in; rows of before it was recorded have none. */
  phase?: ScheduleStep["phase"];
  /** Stage of `quantization.staging` that this step was in, and its own number; without staging there is none. */
  stage?: string;
  stage_value?: number;
  /** Global L2 norm of this step's gradient, before clipping. */
  grad_norm: number;
  /**
   * Fraction of codes that are 0, and that this step's update changed; none in a stage without codes. A last update with a learning rate of 0
   * changes none: its row tells of the update before it.
   */
  zero_fraction?: number;
  flip_rate?: number;
  /** Training speed since the row before; validation, samples and checkpoints do not count. */
  tokens_per_second: number;
  /** Of the backward products: `f32`, `bf16` or `int8`. */
  backward_precision: BackwardPrecision;
  /** tfjs backend, and the kernel variant that computed the linear layers (`avx2` ...; `composed` without ours). */
  backend: string;
  kernel: string;
  threads: number;
}
