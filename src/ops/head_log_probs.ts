/**
 * Op `HeadLogProbs`: log-probability of each target under the output head, without keeping the logits.
 *
 *     logits = hidden . table^T         logProb = logits[target] - logsumexp(logits)      (head_table.ts: other products)
 *     dlogits = dlogProb * (onehot(target) - softmax(logits))
 *
 * The forward pass is float32 in every precision. With `backward_precision` bf16 or int8 the fused kernel may round dlogits,
 * table and hidden to bfloat16 for the two backward products (relative error of the gradients about 2^-9); the composed
 * form multiplies in float32.
 *
 * A target below 0 is ignored: log-probability 0, no gradient. The composed form works on chunks of tokens, so its
 * memory is bounded by `chunkLogits`, not by the batch.
 */
import * as tf from "@tensorflow/tfjs";
import { backwardPrecision } from "./backward_pass.ts";
import { fusedKernel } from "./fused_kernel.ts";
import { composedLogits, effectiveHidden, type HeadTable } from "./head_table.ts";
import { float32Values } from "./tensor_access.ts";
import { withGradient } from "./with_gradient.ts";

/** Logits that exist at one time in the composed form: 4 MiB of float32. */
const chunkLogits = 2 ** 20;

export interface TargetScores {
  /** float32 [N]; 0 where the target is ignored. */
  logProbs: tf.Tensor1D;
  /** int32 [N]: the largest logit, the first one on a tie. */
  argmax: tf.Tensor1D;
}

/** One chunk of tokens with what both passes need. */
interface Chunk {
  hidden: tf.Tensor2D;
  logits: tf.Tensor2D;
  /** [size, V]: 1 at the target, all 0 for an ignored token. */
  oneHot: tf.Tensor2D;
}

/** Ranges of tokens whose logits fit `chunkLogits`, in order. */
export function chunkRanges(tokens: number, vocabSize: number): { begin: number; size: number }[] {
  const chunkTokens = Math.max(1, Math.floor(chunkLogits / vocabSize));
  const ranges = [];
  for (let begin = 0; begin < tokens; begin += chunkTokens) {
    ranges.push({ begin, size: Math.min(chunkTokens, tokens - begin) });
  }
  return ranges;
}

function chunkOf(
  hidden: tf.Tensor2D,
  head: HeadTable,
  targets: tf.Tensor1D,
  { begin, size }: { begin: number; size: number },
): Chunk {
  const rows = tf.slice(hidden, [begin, 0], [size, hidden.shape[1]]);
  const target = tf.slice(targets, [begin], [size]);
  const present = tf.reshape(tf.cast(tf.greaterEqual(target, 0), "float32"), [size, 1]);
  const oneHot = tf.cast(
    tf.oneHot(tf.maximum(target, tf.scalar(0, "int32")), head.table.shape[0]),
    "float32",
  ) as tf.Tensor2D;
  return { hidden: rows, logits: composedLogits(rows, head), oneHot: tf.mul(oneHot, present) };
}

/** log(sum exp) over the last axis [N, V] -> [N, 1]. */
export function logSumExp(logits: tf.Tensor2D): tf.Tensor2D {
  const largest = tf.max(logits, 1, true);
  return tf.add(tf.log(tf.sum(tf.exp(tf.sub(logits, largest)), 1, true)), largest);
}

function composedForward(hidden: tf.Tensor2D, head: HeadTable, targets: tf.Tensor1D): TargetScores {
  const chunks = chunkRanges(hidden.shape[0], head.table.shape[0]).map((range) =>
    tf.tidy(() => {
      const { logits, oneHot } = chunkOf(hidden, head, targets, range);
      const logProbs: tf.Tensor1D = tf.sum(tf.mul(oneHot, tf.sub(logits, logSumExp(logits))), 1);
      return { logProbs, argmax: tf.argMax(logits, 1) as tf.Tensor1D };
    }),
  );
  return {
    logProbs: tf.concat(chunks.map((chunk) => chunk.logProbs)),
    argmax: tf.concat(chunks.map((chunk) => chunk.argmax)),
  };
}

function composedBackward(
  hidden: tf.Tensor2D,
  head: HeadTable,
  targets: tf.Tensor1D,
  dLogProbs: tf.Tensor1D,
): [dHidden: tf.Tensor2D, dTable: tf.Tensor2D] {
  const { table, product } = head;
  const dHidden: tf.Tensor2D[] = [];
  let dTable = tf.zerosLike(table) as tf.Tensor2D;
  for (const range of chunkRanges(hidden.shape[0], table.shape[0])) {
    const [rows, sum] = tf.tidy(() => {
      const { hidden: chunk, logits, oneHot } = chunkOf(hidden, head, targets, range);
      const softmax = tf.exp(tf.sub(logits, logSumExp(logits)));
      const dy = tf.reshape(tf.slice(dLogProbs, [range.begin], [range.size]), [range.size, 1]);
      const dLogits: tf.Tensor2D = tf.mul(tf.sub(oneHot, softmax), tf.mul(dy, tf.sum(oneHot, 1, true)));
      const dRows = tf.matMul(tf.transpose(dLogits), effectiveHidden(chunk, product));
      return [tf.matMul(dLogits, table), tf.add(dTable, dRows)] as tf.Tensor2D[];
    });
    dTable.dispose();
    dTable = sum!;
    dHidden.push(rows!);
  }
  return [tf.concat(dHidden, 0), dTable];
}

/**
 * Log-probability of targets int32 [N] for hidden [N, H] and the head's table [V, H] -> [N]; 0 where target < 0.
 * Differentiable in hidden and table.
 */
export function headLogProbs(hidden: tf.Tensor2D, head: HeadTable, targets: tf.Tensor1D): tf.Tensor1D {
  const { product } = head;
  return withGradient<tf.Tensor1D>(
    [hidden, head.table],
    (save) => {
      save([hidden, head.table, targets]);
      return scoreTargets(hidden, head, targets).logProbs;
    },
    (dLogProbs, saved) => {
      const [hidden, table, targets] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
      const kernel = fusedKernel("HeadLogProbsGrad");
      if (kernel) {
        const inputs = { hidden, table, targets, dlogProbs: dLogProbs };
        return kernel(inputs, { product, precision: backwardPrecision() }).slice(0, 2);
      }
      return composedBackward(hidden, { table, product }, targets, dLogProbs);
    },
  );
}

/**
 * How many targets are not ignored, and the gradient of minus the mean of their log-probabilities. On the host: the plain
 * ops for it take longer on integers than a small layer's products.
 */
function meanGradient(targets: Int32Array): [count: number, dlogProbs: tf.Tensor1D] {
  let count = 0;
  for (let i = 0; i < targets.length; i++) if (targets[i]! >= 0) count++;
  const values = new Float32Array(targets.length);
  for (let i = 0; i < targets.length; i++) if (targets[i]! >= 0) values[i] = -1 / count;
  return [count, tf.tensor1d(values)];
}

/**
 * Mean of -logProb over the targets >= 0. Differentiable in hidden and table: this is the training loss. The gradient
 * of a mean is known before its value, so a fused kernel computes both from one set of logits.
 */
export function headLoss(hidden: tf.Tensor2D, head: HeadTable, targets: tf.Tensor1D): tf.Scalar {
  const kernel = fusedKernel("HeadLogProbsGrad");
  if (!kernel) {
    const count = tf.sum(tf.cast(tf.greaterEqual(targets, 0), "float32"));
    return tf.neg(tf.div(tf.sum(headLogProbs(hidden, head, targets)), count)) as tf.Scalar;
  }
  const { table, product } = head;
  return withGradient<tf.Scalar>(
    [hidden, table],
    (save) => {
      const [count, dlogProbs] = meanGradient(targets.dataSync<"int32">());
      const [dHidden, dTable, logProbs] = kernel(
        { hidden, table, targets, dlogProbs },
        { product, precision: backwardPrecision() },
      );
      save([dHidden!, dTable!]);
      const [sum] = float32Values(tf.sum(logProbs!));
      return tf.scalar(-sum! / count);
    },
    (dy, [dHidden, dTable]) => {
      // The loss itself is what most gradients are taken of.
      if (dy.dataSync()[0] === 1) return [tf.clone(dHidden!), tf.clone(dTable!)];
      return [tf.mul(dHidden!, dy), tf.mul(dTable!, dy)];
    },
  );
}

/** Like {@link headLogProbs}, with the arg max of the logits. Not differentiable. */
export function scoreTargets(hidden: tf.Tensor2D, head: HeadTable, targets: tf.Tensor1D): TargetScores {
  const kernel = fusedKernel("HeadLogProbs");
  if (!kernel) return composedForward(hidden, head, targets);
  const { table, product } = head;
  const [logProbs, argmax] = kernel({ hidden, table, targets }, { product });
  return { logProbs: logProbs as tf.Tensor1D, argmax: argmax as tf.Tensor1D };
}

/** logits [N, V] of hidden [N, H]. Not differentiable. */
export function headLogits(hidden: tf.Tensor2D, head: HeadTable): tf.Tensor2D {
  const kernel = fusedKernel("HeadLogits");
  const { table, product } = head;
  return kernel ? (kernel({ hidden, table }, { product })[0] as tf.Tensor2D) : composedLogits(hidden, head);
}
