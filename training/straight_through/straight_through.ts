/**
 * How the gradient of the dequantized weights passes through rounding and clipping to the latent ones. Forward passes,
 * checkpoints and files are the same with all of them.
 */
import type { z } from "zod";
import type { WeightQuantizer } from "../../src/quantizers/weight_quantizer.ts";

/** What the file of a straight-through variant exports. */
export interface StraightThroughDefinition<Schema extends z.ZodObject = z.ZodObject> {
  /** The keys of `quantization.straight_through` for this `type`. */
  schema: Schema;
  /** The quantizer with that gradient. */
  apply(options: z.output<Schema>, quantizer: WeightQuantizer): WeightQuantizer;
}

/** Lets TypeScript derive the options' type from the schema. */
export function defineStraightThrough<Schema extends z.ZodObject>(
  definition: StraightThroughDefinition<Schema>,
): StraightThroughDefinition<Schema> {
  return definition;
}

/**
 * `quantizer` with the gradient of the weights that `passes` says, and 0 for the others.
 * @param passes of a block of weights that share a scale: given the latent ones, sets 1 where the gradient passes
 */
export function masked(
  quantizer: WeightQuantizer,
  passes: (block: { latent: Float32Array; codes: Int8Array; scale: number; mask: Uint8Array }) => void,
): WeightQuantizer {
  return {
    ...quantizer,
    backward(dy, latent, shape, learnt) {
      const { codes, scales } = quantizer.quantize(latent, shape, learnt);
      const size = latent.length / scales.length;
      const mask = new Uint8Array(latent.length);
      for (const [block, scale] of scales.entries()) {
        const [begin, end] = [block * size, (block + 1) * size];
        const of = <T extends Float32Array | Int8Array | Uint8Array>(values: T) => values.subarray(begin, end) as T;
        passes({ latent: of(latent), codes: of(codes), scale, mask: of(mask) });
      }
      return { latent: dy.map((value, i) => (mask[i] ? value : 0)), learnt: [] };
    },
  };
}
