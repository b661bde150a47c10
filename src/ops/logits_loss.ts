/**
 * Losses that need the logits themselves: sums over tokens of functions of their logits, for whatever is not the log-probability
 * of one target (see headLoss, which never leaves its kernel).
 *
 *     logits = head(hidden)     loss = sum over tokens of f(logits)
 *     dhidden = dlogits . table     dtable = dlogits^T . hidden                 (head_table.ts: other products)
 *
 * Works on chunks of tokens, values and gradients together, so logits exist for a chunk at a time. The logits have the bits
 * of the engine's; the products of the backward pass are float32 in every `backward_precision`.
 */
import * as tf from "@tensorflow/tfjs";
import { chunkRanges, headLogits, logSumExp } from "./head_log_probs.ts";
import { effectiveHidden, type HeadTable } from "./head_table.ts";
import { withGradient } from "./with_gradient.ts";

/** The logits of some of the tokens, and what most losses make of them. */
export interface LogitsChunk {
  /** Number of the first token. */
  begin: number;
  /** float32 [N, V]. */
  logits: tf.Tensor2D;
  /** log(sum exp(logits)), [N, 1]. */
  logSumExp: tf.Tensor2D;
  /** [N, V]. */
  softmax: tf.Tensor2D;
  /** int32 [N]; negative: not counted. */
  targets: tf.Tensor1D;
  /** float32 [N, 1]: 1 where the target counts, else 0. */
  counted: tf.Tensor2D;
}

/** Loss of a chunk and its gradient with respect to the logits, [N, V]. */
export type ChunkLoss = (chunk: LogitsChunk) => { value: number; dLogits: tf.Tensor2D };

/** Sum of `lossOf` over chunks of hidden [N, H] under the head. Differentiable in hidden and the head's table. */
export function logitsLoss(hidden: tf.Tensor2D, head: HeadTable, targets: tf.Tensor1D, lossOf: ChunkLoss): tf.Scalar {
  return withGradient<tf.Scalar>(
    [hidden, head.table],
    (save) => {
      const { value, dHidden, dTable } = lossAndGradients(hidden, head, targets, lossOf);
      save([dHidden, dTable]);
      return tf.scalar(value);
    },
    (dy, [dHidden, dTable]) => [tf.mul(dHidden!, dy), tf.mul(dTable!, dy)],
  );
}

function lossAndGradients(hidden: tf.Tensor2D, head: HeadTable, targets: tf.Tensor1D, lossOf: ChunkLoss) {
  const { table, product } = head;
  let value = 0;
  let dTable = tf.zerosLike(table) as tf.Tensor2D;
  const parts: tf.Tensor2D[] = [];
  for (const { begin, size } of chunkRanges(hidden.shape[0], table.shape[0])) {
    const [dPart, sum] = tf.tidy(() => {
      const rows = tf.slice(hidden, [begin, 0], [size, hidden.shape[1]]);
      const chunk = chunkOf(headLogits(rows, head), tf.slice(targets, [begin], [size]), begin);
      const { value: part, dLogits } = lossOf(chunk);
      value += part;
      const dRows = tf.matMul(dLogits, effectiveHidden(rows, product), true);
      return [tf.matMul(dLogits, table), tf.add(dTable, dRows)] as tf.Tensor2D[];
    });
    dTable.dispose();
    dTable = sum!;
    parts.push(dPart!);
  }
  return { value, dHidden: tf.concat(parts, 0), dTable };
}

function chunkOf(logits: tf.Tensor2D, targets: tf.Tensor1D, begin: number): LogitsChunk {
  const normalizer = logSumExp(logits);
  return {
    begin,
    logits,
    logSumExp: normalizer,
    softmax: tf.exp(tf.sub(logits, normalizer)),
    targets,
    counted: tf.reshape(tf.cast(tf.greaterEqual(targets, 0), "float32"), [-1, 1]),
  };
}
