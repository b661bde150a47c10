/** How a linear product quantizes its two operands. Null: as they are. */
import type { ActivationQuantizer } from "../quantizers/activation_quantizer.ts";
import type { WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import type { LearntTensors } from "./quantized_weights.ts";

export interface LinearQuantization {
  weights: WeightQuantizer | null;
  activations: ActivationQuantizer | null;
  /** In a stage of training: x + share (Q(x) - x) is multiplied, as float32 values. Left out: Q(x). */
  activationShare?: number;
  /** What the weight quantizer has learnt for each weight; left out where it learns nothing. */
  learnt?: readonly LearntTensors[];
}
