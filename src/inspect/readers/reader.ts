/**
 * A program that reads models, as a value: its versions, and rules that say what it makes of a model. One file a reader,
 * and one line in `readers.ts`.
 */
import type { Evidence, ModelFacts } from "../model_facts.ts";

export const outcomes = ["computes it", "computes something else", "refuses", "not known"] as const;
export type Outcome = (typeof outcomes)[number];

export interface Judgement {
  outcome: Outcome;
  /** The reason, and what would work; "" where nothing is to be said. */
  why: string;
}

export interface Question {
  facts: ModelFacts;
  evidence: Evidence;
  /** Place in the reader's list. */
  version: number;
}

/** Null if the rule has nothing to say. */
export type Rule = (question: Question) => Judgement | null;

export interface Reader {
  readonly name: string;
  /** Beginnings of the times in which it behaves alike, the oldest first: "2026-07". One for a reader that has not changed. */
  readonly versions: readonly string[];
  /** The first that speaks is the judgement; if none does, the reader computes the model. */
  readonly rules: readonly Rule[];
  /** Where the facts are from. */
  readonly sources: readonly string[];
}

/** What a reader does with a model, for versions that do the same. */
export interface Verdict extends Judgement {
  reader: string;
  /** "", "until 2026-06", "2024-09 to 2026-06", "from 2026-07". */
  versions: string;
}

export const refuses = (why: string): Judgement => ({ outcome: "refuses", why });
export const computesElse = (why: string): Judgement => ({ outcome: "computes something else", why });
export const computes = (why: string): Judgement => ({ outcome: "computes it", why });
export const notKnown = (why: string): Judgement => ({ outcome: "not known", why });

export function verdictsOf(reader: Reader, facts: ModelFacts, evidence: Evidence): Verdict[] {
  const judged = reader.versions.map((_, version) => judge(reader, { facts, evidence, version }));
  const verdicts: Verdict[] = [];
  for (let first = 0; first < judged.length; ) {
    let next = first + 1;
    while (next < judged.length && isSame(judged[next], judged[first])) next++;
    verdicts.push({ reader: reader.name, versions: span(reader.versions, first, next), ...judged[first] });
    first = next;
  }
  return verdicts;
}

function judge({ rules }: Reader, question: Question): Judgement {
  for (const rule of rules) {
    const judgement = rule(question);
    if (judgement !== null) return judgement;
  }
  return computes("");
}

function isSame(a: Judgement, b: Judgement): boolean {
  return a.outcome === b.outcome && a.why === b.why;
}

/** Versions [first, next) in words; the oldest of the list has no beginning that matters. */
function span(versions: readonly string[], first: number, next: number): string {
  const begins = first > 0;
  const ends = next < versions.length;
  if (!begins && !ends) return "";
  if (!begins) return `before ${versions[next]}`;
  return ends ? `${versions[first]} until ${versions[next]}` : `from ${versions[first]}`;
}
