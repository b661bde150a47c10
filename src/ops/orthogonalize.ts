/**
 * The nearest semi-orthogonal matrix, roughly: a matrix with the same singular vectors whose singular values are all
 * about 1. Quintic Newton-Schulz iteration of Keller Jordan's Muon (kellerjordan.github.io/posts/muon), on the smaller
 * Gram matrix:
 *
 *     X = G / (|G| + 1e-7)                           Frobenius norm: no singular value is more than 1
 *     X = a X + (b A + c A A) X,  A = X X^T          `steps` times; X (b A + c A A), A = X^T X for a tall matrix
 *
 * a, b, c = 3.4445, -4.7750, 2.0315 have the steepest slope at 0 that keeps the limits within 0.7 to 1.2: small singular
 * values grow by 3.4 a step, and exact ones are not needed.
 */
import * as tf from "@tensorflow/tfjs";
import { globalNormSquared } from "./global_norm_squared.ts";

const [a, b, c] = [3.4445, -4.775, 2.0315];
const normEpsilon = 1e-7;

/** Orthogonalizes `matrix` [rows, columns]. Not differentiable. Same bits on any number of threads. */
export function orthogonalize(matrix: tf.Tensor2D, steps: number): tf.Tensor2D {
  return tf.tidy(() => {
    const isTall = matrix.shape[0] > matrix.shape[1];
    let x = tf.div<tf.Tensor2D>(matrix, Math.sqrt(globalNormSquared([matrix])) + normEpsilon);
    for (let step = 0; step < steps; step++) {
      const next = tf.tidy(() => {
        const gram = isTall ? tf.matMul(x, x, true, false) : tf.matMul(x, x, false, true);
        const polynomial = tf.add<tf.Tensor2D>(tf.mul(gram, b), tf.mul(tf.matMul(gram, gram), c));
        const higher = isTall ? tf.matMul(x, polynomial) : tf.matMul(polynomial, x);
        return tf.add<tf.Tensor2D>(tf.mul(x, a), higher);
      });
      x.dispose();
      x = next;
    }
    return x;
  });
}
