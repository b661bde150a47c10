/** What a loss is made of: terms, each a sum over the tokens of a batch of a function of their logits. */
import type * as tf from "@tensorflow/tfjs";
import type { LogitsChunk } from "../../src/ops/logits_loss.ts";
import type { TeacherScores } from "./teacher.ts";

/** A batch as the loss sees it. */
export interface LossBatch {
  targets: Int32Array;
  /** What the teacher expects at each place, where there is one. */
  teacher?: TeacherScores;
}

/** A term of one batch. */
export interface LossTerm {
  /** In metrics.jsonl, as `loss_NAME`. */
  readonly name: string;
  /** Factor of the term in the loss. */
  readonly weight: number;
  /**
   * Sum over the chunk's counted tokens, without the weight, and its gradient with respect to the logits, [N, V]: 0 in the
   * rows of tokens that are not counted.
   */
  evaluate(chunk: LogitsChunk): { sum: number; dLogits: tf.Tensor2D };
}
