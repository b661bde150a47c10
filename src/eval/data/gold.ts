/**
 * The right choices that a target means, as lm-evaluation-harness 0.4.13 reads it (`process_results`): what is not one of
 * the choices makes every answer wrong, but does not end the evaluation.
 */
import { isInteger, isNumeric, numberOf, PythonFloat, pythonRepr } from "../../python/values.ts";

/** lm-evaluation-harness's index of a choice that is not there. */
const nowhere = -100;

export interface Gold {
  /** Indices of the choices that are right, or of no choice. */
  indices: number[];
  /** What is wrong with the target; null if nothing is. */
  problem: string | null;
}

function indexOf(target: unknown, choices: readonly string[]): number {
  if (typeof target === "string") return choices.includes(target) ? choices.indexOf(target) : nowhere;
  if (!isNumeric(target)) return nowhere;
  const index = Number(numberOf(target));
  return Number.isInteger(index) && index < choices.length ? index : nowhere;
}

/** @param target the index of a choice, its text, or a list of these */
export function goldOf(target: unknown, choices: readonly string[]): Gold {
  const targets = Array.isArray(target) ? target : [target];
  const indices = targets.map((one) => indexOf(one, choices));
  // An index may be None: what is looked for is its place.
  const at = targets.findIndex((one, i) => !isChoice(indices[i], choices) || one instanceof PythonFloat);
  if (at < 0 && targets.length > 0) return { indices, problem: null };
  const wrong = targets.length > 0 ? targets[at] : target;
  const what = wrong instanceof PythonFloat && isChoice(Number(wrong), choices) ? "is a float" : "is not one of them";
  const shown = pythonRepr(wrong).slice(0, 100);
  return { indices, problem: `the label ${shown} of ${choices.length} choices ${what}` };
}

export function isChoice(index: number, choices: readonly string[]): boolean {
  return index >= 0 && index < choices.length;
}

/** The text of the choice that an example's target means, counted from the end below 0 as in Python; undefined if there is none. */
export function choiceAt(target: unknown, choices: readonly string[]): string | undefined {
  if (typeof target === "boolean") return choices[Number(target)];
  return isInteger(target) || target instanceof PythonFloat ? choices.at(Number(target)) : undefined;
}
