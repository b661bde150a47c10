/**
 * Initial parameter values: norm gains 1, biases 0, what a quantizer learns by its own rule from the initial weights, everything
 * else normal(0, initializer_range).
 *
 * The numbers come from a counter-based generator, so they depend on (seed, parameter name, element index) and on
 * nothing else: not on the backend, on other parameters, or on the order of construction.
 */
import type { ModelConfig } from "../config/model_config.ts";
import { CounterRng } from "../random/counter_rng.ts";
import { type ParameterSpec, parameterSize } from "./parameters.ts";

/** `count` float32 values of normal(0, deviation): pairs of the Box-Muller transform in float64. */
export function normalValues(count: number, deviation: number, rng: CounterRng): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - rng.uniform()));
    const angle = 2 * Math.PI * rng.uniform();
    values[i] = radius * Math.cos(angle);
    // Past the end of an odd count this store is ignored.
    values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

/** Initial values of one parameter. */
export function initialValues(spec: ParameterSpec, config: ModelConfig, seed: number): Float32Array {
  const size = parameterSize(spec);
  if (spec.learnt) return spec.learnt.initial(initialValues(spec.learnt.matrix, config, seed));
  if (spec.kind === "norm") return new Float32Array(size).fill(1);
  if (spec.kind === "bias") return new Float32Array(size);
  return normalValues(size, config.initializerRange, new CounterRng(seed, `init ${spec.name}`));
}
