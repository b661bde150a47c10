/** Kinds of numbers that a configuration's keys take. */
import { z } from "zod";

export const positive = z.number().positive();
export const nonnegative = z.number().nonnegative();
export const fraction = z.number().min(0).max(1);
/** Decay of a running mean. */
export const beta = z.number().min(0).lt(1);
export const count = z.number().int().positive();
export const countOrZero = z.number().int().nonnegative();
