/**
 * The rotary embedding of a config.json. transformers 5 keeps `rope_parameters {rope_type, rope_theta, ...}`, earlier
 * versions and our own files `rope_theta` beside a `rope_scaling` of `type`. Whoever wrote them, they must say one thing.
 */
import { type RopeScaling, ropeScalingSchema, ropeTypes } from "../config/rope_scaling.ts";
import { CheckpointError } from "./checkpoint_error.ts";

type Json = Record<string, unknown>;

/** Keys of a section that are read beside its scaling, or mean nothing to it. */
const idleKeys = ["rope_type", "type", "rope_theta", "partial_rotary_factor", "original_max_position_embeddings"];

/** Keys of a scaled section with the one value that is computed. */
const fixedValues: Record<string, unknown> = { truncate: true, finetuned: true };

export interface RopeKeys {
  /** The base of the wavelengths; undefined if the file does not say it. */
  theta: number | undefined;
  scaling: RopeScaling | undefined;
}

/**
 * What the file says of its rotary embedding.
 * @throws {CheckpointError} if it is of a type that is not computed here, turns parts of heads, or two keys disagree.
 */
export function readRope(json: Json): RopeKeys {
  const thetas: [key: string, value: unknown][] = [["rope_theta", json.rope_theta]];
  const factors: [key: string, value: unknown][] = [["partial_rotary_factor", json.partial_rotary_factor]];
  const scalings: [name: string, scaling: RopeScaling | undefined][] = [];
  for (const name of ["rope_parameters", "rope_scaling"]) {
    const section = wholeSection(json[name]);
    if (section === undefined || section === null) continue;
    if (typeof section !== "object" || Array.isArray(section)) throw new CheckpointError(`${name} is not a section`);
    scalings.push([name, scalingOf(name, section as Json, json)]);
    thetas.push([`${name}.rope_theta`, (section as Json).rope_theta]);
    factors.push([`${name}.partial_rotary_factor`, (section as Json).partial_rotary_factor]);
  }
  for (const [key, factor] of factors) {
    if (factor === undefined || factor === null || factor === 1) continue;
    throw new CheckpointError(`${key} ${JSON.stringify(factor)} is not supported: it changes the model`);
  }
  const [[, scaling] = [], other] = scalings;
  if (other !== undefined && JSON.stringify(other[1]) !== JSON.stringify(scaling)) {
    throw new CheckpointError("rope_parameters and rope_scaling differ: remove the one that is wrong");
  }
  return { theta: oneTheta(thetas), scaling };
}

/** Of a model whose layers with a window have a section of their own, that of the others. */
function wholeSection(section: unknown): unknown {
  const { full_attention: full, sliding_attention: sliding } = (section ?? {}) as Json;
  if (full === undefined || sliding === undefined) return section;
  const type = (sliding as Json).rope_type ?? "default";
  if (type === "default") return full;
  throw new CheckpointError(`rope_parameters.sliding_attention: rope type ${JSON.stringify(type)} is not supported`);
}

function oneTheta(thetas: readonly [key: string, value: unknown][]): number | undefined {
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

/** The scaling of a section; undefined for the plain embedding. */
function scalingOf(name: string, section: Json, { max_position_embeddings: context }: Json): RopeScaling | undefined {
  const type = section.rope_type ?? section.type ?? "default";
  const option = ropeScalingSchema.options.find(({ shape }) => shape.type.value === type);
  if (type !== "default" && option === undefined) {
    const known = ["default", ...ropeTypes].map((each) => `"${each}"`);
    const list = `${known.slice(0, -1).join(", ")} and ${known.at(-1)}`;
    throw new CheckpointError(`${name}: rope type ${JSON.stringify(type)} is not supported, only ${list}`);
  }
  const keys = Object.keys(option?.shape ?? {});
  const given: Json = { type };
  // transformers takes the context of the model where a section does not name the one before.
  if (keys.includes("original_max_position_embeddings")) given.original_max_position_embeddings = context;
  for (const [key, value] of Object.entries(section)) {
    if (value === null) continue;
    if (key !== "type" && keys.includes(key)) given[key] = value;
    else if (!idleKeys.includes(key) && !(option !== undefined && fixedValues[key] === value)) {
      throw new CheckpointError(`${name}.${key} ${JSON.stringify(value)} is not supported: it changes the model`);
    }
  }
  if (option === undefined) return undefined;
  const parsed = ropeScalingSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CheckpointError(`${[name, ...issue.path].join(".")}: ${issue.message}`);
}
