/**
 * `identity`: dW = dW~, through rounding and clipping alike, as BitNet b1.58 is trained ("Training Tips, Code and FAQ");
 * a quantizer with a gradient of its own (learnt steps) has that one.
 */
import { z } from "zod";
import { defineStraightThrough } from "./straight_through.ts";

export const identity = defineStraightThrough({
  schema: z.strictObject({ type: z.literal("identity").describe("The gradient passes unchanged.") }),
  apply: (_options, quantizer) => quantizer,
});
