/** How a linear product quantizes its two operands. Null: as they are. */
import type { ActivationQuantizer } from "../quantizers/activation_quantizer.ts";
import type { WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import type { LearntTensors } from "./quantized_weights.ts";

export interface LinearQuantization {
  weights: WeightQuantizer | null;
  activations: ActivationQuantizer | null;
  /** What the weight quantizer has learnt for each weight; left out where it learns nothing. */
  learnt?: readonly LearntTensors[];
}
