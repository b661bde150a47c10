/**
 * The generated world: a small consistent place with things, properties, uses and counting. It yields training text
 * and held-out questions in the formats of ARC, PIQA and GSM8K, so that the whole pipeline can be shown on any
 * machine without downloading a word.
 *
 * What is held out is learnable from the text (every fact and every equation is stated) but never asked in it.
 */

import { CounterRng } from "../random/counter_rng.ts";
import { type ArithmeticSplit, type Gsm8kDoc, splitArithmetic } from "./arithmetic.ts";
import { worldDocuments } from "./documents.ts";
import { drawFacts, type Facts } from "./facts.ts";
import { type ArcDoc, arcDocs, type PiqaDoc, piqaDocs } from "./questions.ts";

export type { ArcDoc, Gsm8kDoc, PiqaDoc };

/** Documents of the default training text: about 8 MB. */
export const defaultDocumentCount = 40000;
/** Seed of the tasks that `bitnet-eval` knows as toy_arc, toy_piqa and toy_gsm8k. */
export const defaultWorldSeed = 1;

export interface World {
  facts: Facts;
  arithmetic: ArithmeticSplit;
  /** Training text, one document at a time; the same for the same seed and count. */
  trainingDocuments(count?: number): Iterable<string>;
  tasks: {
    toy_arc: { train: ArcDoc[]; test: ArcDoc[] };
    toy_piqa: { train: PiqaDoc[]; test: PiqaDoc[] };
    toy_gsm8k: { train: Gsm8kDoc[]; test: Gsm8kDoc[] };
  };
}

export function generateWorld(seed: number = defaultWorldSeed): World {
  const facts = drawFacts(seed);
  const arithmetic = splitArithmetic(seed);
  const problems = new CounterRng(seed, "world/training-problems");
  return {
    facts,
    arithmetic,
    trainingDocuments: (count = defaultDocumentCount) => worldDocuments(facts, arithmetic, seed, count),
    tasks: {
      toy_arc: arcDocs(facts, seed),
      toy_piqa: piqaDocs(facts, seed),
      toy_gsm8k: {
        train: Array.from({ length: 200 }, () => arithmetic.trainingProblem(problems)),
        test: arithmetic.test,
      },
    },
  };
}
