/**
 * `topk_int8`: int8 activations of which only the largest of a token stay (Q-Sparse, arXiv 2407.10969; in BitNet a4.8,
 * arXiv 2411.04965, half of them before o).
 *
 *     codes = absmax_int8(x) * mask      mask: the `keep` share of largest |x| of the row, of equal ones the first
 *     dx    = d(codes * act_scale)       straight-through: past the mask too, or the others would never come back
 *
 * At least one stays, so the largest magnitude and with it the scale are those of the whole row. The share is rounded half
 * to even to a number of activations. Q-Sparse finds 61% zeros optimal for ternary weights: `keep: 0.39`. Twin of
 * `quantize_activations` in native/cc/core.
 */
import { z } from "zod";
import { roundHalfEven } from "../quant/round_half_even.ts";
import { absmaxRow } from "./absmax_int8.ts";
import { type ActivationQuantizerDefinition, quantizeRows } from "./activation_quantizer.ts";

const options = z.strictObject({
  keep: z.number().gt(0).max(1).default(0.5).describe("Share of a token's activations that stay."),
});

/** Zeroes the codes of all but the `count` largest |x| of a row. */
function keepLargest(x: Float32Array, begin: number, cols: number, count: number, codes: Int8Array): void {
  const bits = new Uint32Array(x.slice(begin, begin + cols).buffer).map((value) => value & 0x7fffffff);
  const threshold = bits.slice().sort()[cols - count];
  let rest = count - bits.reduce((larger, value) => larger + Number(value > threshold), 0);
  for (let i = 0; i < cols; i++) {
    if (bits[i] < threshold || (bits[i] === threshold && rest-- <= 0)) codes[begin + i] = 0;
  }
}

export const topkInt8: ActivationQuantizerDefinition<typeof options> = {
  name: "topk_int8",
  options,
  create: ({ keep }) => ({
    name: "topk_int8",
    bits: 8,
    per: "token",
    codes: "absmax_int8",
    keep,
    quantize(x, rows, cols) {
      const count = Math.max(1, roundHalfEven(keep * cols));
      const row = (values: Float32Array, begin: number, width: number, codes: Int8Array) => {
        const scale = absmaxRow(127, values, begin, width, codes);
        keepLargest(values, begin, width, count, codes);
        return scale;
      };
      return quantizeRows(row, x, rows, cols);
    },
  }),
};
