/**
 * Distillation (Hinton et al., arXiv 1503.02531; for ternary models BitDistill, arXiv 2510.13998, with T = 5): the student
 * learns the teacher's distribution p at each place,
 *
 *     f = T^2 KL(P || Q),   P = softmax(log p / T),   Q = softmax(log q / T)        df/dl = T (Q - P)
 *
 * T^2 keeps gradients of one size whatever T is.
 *
 * Of a teacher's `top_k` likeliest ids, the outcomes are those k and "anything else", with the probability that is left:
 * P and Q are softmaxes over k + 1 outcomes, in the student, too. With q_r the student's probability of anything else,
 *
 *     df/dl_i = T (Q_i - P_i)  for the k ids,     T (Q_r - P_r) q_i / q_r  for each other one
 *
 * The alternative, k probabilities divided by their sum, says nothing of what the student puts elsewhere: it may put most
 * of its mass there at no cost. With the bucket f is a lower bound of the whole divergence at T = 1 (data processing
 * inequality), and 0 only where the student agrees on all k ids and on their sum. At T > 1 the bucket is softened as one outcome.
 */
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { LogitsChunk } from "../../src/ops/logits_loss.ts";
import { float32Values } from "../../src/ops/tensor_access.ts";
import { countOrZero, positive } from "../config/numbers.ts";
import type { LossTerm } from "./loss_term.ts";
import type { TeacherScores } from "./teacher.ts";

export const distillationSchema = z
  .strictObject({
    teacher: z
      .string()
      .min(1)
      .describe(
        "Checkpoint directory, run, or GGUF file (that runs in the native engine) with the tokenizer of this run.",
      ),
    weight: positive.default(1).describe("Factor of T^2 KL(teacher, student), beside `loss.cross_entropy`."),
    temperature: positive.default(1).describe("T: above 1, the teacher's small probabilities count more."),
    top_k: countOrZero
      .default(0)
      .describe("The teacher's likeliest ids that are learnt, all others as one; 0 for every id by itself."),
  })
  .optional()
  .describe("Learning from another model's probabilities.");

export type DistillationOptions = NonNullable<z.output<typeof distillationSchema>>;

/** What is left of a sum of float32 probabilities is known to about this. */
const leastRest = 1e-7;

/** Log-probabilities at temperature T, in place: v / T - log(sum exp(v / T)). */
function soften(values: Float64Array, temperature: number): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    values[i] = (values[i] - largest) / temperature;
    sum += Math.exp(values[i]);
  }
  const normalizer = Math.log(sum);
  for (let i = 0; i < values.length; i++) values[i] -= normalizer;
}

/** Every id by itself. */
function evaluateAll({ logits, counted, begin }: LogitsChunk, { logProbs }: TeacherScores, temperature: number) {
  const [rows, vocabSize] = logits.shape;
  const part = logProbs.subarray(begin * vocabSize, (begin + rows) * vocabSize);
  const teacher = tf.logSoftmax(tf.div(tf.tensor2d(part, [rows, vocabSize]), temperature));
  const student = tf.logSoftmax(tf.div(logits, temperature));
  const p = tf.exp(teacher);
  const divergence = tf.sum(tf.mul(tf.mul(p, tf.sub(teacher, student)), counted));
  const dLogits: tf.Tensor2D = tf.mul(tf.sub(tf.exp(student), p), tf.mul(counted, temperature));
  return { sum: temperature ** 2 * float32Values(divergence)[0], dLogits };
}

/** The likeliest ids, and all others as one. */
function evaluateLikeliest(chunk: LogitsChunk, scores: TeacherScores, temperature: number) {
  const { logits, softmax, logSumExp, targets, begin } = chunk;
  const [rows, vocabSize] = logits.shape;
  const [l, q, normalizers] = [logits, softmax, logSumExp].map(float32Values);
  const isCounted = targets.dataSync();
  const gradient = new Float32Array(rows * vocabSize);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    if (isCounted[row] < 0) continue;
    const own = (values: Float32Array) => values.subarray(row * vocabSize, (row + 1) * vocabSize);
    const expected = likeliestOf(scores, begin + row, vocabSize);
    sum += evaluatePlace(expected, own(l), own(q), normalizers[row], temperature, own(gradient));
  }
  return { sum, dLogits: tf.tensor2d(gradient, [rows, vocabSize]) };
}

/** The teacher's ids at a place, without those that the student does not have, and their log-probabilities. */
function likeliestOf({ ids, logProbs, count }: TeacherScores, place: number, vocabSize: number) {
  const known: number[] = [];
  const values: number[] = [];
  for (let i = place * count; i < (place + 1) * count; i++) {
    const id = ids === null ? i - place * count : ids[i];
    if (id >= vocabSize) continue;
    known.push(id);
    values.push(logProbs[i]);
  }
  return { ids: known, logProbs: values };
}

/** T^2 KL at one place; its gradient goes to `gradient`, [V]. */
function evaluatePlace(
  teacher: { ids: number[]; logProbs: number[] },
  logits: Float32Array,
  softmax: Float32Array,
  normalizer: number,
  temperature: number,
  gradient: Float32Array,
): number {
  const { ids } = teacher;
  let given = 0;
  for (const value of teacher.logProbs) given += Math.exp(value);
  const kept = new Set(ids);
  let rest = 0;
  for (let id = 0; id < softmax.length; id++) if (!kept.has(id)) rest += softmax[id];
  const p = Float64Array.from([...teacher.logProbs, Math.log(Math.max(1 - given, leastRest))]);
  const q = Float64Array.from([...ids.map((id) => logits[id] - normalizer), Math.log(Math.max(rest, leastRest))]);
  soften(p, temperature);
  soften(q, temperature);

  let divergence = 0;
  for (let i = 0; i < p.length; i++) divergence += Math.exp(p[i]) * (p[i] - q[i]);
  const slope = (i: number) => temperature * (Math.exp(q[i]) - Math.exp(p[i]));
  const share = rest > leastRest ? slope(ids.length) / rest : 0;
  for (let id = 0; id < softmax.length; id++) gradient[id] = share * softmax[id];
  for (const [i, id] of ids.entries()) gradient[id] = slope(i);
  return temperature ** 2 * divergence;
}

/** @param scores the teacher's, of the places of the batch */
export function distillationTerm({ weight, temperature }: DistillationOptions, scores: TeacherScores): LossTerm {
  return {
    name: "distillation",
    weight,
    evaluate: (chunk) => {
      const isWhole = scores.ids === null && scores.count === chunk.logits.shape[1];
      return isWhole ? evaluateAll(chunk, scores, temperature) : evaluateLikeliest(chunk, scores, temperature);
    },
  };
}
