/** Two saved runs side by side: each score, its difference, and whether the difference is more than chance. */
import { DataError } from "../../data/data_error.ts";
import type { SampleMetric } from "../schema/sample_metric.ts";
import { canAggregate, namedAggregation } from "../score/aggregations.ts";
import { metricDefinition } from "../score/metric_registry.ts";
import { mean } from "../score/metrics.ts";
import { fisherExact, normalPValue, type PairedTest, pairedBootstrap, pairedMeans } from "./paired_difference.ts";
import type { SavedRun, SavedSample, SavedScore, SavedTask } from "./saved_run.ts";
import { textTable } from "./text_table.ts";

export interface ScoreComparison {
  task: string;
  metric: string;
  filter: string;
  a: number;
  b: number;
  higherIsBetter: boolean;
  /** `Fisher` (of shares) or `unpaired z` if samples are missing: only large differences are told apart then. */
  test: PairedTest | (Omit<PairedTest, "test"> & { test: "Fisher" | "unpaired z" });
}

/**
 * Compares the scores that both runs have.
 * @throws {DataError} if they have none, or scored different documents.
 */
export function compareRuns(a: SavedRun, b: SavedRun): ScoreComparison[] {
  const rows = a.tasks.flatMap((task) => {
    const other = b.tasks.find(({ name }) => name === task.name);
    return other === undefined ? [] : compareTask(task, other, `${a.file} and ${b.file}`);
  });
  if (rows.length > 0) return rows;
  const names = (run: SavedRun) => run.tasks.map(({ name }) => name).join(", ");
  throw new DataError(`no score in common: ${a.file} has ${names(a)}; ${b.file} has ${names(b)}`);
}

function compareTask(a: SavedTask, b: SavedTask, files: string): ScoreComparison[] {
  return a.scores.flatMap((score) => {
    const other = b.scores.find(({ metric, filter }) => metric === score.metric && filter === score.filter);
    if (other === undefined) return [];
    const { metric, filter, higherIsBetter } = score;
    const paired = a.samples && b.samples && pairedTest(a.samples, b.samples, score, `task ${a.name} of ${files}`);
    const test = paired && fits(paired, score.value, other.value) ? paired : unpairedTest(score, other);
    return [{ task: a.name, metric, filter, a: score.value, b: other.value, higherIsBetter, test }];
  });
}

function pairedTest(
  a: readonly SavedSample[],
  b: readonly SavedSample[],
  { metric, filter }: SavedScore,
  where: string,
): PairedTest | null {
  const scored = (samples: readonly SavedSample[]) =>
    new Map(
      samples
        .filter((sample) => sample.filter === filter && (sample.metrics[metric] ?? null) !== null)
        .map((sample) => [sample.key, sample]),
    );
  const [left, right] = [scored(a), scored(b)];
  if (left.size === 0 && right.size === 0) return null;
  const values: [SampleMetric[], SampleMetric[]] = [[], []];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [one, other] = [left.get(key), right.get(key)];
    if (!one || !other || one.docHash !== other.docHash) {
      throw new DataError(`${where}: not the same documents (${key}), so nothing can be paired`);
    }
    values[0].push(one.metrics[metric]);
    values[1].push(other.metrics[metric]);
  }
  return testOf(metric, values[0], values[1]);
}

/** The test that fits a metric; null for one whose score is made in a way that is not known here. */
function testOf(metric: string, a: readonly SampleMetric[], b: readonly SampleMetric[]): PairedTest | null {
  const aggregation = namedAggregation(metricDefinition(metric).aggregation);
  const all = [...a, ...b];
  if (canAggregate(aggregation, all)) {
    return aggregation.name === "mean"
      ? pairedMeans(a as number[], b as number[])
      : pairedBootstrap(a, b, (items) => aggregation.score(items));
  }
  // Several judgements of one answer count one by one, but are drawn together.
  if (all.every((value) => Array.isArray(value) && value.every((entry) => typeof entry === "boolean"))) {
    return pairedBootstrap(a as readonly boolean[][], b as readonly boolean[][], (items) =>
      mean(items.flat().map((entry) => (entry ? 1 : 0))),
    );
  }
  return null;
}

/** A score that the samples do not give (a group's mean without weights) must not be judged by them. */
function fits(test: PairedTest, a: number, b: number): boolean {
  return Math.abs(test.difference - (b - a)) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b));
}

function unpairedTest(a: SavedScore, b: SavedScore): ScoreComparison["test"] {
  const known = a.standardError !== null && b.standardError !== null;
  const standardError = known ? Math.hypot(a.standardError!, b.standardError!) : null;
  const difference = b.value - a.value;
  const [rightA, rightB] = [rightAnswers(a), rightAnswers(b)];
  if (rightA !== null && rightB !== null) {
    const pValue = fisherExact(rightA, a.documents!, rightB, b.documents!);
    return { test: "Fisher", difference, standardError, pValue, documents: 0, onlyA: null, onlyB: null };
  }
  const pValue = standardError === null || standardError === 0 ? null : normalPValue(difference / standardError);
  return { test: "unpaired z", difference, standardError, pValue, documents: 0, onlyA: null, onlyB: null };
}

/** How many documents are right, if the score is the share of these; null if it is something else. */
function rightAnswers({ metric, value, documents, standardError }: SavedScore): number | null {
  if (documents === undefined || metricDefinition(metric).aggregation !== "mean") return null;
  const right = Math.round(value * documents);
  const spread = documents < 2 ? null : Math.sqrt((value * (1 - value)) / (documents - 1));
  const isSpread = spread === standardError || Math.abs((spread ?? 0) - (standardError ?? 1)) < 1e-6;
  return Math.abs(right - value * documents) < 1e-6 && isSpread ? right : null;
}

const signed = (value: number) => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(4)}`;

/** In words, with names for the two runs. */
export function verdict(
  { test: { pValue, difference }, higherIsBetter }: ScoreComparison,
  a: string,
  b: string,
): string {
  if (pValue === null) return "not known";
  if (pValue >= 0.05) return "no difference";
  return `${difference > 0 === higherIsBetter ? b : a} is better`;
}

/** Lines to print. */
export function comparisonLines(a: SavedRun, b: SavedRun, rows: readonly ScoreComparison[]): string[] {
  const header = [
    "Task",
    "Metric",
    "Filter",
    "a",
    "b",
    "b - a",
    "Stderr",
    "Only a",
    "Only b",
    "p",
    "Test",
    "At p < 0.05",
  ];
  const table = rows.map((row) => [
    row.task,
    row.metric,
    row.filter,
    row.a.toFixed(4),
    row.b.toFixed(4),
    signed(row.test.difference),
    row.test.standardError?.toFixed(4) ?? "N/A",
    row.test.onlyA === null ? "" : String(row.test.onlyA),
    row.test.onlyB === null ? "" : String(row.test.onlyB),
    row.test.pValue === null ? "N/A" : row.test.pValue < 1e-4 ? "<0.0001" : row.test.pValue.toFixed(4),
    row.test.test,
    verdict(row, "a", "b"),
  ]);
  const lines = [`a: ${a.modelName} (${a.file})`, `b: ${b.modelName} (${b.file})`, ...textTable(header, table)];
  const unpaired = new Set(
    rows.map(({ test }) => test.test).filter((name) => name === "Fisher" || name === "unpaired z"),
  );
  if (unpaired.size > 0) {
    lines.push(
      `${[...unpaired].join(", ")}: no samples beside both results files (--log_samples) that give the score, so nothing is paired`,
    );
  }
  if (rows.length > 1) lines.push(`${rows.length} tests: expect one in 20 to fall below 0.05 by chance`);
  return lines;
}
