/** Where the accuracy of each task, or group, stands beside guessing. */

import { pValueText } from "../../report/markup.ts";
import type { Score } from "../aggregate.ts";
import type { TaskResult } from "../evaluator.ts";
import { type GroupResult, summaryEntries } from "../group_scores.ts";
import { guessingTails, hoeffdingBound } from "../score/guessing.ts";

/** What the verdicts ask for. */
const significance = 0.05;

export interface GuessingTest {
  /** Of the score that is tested. */
  metric: string;
  value: number;
  /** What guessing scores on average. */
  chance: number;
  /** Probability that guessing scores as high, or as low where the score is below chance. */
  pValue: number;
  /** `binomial`: exact. `bound`: the probability is at most that (Hoeffding), where answers are not just right or wrong. */
  test: "binomial" | "bound";
}

/** Of one document. */
interface Guess {
  value: number;
  chance: number;
  /** In the score: all together are 1. */
  weight: number;
}

const accuracies = ["acc", "acc_norm", "acc_bytes", "acc_mutual_info"];

/** Null where a document has no value of the score, or no chance. */
function guessesOf(tasks: readonly TaskResult[], { metric, filter }: Score, isPooled: boolean): Guess[] | null {
  const total = tasks.reduce((sum, { chances }) => sum + (chances?.length ?? 0), 0);
  const guesses: Guess[] = [];
  for (const { samples, chances } of tasks) {
    const values = samples.filter((sample) => sample.filter === filter).map(({ metrics }) => metrics[metric]);
    if (chances === null || values.length !== chances.length) return null;
    const weight = isPooled ? 1 / total : 1 / (tasks.length * chances.length);
    for (const [i, value] of values.entries()) {
      if (typeof value !== "number" || value < 0 || value > 1) return null;
      guesses.push({ value, chance: chances[i], weight });
    }
  }
  return guesses.length > 0 ? guesses : null;
}

function testOf(score: Score, guesses: readonly Guess[]): GuessingTest {
  const sum = (of: (guess: Guess) => number) => guesses.reduce((total, guess) => total + of(guess) * guess.weight, 0);
  const [value, chance] = [sum((guess) => guess.value), sum((guess) => guess.chance)];
  const isAbove = value >= chance;
  const weights = guesses.map(({ weight }) => weight);
  const isCount =
    guesses.every(({ value }) => value === 0 || value === 1) && weights.every((weight) => weight === weights[0]);
  if (!isCount) {
    return { metric: score.metric, value, chance, pValue: hoeffdingBound(value - chance, weights), test: "bound" };
  }
  const right = guesses.filter(({ value }) => value === 1).length;
  const tails = guessingTails(
    guesses.map((guess) => guess.chance),
    right,
  );
  const pValue = isAbove ? tails.atLeast : tails.atMost;
  return { metric: score.metric, value, chance, pValue, test: "binomial" };
}

/** Null for what is not multiple choice. */
export function taskGuessingTest(result: TaskResult): GuessingTest | null {
  return guessingTest([result], result.scores, () => true);
}

function guessingTest(
  tasks: readonly TaskResult[],
  scores: readonly Score[],
  isPooled: (metric: string) => boolean,
): GuessingTest | null {
  const score = accuracies.map((name) => scores.find(({ metric }) => metric === name)).find((found) => found);
  if (score === undefined) return null;
  const guesses = guessesOf(tasks, score, isPooled(score.metric));
  return guesses && testOf(score, guesses);
}

function line(name: string, { metric, value, chance, pValue, test }: GuessingTest): string {
  const isTold = pValue < significance;
  const verdict = value < chance && isTold ? "below guessing" : isTold ? "above guessing" : "no better than guessing";
  const how = test === "binomial" ? "exact binomial test" : "Hoeffding's bound";
  return `${name}: chance ${chance.toFixed(4)}, ${metric} ${value.toFixed(4)}: ${verdict} (p ${pValue < 1e-4 ? "" : "= "}${pValueText(pValue)}, ${how})`;
}

/** One line for each multiple-choice task, or for its group. */
export function chanceLines(results: readonly TaskResult[], groups: readonly GroupResult[] = []): string[] {
  return summaryEntries(results, groups).flatMap(({ name, scores }) => {
    const own = groups.find(({ group }) => group.name === name);
    const tasks = results.filter(({ task }) => (own === undefined ? task.name === name : own.members.has(task.name)));
    const rules = own?.group.config.aggregate_metric_list ?? [];
    const isPooled = (metric: string) => rules.find((rule) => rule.metric === metric)?.weight_by_size ?? true;
    const test = guessingTest(tasks, scores, isPooled);
    return test === null ? [] : [line(name, test)];
  });
}
