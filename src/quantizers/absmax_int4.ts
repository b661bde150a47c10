/**
 * `absmax_int4`: 4-bit activations by the largest magnitude, one scale per token (the INT4 of BitNet v2, arXiv 2504.18415,
 * with its Hadamard transform before: `model.use_hadamard`).
 *
 *     m         = max(max |x|, 1e-5)
 *     codes     = clip(round_half_even(x * (7 / m)), -8, 7)
 *     act_scale = m / 7                                            multiplies
 *
 * Every operation is float32. Twin of `quantize_activations` in native/cc/core.
 */
import { z } from "zod";
import { absmaxRow } from "./absmax_int8.ts";
import { type ActivationQuantizerDefinition, rowQuantizer } from "./activation_quantizer.ts";

export const absmaxInt4: ActivationQuantizerDefinition = {
  name: "absmax_int4",
  options: z.strictObject({}),
  create: rowQuantizer("absmax_int4", 4, absmaxRow.bind(null, 7)),
};
