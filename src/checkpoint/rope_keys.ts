/**
 * The rotary embedding of a config.json. transformers 5 keeps `rope_parameters {rope_type, rope_theta}`, earlier versions
 * and our own files `rope_theta` beside a `rope_scaling` of `type`. Whoever wrote them, they must say one thing.
 */
import { CheckpointError } from "./checkpoint_error.ts";

type Json = Record<string, unknown>;

/** Keys of a section that mean nothing to a rotary embedding that is not scaled. */
const idleKeys = ["rope_type", "type", "rope_theta", "partial_rotary_factor", "original_max_position_embeddings"];

/**
 * The base of the wavelengths; undefined if the file does not say it.
 * @throws {CheckpointError} if the embedding is another than the plain one over whole heads, or two keys disagree.
 */
export function ropeTheta(json: Json): number | undefined {
  const thetas: [key: string, value: unknown][] = [["rope_theta", json.rope_theta]];
  const factors: [key: string, value: unknown][] = [["partial_rotary_factor", json.partial_rotary_factor]];
  for (const name of ["rope_parameters", "rope_scaling"]) {
    const section = json[name];
    if (section === undefined || section === null) continue;
    if (typeof section !== "object" || Array.isArray(section)) throw new CheckpointError(`${name} is not a section`);
    checkPlain(name, section as Json);
    thetas.push([`${name}.rope_theta`, (section as Json).rope_theta]);
    factors.push([`${name}.partial_rotary_factor`, (section as Json).partial_rotary_factor]);
  }
  for (const [key, factor] of factors) {
    if (factor === undefined || factor === null || factor === 1) continue;
    throw new CheckpointError(`${key} ${JSON.stringify(factor)} is not supported: it changes the model`);
  }
  const [first, ...others] = thetas.filter(([, value]) => value !== undefined && value !== null);
  if (first === undefined) return undefined;
  for (const [key, value] of [first, ...others]) {
    if (typeof value !== "number" || !(value > 0))
      throw new CheckpointError(`${key} ${JSON.stringify(value)} is no base`);
    if (value !== first[1]) {
      throw new CheckpointError(`${first[0]} is ${first[1]} and ${key} is ${value}: remove the one that is wrong`);
    }
  }
  return first[1] as number;
}

/** @throws {CheckpointError} if the section scales, or differs from layer to layer. */
function checkPlain(name: string, section: Json): void {
  const type = section.rope_type ?? section.type ?? "default";
  if (type !== "default") {
    throw new CheckpointError(`${name}: rope type ${JSON.stringify(type)} is not supported, only "default"`);
  }
  for (const [key, value] of Object.entries(section)) {
    if (idleKeys.includes(key) || value === null) continue;
    throw new CheckpointError(`${name}.${key} ${JSON.stringify(value)} is not supported: it changes the model`);
  }
}
