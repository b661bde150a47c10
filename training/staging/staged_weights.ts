/**
 * Weight quantizers of a stage: the final one with other values and gradients. They keep its codes, by which zeros and
 * flips are counted, and are multiplied as float32 values.
 */
import type { LinearQuantization } from "../../src/ops/linear_quantization.ts";
import { absmeanOf, absoluteSum } from "../../src/quantizers/ternary.ts";
import {
  type MatrixShape,
  quantizerGradients,
  scaleCount,
  type WeightQuantizer,
  weightValues,
} from "../../src/quantizers/weight_quantizer.ts";

/** `final` with other values and gradients. */
export function withValues(
  final: WeightQuantizer,
  { values, backward }: Required<Pick<WeightQuantizer, "values" | "backward">>,
): WeightQuantizer {
  return { ...final, product: "values", fused: null, values, backward };
}

/**
 * The quantizer whose values are quantized * Q(w) + latent * w, for two numbers: gradients are those of Q and of w in the
 * same mixture.
 */
export function mixture(final: WeightQuantizer, quantized: number, latent: number): WeightQuantizer {
  const mixed = (ofQuantized: Float32Array, ofLatent: Float32Array) =>
    ofLatent.map((value, i) => quantized * ofQuantized[i] + latent * value);
  return withValues(final, {
    values: (weight, shape, learnt) => mixed(weightValues(final, weight, shape, learnt), weight),
    backward(dy, weight, shape, learnt) {
      const gradients = quantizerGradients(final, dy, weight, shape, learnt);
      return {
        latent: mixed(gradients.latent, dy),
        learnt: gradients.learnt.map((each) => each.map((value) => quantized * value)),
      };
    },
  });
}

/** Where the weights of each scale begin, and how many they are. */
export function scaleBlocks({ scales }: WeightQuantizer, shape: MatrixShape): { count: number; size: number } {
  const count = scaleCount(scales, shape);
  return { count, size: (shape.rows * shape.cols) / count };
}

/** max(mean |w|, 1e-5) of the `size` weights of a block. */
export function blockMean(weight: Float32Array, block: number, size: number): number {
  return absmeanOf(absoluteSum(weight, block * size, size), size);
}

/** Why such weights have no levels between -1, 0 and 1 times a scale of theirs; null if they do. */
export function needsTernaryScale({ weights }: LinearQuantization): string | null {
  if (weights === null) return "needs a model.weight_quantizer";
  const isTernary = weights.levels.join() === "-1,0,1" && weights.values === undefined;
  if (isTernary && weights.parameters === undefined) return null;
  return `needs ternary weights without learnt parameters, and model.weight_quantizer is ${weights.name}`;
}
