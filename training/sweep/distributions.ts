/** One value of a parameter, drawn as W&B's random search does. */
import type { CounterRng } from "../../src/random/counter_rng.ts";
import { SweepError } from "./sweep_error.ts";
import type { Parameter } from "./sweep_schema.ts";

type Draw = (need: Need, rng: CounterRng) => number;
/** A number that the distribution needs; refuses if it is not there. */
type Need = (key: "min" | "max" | "mu" | "sigma") => number;

const between = (low: number, high: number, rng: CounterRng) => low + (high - low) * rng.uniform();

const logUniform: Draw = (need, rng) => Math.exp(between(need("min"), need("max"), rng));
const logUniformValues: Draw = (need, rng) => Math.exp(between(Math.log(need("min")), Math.log(need("max")), rng));
const normal: Draw = (need, rng) => need("mu") + need("sigma") * rng.normal();

const draws: Record<string, Draw> = {
  uniform: (need, rng) => between(need("min"), need("max"), rng),
  int_uniform: (need, rng) => need("min") + rng.integer(need("max") - need("min") + 1),
  log_uniform: logUniform,
  log_uniform_values: logUniformValues,
  // Mirrored in the interval: dense at its upper end.
  inv_log_uniform: (need, rng) => {
    const [low, high] = [Math.exp(need("min")), Math.exp(need("max"))];
    return low + high - logUniform(need, rng);
  },
  inv_log_uniform_values: (need, rng) => need("min") + need("max") - logUniformValues(need, rng),
  normal,
  log_normal: (need, rng) => Math.exp(normal(need, rng)),
};

/** What W&B takes where nothing is said: `int_uniform` between whole numbers, else `uniform`. */
function defaultDistribution({ value, values, min, max }: Parameter): string {
  if (value !== undefined) return "constant";
  if (values !== undefined) return "categorical";
  return Number.isInteger(min) && Number.isInteger(max) ? "int_uniform" : "uniform";
}

/** The values that a grid takes of the parameter; undefined for a range. */
export function listedValues({ value, values }: Parameter): readonly unknown[] | undefined {
  return values ?? (value === undefined ? undefined : [value]);
}

function pickWeighted(values: readonly unknown[], weights: readonly number[], rng: CounterRng): unknown {
  let left = rng.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return values[i];
  }
  return values[values.length - 1];
}

/** @param key for messages. @throws {SweepError} if the distribution lacks a number, or they make no range. */
export function drawValue(key: string, parameter: Parameter, rng: CounterRng): unknown {
  const name = parameter.distribution ?? defaultDistribution(parameter);
  const values = listedValues(parameter);
  if (name === "constant" || name === "categorical") {
    if (values === undefined) throw new SweepError(`parameters.${key}: ${name} needs value or values`);
    const { probabilities } = parameter;
    if (probabilities === undefined) return rng.pick(values);
    if (probabilities.length === values.length) return pickWeighted(values, probabilities, rng);
    throw new SweepError(`parameters.${key}: ${values.length} values and ${probabilities.length} probabilities`);
  }
  const need: Need = (wanted) => {
    // W&B's normal has these defaults.
    const number = parameter[wanted] ?? { mu: 0, sigma: 1, min: undefined, max: undefined }[wanted];
    if (number !== undefined) return number;
    throw new SweepError(`parameters.${key}: ${name} needs ${wanted}`);
  };
  if (!name.endsWith("normal")) checkRange(key, name, need);
  const drawn = draws[name.replace(/^q_/, "")](need, rng);
  if (!name.startsWith("q_")) return drawn;
  const { q = 1 } = parameter;
  // Through decimal text: 3 * 0.1 is meant to be 0.3.
  return Number((Math.round(drawn / q) * q).toPrecision(12));
}

function checkRange(key: string, name: string, need: Need): void {
  const [low, high] = [need("min"), need("max")];
  if (low > high) throw new SweepError(`parameters.${key}: min ${low} is more than max ${high}`);
  if (name.endsWith("log_uniform_values") && low <= 0) {
    throw new SweepError(`parameters.${key}: ${name} needs a min above 0`);
  }
  if (name === "int_uniform" && !(Number.isInteger(low) && Number.isInteger(high))) {
    throw new SweepError(`parameters.${key}: int_uniform needs whole numbers as min and max`);
  }
}
