/** What lm-evaluation-harness says of a run beside what we say: everything that differs, in words. */
import type { TaskResult } from "../../../src/eval/evaluator.ts";
import type { GroupResult } from "../../../src/eval/group_scores.ts";
import { resultsTable } from "../../../src/eval/report/results_table.ts";
import type { Sample } from "../../../src/eval/request/sample.ts";
import type { Task } from "../../../src/eval/task/task.ts";
import { pythonStr } from "../../../src/python/values.ts";
import {
  type Agreement,
  AgreementTally,
  type Answer,
  type Contest,
  choiceScales,
  contest,
  explainsDifference,
  type FollowedText,
  type GeneratedTokens,
} from "./lm_eval_agreement.ts";
import { requestsHash } from "./lm_eval_hashing_model.ts";

interface ExpectedSample {
  doc_id: number;
  target: unknown;
  arguments?: unknown[][];
  /** In their place. */
  requests?: string;
  resps?: unknown[][];
  /** In their place. */
  repeats?: number;
  filtered_resps: unknown[];
  filter: string;
  metrics: string[];
  generated?: GeneratedTokens;
  [metric: string]: unknown;
}

/** What lm_eval_answers.py writes. */
export interface LmEvalOutput {
  results: Record<string, Record<string, unknown>>;
  group_subtasks: Record<string, string[]>;
  "n-shot": Record<string, number>;
  higher_is_better: Record<string, Record<string, boolean>>;
  versions: Record<string, unknown>;
  "n-samples": Record<string, { original: number; effective: number }>;
  configs: Record<string, Record<string, unknown>>;
  table: string;
  samples: Record<string, ExpectedSample[]>;
}

const isAnswer = (value: unknown): value is Answer =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === "number" && typeof value[1] === "boolean";

export class LmEvalComparison {
  readonly deviations: string[] = [];
  /** Of multiple choice and generated texts. */
  readonly agreements: Agreement[] = [];
  private readonly expected: LmEvalOutput;
  private readonly isBitnet: boolean;
  private readonly isHashing: boolean;
  private readonly followed: ReadonlyMap<string, FollowedText>;
  private tally = new AgreementTally();
  private judgedDifferently = 0;
  private samples = 0;
  private requests = 0;
  private logLikelihoods = 0;
  private beyond = 0;
  private largest = 0;

  /** @param followed our model along the texts that theirs generated, by task and document */
  constructor(
    expected: LmEvalOutput,
    kind: "hashing" | "float" | "bitnet",
    followed: ReadonlyMap<string, FollowedText> = new Map(),
  ) {
    this.expected = expected;
    this.followed = followed;
    this.isHashing = kind === "hashing";
    this.isBitnet = kind === "bitnet";
  }

  summary(): string {
    const { samples, requests, beyond, logLikelihoods, largest } = this;
    const verdict = this.deviations.length === 0 ? "equal" : `${this.deviations.length} DIFFERENCES`;
    return (
      `${samples} samples, ${requests} requests: ${verdict}; largest difference of ${logLikelihoods} log-likelihoods ` +
      `${largest.toExponential(1)}, ${beyond} by more than 2e-3 + 1e-5 |ll|; ${this.judgedDifferently} judged differently`
    );
  }

  task({ task, samples, scores, numFewshot, documents }: TaskResult): void {
    const { name } = task;
    const expected = this.expected.samples[name];
    this.tally = new AgreementTally();
    const counts = this.expected["n-samples"][name];
    if (documents.leftOut === 0) this.equal(`${name} documents`, documents.original, counts.original);
    // There it shows what was asked for, though rolling tasks have no prompt.
    if (task.outputType !== "loglikelihood_rolling")
      this.equal(`${name} n-shot`, numFewshot, this.expected["n-shot"][name] ?? 0);
    this.equal(`${name} version`, task.version, this.expected.versions[name]);
    this.equal(`${name} samples`, samples.length, expected.length);
    const byKey = new Map(samples.map((sample) => [`${sample.docId} ${sample.filter}`, sample]));
    for (const wanted of expected) {
      const sample = byKey.get(`${wanted.doc_id} ${wanted.filter}`);
      if (sample === undefined) this.deviations.push(`${name} ${wanted.doc_id} ${wanted.filter}: no such sample`);
      else this.sample(`${name} ${wanted.doc_id} ${wanted.filter}`, task, sample, wanted);
    }
    for (const { metric, filter, value, standardError, higherIsBetter } of scores) {
      const wanted = this.expected.results[name];
      const key = `${metric},${filter}`;
      const { judgedDifferently, nearTies, widestMargin } = this.tally.of(key);
      this.judgedDifferently += judgedDifferently;
      this.close(`${name} ${key}`, value, wanted[key], judgedDifferently / documents.effective);
      if (judgedDifferently === 0)
        this.close(`${name} ${metric}_stderr`, standardError ?? "N/A", wanted[`${metric}_stderr,${filter}`]);
      const direction = this.expected.higher_is_better[name][metric];
      if (direction !== undefined) this.equal(`${name} ${metric} direction`, higherIsBetter, direction);
      if (!this.tally.has(key)) continue;
      this.agreements.push({
        task: name,
        metric: filter === "none" ? metric : key,
        shots: numFewshot,
        documents: documents.effective,
        lm_eval: Number(wanted[key]),
        bitnet_eval: value,
        judged_differently: judgedDifferently,
        widest_margin: widestMargin,
        near_ties: nearTies,
        median_difference: this.tally.medianDifference(),
        largest_difference: this.tally.largestDifference(),
      });
    }
  }

  groups(results: readonly GroupResult[]): void {
    this.equal(
      "groups",
      results.map(({ group }) => group.name).sort(),
      Object.keys(this.expected.group_subtasks).sort(),
    );
    for (const { group, scores, documents } of results) {
      const wanted = this.expected.results[group.name];
      this.equal(
        `${group.name} parts`,
        [...group.children].sort(),
        [...this.expected.group_subtasks[group.name]].sort(),
      );
      this.equal(`${group.name} version`, group.version, String(this.expected.versions[group.name]));
      this.equal(`${group.name} documents`, documents, wanted.sample_len);
      const { judgedDifferently } = this;
      for (const { metric, filter, value, standardError } of scores) {
        const key = `${metric},${filter}`;
        this.close(`${group.name} ${key}`, value, wanted[key], judgedDifferently / documents);
        if (judgedDifferently === 0)
          this.close(`${group.name} ${metric}_stderr`, standardError ?? "N/A", wanted[`${metric}_stderr,${filter}`]);
      }
    }
  }

  /** The printed tables, only where the model's answers are the same numbers. */
  table(results: readonly TaskResult[], groups: readonly GroupResult[]): void {
    if (!this.isHashing) return;
    const rolling = new Set(results.filter(({ task }) => task.outputType === "loglikelihood_rolling"));
    const lines = (table: string) => table.trimEnd().split("\n");
    const wanted = lines(this.expected.table);
    lines(resultsTable(results, groups)).forEach((line, i) => {
      if (![...rolling].some(({ task }) => wanted[i]?.includes(task.name) || /perplexity|bits_per_byte/.test(line))) {
        this.equal("table", line, wanted[i]);
      }
    });
  }

  private sample(label: string, task: Task, sample: Sample, wanted: ExpectedSample): void {
    this.samples++;
    this.requests += sample.arguments.length;
    this.equal(`${label} target`, targetText(sample.target), targetText(wanted.target));
    const texts = (requests: readonly (readonly unknown[])[]) =>
      requests.map((request) => request.filter((argument) => typeof argument === "string"));
    if (wanted.arguments) this.equal(`${label} requests`, texts(sample.arguments), texts(wanted.arguments));
    else this.equal(`${label} requests`, requestsHash(sample.arguments), wanted.requests);
    const repeats = wanted.repeats ?? wanted.resps?.[0].length;
    this.equal(`${label} repeats`, [...new Set(sample.responses.map(({ length }) => length))], [repeats]);
    let contestOf: (metric: string) => Contest | null = () => null;
    if (wanted.filtered_resps.every(isAnswer)) contestOf = this.choices(label, task, sample, wanted);
    else if (typeof wanted.filtered_resps[0] === "number") {
      this.logLikelihood(label, sample.filteredResponses[0] as number, wanted.filtered_resps[0]);
    } else contestOf = this.text(label, task, sample, wanted);
    const actual = Object.keys(sample.metrics);
    this.equal(`${label} metrics`, [...actual].sort(), [...wanted.metrics].sort());
    for (const metric of wanted.metrics) {
      const [ours, theirs] = [sample.metrics[metric], wanted[metric]];
      if (Array.isArray(theirs) || typeof ours !== "number") {
        this.values(`${label} ${metric}`, ours, theirs);
        continue;
      }
      const differs = Math.abs(ours - Number(theirs)) > this.metricTolerance(metric, Number(theirs));
      const contested = contestOf(metric);
      if (contested) this.tally.count(`${metric},${sample.filter}`, contested, differs);
      if (differs && !(contested && explainsDifference(contested)))
        this.deviations.push(`${label} ${metric}: ${ours} instead of ${theirs}`);
    }
  }

  /** @returns the contest that decides a metric; null if none does */
  private choices(label: string, task: Task, sample: Sample, wanted: ExpectedSample) {
    const ours = sample.filteredResponses as readonly Answer[];
    const theirs = wanted.filtered_resps as readonly Answer[];
    theirs.forEach(([value, greedy], i) => {
      this.tally.differences.push(this.logLikelihood(`${label} choice ${i}`, ours[i]?.[0], value));
      this.equal(`${label} choice ${i} greedy`, ours[i]?.[1], greedy);
    });
    const texts = sample.arguments.map(([, text]) => String(text).slice(task.prompt.targetDelimiter.length));
    return (metric: string): Contest | null => {
      const scale = choiceScales[metric];
      if (this.isHashing || scale === undefined || task.processResults !== null || theirs.length < 2) return null;
      return contest(ours, theirs, texts.map(scale));
    };
  }

  /** @returns where the texts part decides every metric */
  private text(label: string, task: Task, sample: Sample, wanted: ExpectedSample) {
    const followed = this.followed.get(`${task.name} ${sample.docId}`);
    const isEqual = wanted.resps === undefined || JSON.stringify(sample.responses) === JSON.stringify(wanted.resps);
    const parting = isEqual ? null : (followed?.parting ?? null);
    if (followed) this.tally.differences.push(...followed.differences);
    if (parting === null) {
      if (wanted.resps) this.equal(`${label} response`, sample.responses, wanted.resps);
      this.equal(`${label} filtered`, sample.filteredResponses, wanted.filtered_resps);
    } else if (!explainsDifference(parting) || !parting.isTheirSecond || parting.difference > this.tolerance(0)) {
      this.deviations.push(
        `${label}: the texts part where a token leads by ${parting.margin} nats: ${JSON.stringify(parting)}`,
      );
    }
    // Nothing is near where the texts are equal.
    const contested =
      parting ?? (followed ? { margin: Number.POSITIVE_INFINITY, difference: 0, samePreferred: true } : null);
    return (): Contest | null => contested;
  }

  private metricTolerance(metric: string, value: number): number {
    if (this.isHashing) return 1e-12;
    return metric === "perplexity"
      ? this.tolerance(value)
      : metric === "acc" && !Number.isInteger(value)
        ? 0.02
        : 1e-12;
  }

  private tolerance(value: number): number {
    if (this.isHashing) return 1e-9;
    return this.isBitnet ? 0.1 + 5e-4 * Math.abs(value) : 1e-4 + 2e-6 * Math.abs(value);
  }

  /** @returns the difference */
  private logLikelihood(label: string, actual: number | undefined, wanted: number): number {
    this.logLikelihoods++;
    const difference = Math.abs((actual ?? Number.NaN) - wanted);
    this.largest = Math.max(this.largest, difference);
    if (this.isBitnet && difference > 2e-3 + 1e-5 * Math.abs(wanted)) this.beyond++;
    if (!(difference <= this.tolerance(wanted))) this.deviations.push(`${label}: ${actual} instead of ${wanted}`);
    return difference;
  }

  /** Lists of numbers within the tolerance of log-likelihoods, others equal. */
  private values(label: string, actual: unknown, wanted: unknown): void {
    const [ours, theirs] = [actual, wanted].map((list) => (Array.isArray(list) ? list.flat() : []));
    if (typeof theirs?.[0] !== "number") {
      this.equal(label, actual, wanted);
      return;
    }
    const isClose =
      ours.length === theirs.length &&
      theirs.every((value, i) => Math.abs(Number(ours?.[i]) - Number(value)) <= this.tolerance(Number(value)));
    if (!isClose) this.deviations.push(`${label}: ${JSON.stringify(actual)} instead of ${JSON.stringify(wanted)}`);
  }

  private equal(what: string, actual: unknown, wanted: unknown): void {
    const [a, b] = [JSON.stringify(actual), JSON.stringify(wanted)];
    if (a !== b) this.deviations.push(`${what}: ${a?.slice(0, 600)} instead of ${b?.slice(0, 600)}`);
  }

  /** @param moved what documents judged differently make of it */
  private close(what: string, actual: unknown, wanted: unknown, moved = 0): void {
    const tolerance = this.isHashing ? 1e-9 : 2e-3;
    if (typeof actual !== "number" || typeof wanted !== "number") this.equal(what, actual, wanted);
    else if (!(Math.abs(actual - wanted) <= tolerance * Math.max(1, Math.abs(wanted)) + moved)) {
      this.deviations.push(`${what}: ${actual} instead of ${wanted}`);
    }
  }
}

/** Indices and texts of a target as text: JSON has one kind of number. */
function targetText(target: unknown): unknown {
  return Array.isArray(target) ? target.map(pythonStr) : pythonStr(target);
}
