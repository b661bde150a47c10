/** How much work a training step is. */
import { resolveModelConfig } from "../../src/config/model_config.ts";
import { parameterCount } from "../../src/model/parameters.ts";
import type { RunConfig } from "./run_config.ts";

/**
 * Floating-point operations of a forward and a backward pass over one batch: six for each parameter and token, attention
 * left out (Kaplan et al. 2020, arXiv:2001.08361, table 1). `model.vocab_size` must be known.
 */
export function stepOperations({ model, training }: RunConfig): number {
  return 6 * parameterCount(resolveModelConfig(model)) * training.batch_size * training.sequence_length;
}
