/**
 * Scaled rotary embeddings: what divides the frequencies of the plain one, and what multiplies its cosines and sines. The
 * formulas are those of transformers (`modeling_rope_utils.py`), as factors: frequency[i] / factor[i].
 *
 *     linear   factor everywhere (arXiv 2306.15595)
 *     llama3   wavelengths above original / low_freq_factor get the factor, those below original / high_freq_factor none, and
 *              between them 1 / ((1 - s) / factor + s),  s = (original / wavelength - low) / (high - low)
 *     yarn     1 / ((1 - e) / factor + e),  e = 1 - clamp((i - a) / (b - a), 0, 1): dimensions that turn beta_fast times or
 *              more in the original context keep their frequency, those of beta_slow turns or fewer are interpolated; cosines
 *              and sines times 0.1 ln(factor) + 1 (arXiv 2309.00071)
 */
import { z } from "zod";

const positive = z.number().positive();
const factor = positive.describe("How many times longer the context is than the one before scaling.");
const original = z.number().int().positive().describe("Positions of the context before scaling.");

export const ropeScalingSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("linear"), factor }),
  z.strictObject({
    type: z.literal("llama3"),
    factor,
    low_freq_factor: positive.describe("Wavelengths longer than the original context over it are scaled."),
    high_freq_factor: positive.describe("Wavelengths shorter than the original context over it are not."),
    original_max_position_embeddings: original,
  }),
  z.strictObject({
    type: z.literal("yarn"),
    factor,
    original_max_position_embeddings: original,
    beta_fast: positive.default(32).describe("Dimensions that turn more often in the original context are not scaled."),
    beta_slow: positive.default(1).describe("Dimensions that turn less often are scaled whole."),
  }),
]);

export type RopeScaling = z.output<typeof ropeScalingSchema>;
export const ropeTypes = ropeScalingSchema.options.map(({ shape }) => shape.type.value);

/** A rotary embedding as it is computed. */
export interface Rotary {
  /** Base of the wavelengths. */
  theta: number;
  /** What divides the frequencies, head_dim / 2 float32 values; empty: nothing. */
  factors: readonly number[];
  /** What multiplies cosines and sines; a float32 value. */
  magnitude: number;
}

/** The rule that is broken, or null. */
export function ropeScalingProblem(scaling: RopeScaling | undefined): string | null {
  if (scaling?.type === "llama3" && scaling.low_freq_factor >= scaling.high_freq_factor) {
    return "rope_scaling.low_freq_factor must be less than rope_scaling.high_freq_factor";
  }
  if (scaling?.type === "yarn" && scaling.beta_slow >= scaling.beta_fast) {
    return "rope_scaling.beta_slow must be less than rope_scaling.beta_fast";
  }
  return null;
}

/** The rotary embedding of heads of that size. */
export function rotaryOf(theta: number, scaling: RopeScaling | null, headDim: number): Rotary {
  if (scaling === null) return { theta, factors: [], magnitude: 1 };
  const half = headDim / 2;
  const factors = Array.from({ length: half }, (_, i) => Math.fround(factorOf(scaling, theta, headDim, i)));
  const magnitude = scaling.type === "yarn" ? yarnMagnitude(scaling.factor) : 1;
  return { theta, factors, magnitude };
}

function factorOf(scaling: RopeScaling, theta: number, headDim: number, i: number): number {
  switch (scaling.type) {
    case "linear":
      return scaling.factor;
    case "llama3":
      return llama3Factor(scaling, 2 * Math.PI * theta ** ((2 * i) / headDim));
    case "yarn":
      return yarnFactor(scaling, theta, headDim, i);
  }
}

function llama3Factor(scaling: RopeScaling & { type: "llama3" }, wavelength: number): number {
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: context } = scaling;
  if (wavelength < context / high) return 1;
  if (wavelength > context / low) return factor;
  const smooth = (context / wavelength - low) / (high - low);
  return 1 / ((1 - smooth) / factor + smooth);
}

function yarnFactor(scaling: RopeScaling & { type: "yarn" }, theta: number, headDim: number, i: number): number {
  const { factor, original_max_position_embeddings: context, beta_fast: fast, beta_slow: slow } = scaling;
  const dimensionOf = (turns: number) => (headDim * Math.log(context / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const low = Math.max(Math.floor(dimensionOf(fast)), 0);
  const high = Math.min(Math.ceil(dimensionOf(slow)), headDim - 1);
  const ramp = Math.min(Math.max((i - low) / Math.max(high - low, 0.001), 0), 1);
  return 1 / (ramp / factor + (1 - ramp));
}

function yarnMagnitude(factor: number): number {
  return factor <= 1 ? 1 : Math.fround(0.1 * Math.log(factor) + 1);
}
