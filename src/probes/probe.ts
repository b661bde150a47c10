/**
 * What a synthetic probe is: questions with one right answer, drawn from a seed at a chosen difficulty. An example whose
 * prompt hashes to the held-out eighth is never trained on, whatever the seed: what is asked is always new.
 */
import { type CounterRng, hashName, mix32 } from "../random/counter_rng.ts";

/** `prompt` + `answer` is a line of training text; an evaluation gives the prompt and wants the answer. */
export interface ProbeExample {
  prompt: string;
  answer: string;
}

/** A whole number that an example depends on. */
export interface ProbeOption {
  default: number;
  least: number;
  most: number;
}

/** What the file of a probe exports. */
export interface ProbeDefinition<Name extends string = string> {
  name: string;
  /** Difficulty. */
  options: Readonly<Record<Name, ProbeOption>>;
  draw(options: Readonly<Record<Name, number>>, rng: CounterRng): ProbeExample;
}

/** Lets TypeScript know the names of the options. */
export function defineProbe<Name extends string>(definition: ProbeDefinition<Name>): ProbeDefinition<Name> {
  return definition;
}

/** True for about one prompt in eight: those are asked, the others are trained on. */
export function isHeldOut({ prompt }: ProbeExample): boolean {
  return mix32(hashName(prompt)) >>> 29 === 0;
}

/** Of `count` symbols of an alphabet. */
export function drawText(alphabet: string, count: number, rng: CounterRng): string {
  return Array.from({ length: count }, () => alphabet[rng.integer(alphabet.length)]!).join("");
}
