/** How a linear product quantizes its two operands. Null: as they are. */
import type { ActivationQuantizer } from "../quantizers/activation_quantizer.ts";
import type { WeightQuantizer } from "../quantizers/weight_quantizer.ts";

export interface LinearQuantization {
  weights: WeightQuantizer | null;
  activations: ActivationQuantizer | null;
}
