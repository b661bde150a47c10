/** Two saved runs side by side: each score, its difference, and whether the difference is more than chance. */
import { DataFileError } from "./document_file.ts";
import { bitsPerByte, weightedPerplexity } from "./metrics.ts";
import { normalPValue, type PairedTest, pairedBootstrap, pairedMeans } from "./paired_difference.ts";
import type { SampleMetric } from "./sample.ts";
import type { SavedRun, SavedSample, SavedScore, SavedTask } from "./saved_run.ts";
import { textTable } from "./text_table.ts";

export interface ScoreComparison {
  task: string;
  metric: string;
  filter: string;
  a: number;
  b: number;
  higherIsBetter: boolean;
  /** `unpaired z` if samples are missing: only large differences are told apart then. */
  test: PairedTest | (Omit<PairedTest, "test"> & { test: "unpaired z" });
}

/**
 * Compares the scores that both runs have.
 * @throws {DataFileError} if they have none, or scored different documents.
 */
export function compareRuns(a: SavedRun, b: SavedRun): ScoreComparison[] {
  const rows = a.tasks.flatMap((task) => {
    const other = b.tasks.find(({ name }) => name === task.name);
    return other === undefined ? [] : compareTask(task, other, `${a.file} and ${b.file}`);
  });
  if (rows.length > 0) return rows;
  const names = (run: SavedRun) => run.tasks.map(({ name }) => name).join(", ");
  throw new DataFileError(`no score in common: ${a.file} has ${names(a)}; ${b.file} has ${names(b)}`);
}

function compareTask(a: SavedTask, b: SavedTask, files: string): ScoreComparison[] {
  return a.scores.flatMap((score) => {
    const other = b.scores.find(({ metric, filter }) => metric === score.metric && filter === score.filter);
    if (other === undefined) return [];
    const { metric, filter, higherIsBetter } = score;
    const test =
      (a.samples && b.samples && pairedTest(a.samples, b.samples, score, `task ${a.name} of ${files}`)) ??
      unpairedTest(score, other);
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
        .filter((sample) => sample.filter === filter && sample.metrics[metric] !== undefined)
        .map((sample) => [sample.docId, sample]),
    );
  const [left, right] = [scored(a), scored(b)];
  // A group's score, or one that is not made of the documents' own.
  if (left.size === 0 || right.size === 0) return null;
  const values: [SampleMetric[], SampleMetric[]] = [[], []];
  for (const [docId, sample] of left) {
    const other = right.get(docId);
    if (other === undefined || left.size !== right.size || other.docHash !== sample.docHash) {
      throw new DataFileError(`${where}: not the same documents (document ${docId}), so nothing can be paired`);
    }
    values[0].push(sample.metrics[metric]);
    values[1].push(other.metrics[metric]);
  }
  if (values.flat().every((value) => typeof value === "number")) {
    return pairedMeans(values[0] as number[], values[1] as number[]);
  }
  const aggregate = (items: readonly SampleMetric[]) => {
    const weighted = (items as readonly (readonly [number, number])[]).map(([logLikelihood, weight]) => ({
      logLikelihood,
      weight,
    }));
    return metric === "bits_per_byte" ? bitsPerByte(weighted) : weightedPerplexity(weighted);
  };
  return pairedBootstrap(values[0], values[1], aggregate);
}

function unpairedTest(a: SavedScore, b: SavedScore): ScoreComparison["test"] {
  const known = a.standardError !== null && b.standardError !== null;
  const standardError = known ? Math.hypot(a.standardError!, b.standardError!) : null;
  const difference = b.value - a.value;
  const pValue = standardError === null || standardError === 0 ? null : normalPValue(difference / standardError);
  return { test: "unpaired z", difference, standardError, pValue, documents: 0, onlyA: null, onlyB: null };
}

const signed = (value: number) => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(4)}`;

function verdict({ test: { pValue, difference }, higherIsBetter }: ScoreComparison): string {
  if (pValue === null) return "not known";
  if (pValue >= 0.05) return "no difference";
  return difference > 0 === higherIsBetter ? "b is better" : "a is better";
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
    verdict(row),
  ]);
  const lines = [`a: ${a.modelName} (${a.file})`, `b: ${b.modelName} (${b.file})`, ...textTable(header, table)];
  if (rows.some(({ test }) => test.test === "unpaired z")) {
    lines.push("unpaired z: no samples beside both results files (--log_samples), so documents cannot be paired");
  }
  if (rows.length > 1) lines.push(`${rows.length} tests: expect one in 20 to fall below 0.05 by chance`);
  return lines;
}
