/**
 * How far two programs agree whose arithmetic differs. Where they judge a document differently, the answers must be
 * closer to each other than the programs' numbers are.
 */
import type { LanguageModel } from "../../../src/language_model/language_model.ts";

/** A log-likelihood in nats, and whether the text is what the model would have written. */
export type Answer = readonly [logLikelihood: number, isGreedy: boolean];

/** Two answers that compete. Nats, per unit of what the metric divides by. */
export interface Contest {
  /** How far they are apart. */
  margin: number;
  /** By how much the programs differ about them. */
  difference: number;
  /** Both programs prefer the same answer. */
  samePreferred: boolean;
}

/** Programs that prefer different answers may judge differently, if no further apart than their numbers are. */
export function explainsDifference({ margin, difference, samePreferred }: Contest): boolean {
  return !samePreferred && margin <= difference;
}

/** What the metrics of multiple choice divide a choice's log-likelihood by before the largest is taken. */
export const choiceScales: Readonly<Record<string, (choice: string) => number>> = {
  acc: () => 1,
  acc_norm: (choice) => [...choice].length,
  acc_bytes: (choice) => Buffer.byteLength(choice),
};

/**
 * Their best choice against ours, or against their second where both prefer the same.
 * @param scales what the log-likelihoods are divided by
 */
export function contest(ours: readonly Answer[], theirs: readonly Answer[], scales: readonly number[]): Contest {
  const scaled = (answers: readonly Answer[]) => answers.map(([value], i) => value / scales[i]);
  const [a, b] = [scaled(ours), scaled(theirs)];
  const largest = (values: readonly number[]) => values.indexOf(Math.max(...values));
  const [ourBest, best] = [largest(a), largest(b)];
  const samePreferred = ourBest === best;
  const other = samePreferred ? largest(b.map((value, i) => (i === best ? Number.NEGATIVE_INFINITY : value))) : ourBest;
  const difference = (i: number) => Math.abs(a[i] - b[i]);
  return { margin: b[best] - b[other], difference: difference(best) + difference(other), samePreferred };
}

/** A text as lm-evaluation-harness's model generated it. */
export interface GeneratedTokens {
  /** Ids of the prompt. */
  prompt: number[];
  /** Each token with its log-probability, and the second best with its own. */
  tokens: [id: number, logProb: number, second: number, secondLogProb: number][];
}

/** Our model along a text that theirs generated. */
export interface FollowedText {
  /** Distances of the log-probabilities of the tokens that both would write, in nats. */
  differences: number[];
  /** Their token against ours where they part; null if they do not. */
  parting: (Contest & { isTheirSecond: boolean }) | null;
}

/** Runs our model along texts that theirs generated, up to the token that it would not have written. */
export async function followTexts(model: LanguageModel, texts: readonly GeneratedTokens[]): Promise<FollowedText[]> {
  const requests = texts.map(({ prompt, tokens }) => ({ context: prompt, continuation: tokens.map(([id]) => id) }));
  const scored = await model.loglikelihood(requests);
  const followed: FollowedText[] = [];
  for (const [i, { context, continuation }] of requests.entries()) {
    const score = async (ids: number[]) => (await model.loglikelihood([{ context, continuation: ids }]))[0];
    const { tokens } = texts[i];
    const { isGreedy, tokenLogprobs } = scored[i];
    // We write the first `same` tokens, but not the first `other`.
    let [same, other] = isGreedy ? [tokens.length, tokens.length + 1] : [0, tokens.length];
    while (other - same > 1) {
      const middle = (same + other) >> 1;
      if ((await score(continuation.slice(0, middle))).isGreedy) same = middle;
      else other = middle;
    }
    const differences = tokens.slice(0, same).map(([, logProb], j) => Math.abs(tokenLogprobs[j] - logProb));
    let parting: FollowedText["parting"] = null;
    if (!isGreedy) {
      const [, logProb, second, secondLogProb] = tokens[same];
      const ofSecond = await score([...continuation.slice(0, same), second]);
      parting = {
        margin: logProb - secondLogProb,
        difference: Math.abs(tokenLogprobs[same] - logProb) + Math.abs(ofSecond.tokenLogprobs[same] - secondLogProb),
        samePreferred: false,
        isTheirSecond: ofSecond.isGreedy,
      };
    }
    followed.push({ differences, parting });
  }
  return followed;
}

/** One metric of one task by both programs: a row of experiments/results/lm_eval_agreement.jsonl. */
export interface Agreement {
  task: string;
  metric: string;
  shots: number;
  documents: number;
  lm_eval: number;
  bitnet_eval: number;
  /** Documents that only one of the programs judges right. */
  judged_differently: number;
  /** Largest margin of these. */
  widest_margin: number;
  /** Documents whose two best answers are closer than the programs differ about them; texts that part. */
  near_ties: number;
  /** Differences of the log-likelihoods of answers, or of the tokens of texts. */
  median_difference: number;
  largest_difference: number;
}

/** Counts a task's documents by metric. */
export class AgreementTally {
  /** Nats. */
  readonly differences: number[] = [];
  private readonly byMetric = new Map<string, { judgedDifferently: number; nearTies: number; widestMargin: number }>();

  /** @param metric name and filter */
  count(metric: string, { margin, difference }: Contest, judgedDifferently: boolean): void {
    const counts = this.of(metric);
    this.byMetric.set(metric, counts);
    if (margin <= difference) counts.nearTies++;
    if (!judgedDifferently) return;
    counts.judgedDifferently++;
    counts.widestMargin = Math.max(counts.widestMargin, margin);
  }

  has(metric: string): boolean {
    return this.byMetric.has(metric);
  }

  of(metric: string) {
    return this.byMetric.get(metric) ?? { judgedDifferently: 0, nearTies: 0, widestMargin: 0 };
  }

  medianDifference(): number {
    const sorted = this.differences.toSorted((a, b) => a - b);
    return sorted.length === 0 ? 0 : sorted[sorted.length >> 1];
  }

  largestDifference(): number {
    return this.differences.reduce((a, b) => Math.max(a, b), 0);
  }
}
