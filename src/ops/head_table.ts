/**
 * What the output head multiplies: a table of float32 values and how they meet the hidden states.
 *
 *     float    logits = hidden . table^T
 *     int8     logits = float(acc) * (act_scale * d),  acc = codes(hidden) . codes(table)^T in integers
 *
 * of an `int8_row` table, whose values code * d are their own quantization (quant/int8_rows.ts), and of hidden states by
 * absmax int8 per token. The gradients are straight-through: those of the float product of the values that codes stand for.
 */
import * as tf from "@tensorflow/tfjs";
import { quantizeInt8Rows } from "../quant/int8_rows.ts";
import { absmaxInt8Codes } from "./fake_quantize.ts";
import { float32Values } from "./tensor_access.ts";

/** How the head multiplies. */
export type HeadProduct = "float" | "int8";

export interface HeadTable {
  /** [V, H]: the values of the codes where the product is one of integers. */
  table: tf.Tensor2D;
  product: HeadProduct;
}

/** The hidden states [N, H] that the product effectively takes: what dtable is made of. Not differentiable. */
export function effectiveHidden(hidden: tf.Tensor2D, product: HeadProduct): tf.Tensor2D {
  if (product === "float") return hidden;
  const { codes, actScale } = absmaxInt8Codes(hidden);
  return tf.mul(codes, actScale);
}

/**
 * Logits [N, V] from plain tfjs ops. Integers are summed in float32, exact while their sums stay below 2^24. Not
 * differentiable.
 */
export function composedLogits(hidden: tf.Tensor2D, { table, product }: HeadTable): tf.Tensor2D {
  if (product === "float") return tf.matMul(hidden, tf.transpose(table));
  return tf.tidy(() => {
    const { codes, scales } = quantizeInt8Rows(float32Values(table), table.shape[1]);
    const rows = tf.tensor2d(Float32Array.from(codes), table.shape);
    const act = absmaxInt8Codes(hidden);
    return tf.mul(
      tf.matMul(act.codes, tf.transpose(rows)),
      tf.mul(act.actScale, tf.tensor2d(scales, [1, scales.length])),
    );
  });
}
