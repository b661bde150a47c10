/**
 * What a sweep shows, as plain data: `summary.json`. A function of metrics, configurations and the sweep's file alone, without
 * times, so a sweep that was killed and started again has the same bytes.
 */
import { type HolmResult, holm } from "../../src/statistics/holm.ts";
import { neededPairs, type PairedDifference, pairedDifference, tInterval } from "../../src/statistics/paired.ts";
import { type RankedArm, rankArms } from "../../src/statistics/ranking.ts";
import { type Interval, mean, standardDeviation } from "../../src/statistics/sample.ts";
import { tokensPerStep } from "./budget.ts";
import type { TwinDistance } from "./float_twin.ts";
import type { RunResult, SweepResults } from "./sweep_results.ts";
import type { Comparison, Decision, Metric } from "./sweep_schema.ts";
import type { TunedValue } from "./tuned_value.ts";

/**
 * `negligible`: below the difference that the sweep's file calls so. `one pair`: nothing can be said. `failed`: runs of the arm
 * diverged, `unfinished`: it was stopped, or is not done.
 */
export type Verdict = "better" | "worse" | "not separated" | "negligible" | "one pair" | "failed" | "unfinished";

export interface ArmSummary {
  arm: string;
  /** Finished runs. */
  n: number;
  /** Runs whose loss was not finite. */
  failed: number;
  /** Runs that were stopped early, or are not done. */
  unfinished: number;
  /** Of the metric, over the finished runs. */
  mean: number | null;
  sd: number | null;
  values: { seed: number; value: number }[];
  /** Of the validation loss, mean. */
  bitsPerByte: number | null;
  /** Tokens that a run trains on. */
  tokens: number | null;
  /** Peak. */
  learningRate: number | null;
  tuned: TunedValue | null;
  /** Mean distance from the float twin, where it was measured. */
  floatTwin: Pick<TwinDistance, "kl" | "top1Agreement"> | null;
}

export interface ArmComparison extends PairedDifference {
  arm: string;
  /** With Holm's correction over the arms of the comparison. */
  adjustedP: number | null;
  /** The t interval, widened by the same correction. */
  adjustedInterval: Interval | null;
  verdict: Verdict;
  /** Seeds at which a difference of this size would be found in four of five studies; null for more than 1000. */
  neededSeeds: number | null;
}

export interface ComparisonSummary {
  name: string;
  baseline: string;
  arms: ArmComparison[];
  /** The baseline and its arms. */
  ranking: RankedArm[];
}

export interface SweepSummary {
  name: string | null;
  metric: Metric;
  decision: Decision;
  /** What the validation was over. */
  validation: string;
  seeds: number[];
  arms: ArmSummary[];
  comparisons: ComparisonSummary[];
  runs: Pick<RunResult, "name" | "arm" | "seed" | "stage" | "status" | "step" | "tokens" | "value" | "failure">[];
}

export function summarize(results: SweepResults): SweepSummary {
  const { sweep, arms, comparisons, seeds, runs } = results;
  const armSummaries = arms.map((arm) => armSummary(arm, results));
  return {
    name: sweep.name ?? null,
    metric: sweep.metric,
    decision: sweep.decision,
    validation: validationText(results),
    seeds: [...seeds],
    arms: armSummaries,
    comparisons: comparisons.map((comparison) => compare(comparison, armSummaries, sweep)),
    runs: runs.map(({ name, arm, seed, stage, status, step, tokens, value, failure }) => ({
      name,
      arm,
      seed,
      stage,
      status: status === "running" ? "open" : status,
      step,
      tokens,
      value,
      failure,
    })),
  };
}

function armSummary(arm: string, { runs, tuned }: SweepResults): ArmSummary {
  const own = runs.filter((run) => run.arm === arm && run.stage === "final");
  const finished = own.filter(({ status, value }) => status === "finished" && value !== null);
  const values = finished.map(({ seed, value }) => ({ seed, value: value! }));
  const bits = finished.flatMap(({ bitsPerByte }) => (bitsPerByte === null ? [] : [bitsPerByte]));
  const twins = finished.flatMap(({ floatTwin }) => (floatTwin === null ? [] : [floatTwin]));
  const failed = own.filter(({ status }) => status === "failed").length;
  const { config, learningRate } = own.find((run) => run.config !== null) ?? {};
  return {
    arm,
    n: values.length,
    failed,
    unfinished: own.length - finished.length - failed,
    mean: values.length > 0 ? mean(values.map(({ value }) => value)) : null,
    sd: standardDeviation(values.map(({ value }) => value)),
    values,
    bitsPerByte: bits.length > 0 ? mean(bits) : null,
    tokens: config ? config.training.max_steps * tokensPerStep(config) : null,
    learningRate: learningRate ?? null,
    tuned: tuned[arm] ?? null,
    floatTwin:
      twins.length > 0
        ? { kl: mean(twins.map(({ kl }) => kl)), top1Agreement: mean(twins.map((twin) => twin.top1Agreement)) }
        : null,
  };
}

function compare(
  { name, baseline, arms: compared }: Comparison,
  arms: readonly ArmSummary[],
  { decision, metric }: { decision: Decision; metric: Metric },
): ComparisonSummary {
  const of = (arm: string) => arms.find((each) => each.arm === arm);
  const base = new Map(of(baseline)?.values.map(({ seed, value }) => [seed, value]));
  const own = compared.flatMap((arm) => of(arm) ?? []);
  const paired = own.map(({ values }) => {
    const differences = values.flatMap(({ seed, value }) => (base.has(seed) ? [value - base.get(seed)!] : []));
    return differences.length === 0 ? null : pairedDifference(differences, decision.confidence);
  });
  const tested = paired.flatMap((each, i) => (each?.p == null ? [] : [{ i, p: each.p }]));
  const adjusted = new Map(holm(tested.map(({ p }) => p)).map((result, k) => [tested[k].i, result]));
  const sign = metric.goal === "minimize" ? 1 : -1;
  const signed = (arm: ArmSummary): [string, Map<number, number>] => [
    arm.arm,
    new Map(arm.values.map(({ seed, value }) => [seed, sign * value])),
  ];
  const ranking = rankArms(
    new Map([baseline, ...compared].flatMap((arm) => of(arm) ?? []).map(signed)),
    decision.confidence,
  );
  return {
    name,
    baseline,
    arms: own.map((arm, i) => armComparison(arm, paired[i] ?? noPairs, adjusted.get(i), { decision, sign })),
    ranking: ranking.map((each) => ({ ...each, mean: sign * each.mean })),
  };
}

const noPairs: PairedDifference = {
  n: 0,
  mean: 0,
  sd: null,
  standardError: null,
  tInterval: null,
  bootstrapInterval: null,
  p: null,
};

function armComparison(
  arm: ArmSummary,
  difference: PairedDifference,
  adjusted: HolmResult | undefined,
  { decision, sign }: { decision: Decision; sign: number },
): ArmComparison {
  const { n, sd, standardError } = difference;
  const adjustedInterval =
    adjusted === undefined
      ? null
      : tInterval(difference.mean, standardError!, n, 1 - (1 - decision.confidence) / adjusted.factor);
  return {
    arm: arm.arm,
    ...difference,
    adjustedP: adjusted?.p ?? null,
    adjustedInterval,
    verdict: verdictOf(arm, difference, adjusted, { decision, sign }),
    neededSeeds: sd === null || sd === 0 ? null : neededPairs(difference.mean, sd, decision.confidence),
  };
}

const leavesOut = ({ low, high }: Interval) => low > 0 || high < 0;

function verdictOf(
  { failed, unfinished }: ArmSummary,
  { n, mean: centre, standardError, tInterval: interval, bootstrapInterval }: PairedDifference,
  adjusted: HolmResult | undefined,
  { decision, sign }: { decision: Decision; sign: number },
): Verdict {
  if (failed > 0) return "failed";
  if (unfinished > 0 || n === 0) return "unfinished";
  if (standardError === null || interval === null || bootstrapInterval === null || adjusted === undefined) {
    return "one pair";
  }
  if (Math.abs(centre) < decision.negligible) return "negligible";
  const holds = {
    two_standard_errors: Math.abs(centre) >= 2 * standardError && centre !== 0,
    t_interval: leavesOut(interval),
    bootstrap_interval: leavesOut(bootstrapInterval),
    holm: adjusted.p < 1 - decision.confidence,
  };
  if (!decision.rule.every((rule) => holds[rule])) return "not separated";
  return sign * centre < 0 ? "better" : "worse";
}

/** Where the values of the metric are from: what a reader needs to compare them with others. */
function validationText({ runs }: SweepResults): string {
  const config = runs.find((run) => run.config !== null)?.config;
  if (config == null) return "";
  const { sequence_length, eval_batches, batch_size } = config.training;
  // The sequences of a part of it lie evenly over the whole: see validationBatches.
  const share = eval_batches === 0 ? "all of it" : `${eval_batches * batch_size} windows of it at most, evenly spread`;
  const percent = Number((100 * config.data.validation_fraction).toFixed(6));
  return (
    `the last ${percent}% of the data, ${share}, in windows of ${sequence_length} tokens that do ` +
    "not overlap (the stride is the window); bits per byte over all bytes of the tokens that are predicted"
  );
}
