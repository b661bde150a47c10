/** A run as it was written: a results file of lm-evaluation-harness's shape, and the samples files beside it. */
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { DataError } from "../../data/data_error.ts";
import { readDocumentFile } from "../../data/document_file.ts";
import { systemErrorText } from "../../errors/system_error.ts";
import type { SampleMetric } from "../schema/sample_metric.ts";

const resultsSchema = z.object({
  results: z.record(z.string(), z.record(z.string(), z.unknown())),
  group_subtasks: z.record(z.string(), z.array(z.string())).optional(),
  higher_is_better: z.record(z.string(), z.record(z.string(), z.boolean().nullable())).optional(),
  model_name: z.string().optional(),
});

/** A score of the results file. */
export interface SavedScore {
  metric: string;
  filter: string;
  value: number;
  standardError: number | null;
  higherIsBetter: boolean;
  /** That were scored, where the file says it. */
  documents?: number;
}

export interface SavedSample {
  /** Task and number of the document. */
  key: string;
  docHash: string;
  filter: string;
  metrics: Record<string, SampleMetric>;
}

export interface SavedTask {
  name: string;
  scores: SavedScore[];
  /** A group's are those of its tasks. Null if there is no samples file. */
  samples: SavedSample[] | null;
}

export interface SavedRun {
  file: string;
  modelName: string;
  tasks: SavedTask[];
}

/**
 * @param place a results file, or a folder (of `--output_path`, or of the model in it) for the newest one inside
 * @throws {DataError} if the file, or a samples file beside it, cannot be read, or the folder has those of several models.
 */
export async function readSavedRun(place: string): Promise<SavedRun> {
  const file = (await isFolder(place)) ? await newestResults(place) : place;
  const json = await readResults(file);
  const samples = new Map<string, SavedSample[] | null>();
  for (const name of Object.keys(json.results)) {
    const samplesFile = samplesBeside(file, name);
    if (samplesFile !== null) samples.set(name, await readSamples(samplesFile, name));
  }
  const tasks = Object.entries(json.results).map(([name, entries]) => ({
    name,
    scores: savedScores(entries, json.higher_is_better?.[name] ?? {}),
    samples: samplesOf(name, samples, json.group_subtasks ?? {}),
  }));
  return { file, modelName: json.model_name ?? path.basename(path.dirname(file)), tasks };
}

const isFolder = (place: string) =>
  stat(place).then(
    (info) => info.isDirectory(),
    () => false,
  );

async function newestResults(folder: string): Promise<string> {
  const files = (await readdir(folder, { recursive: true })).filter((name) =>
    /^results_.*\.json$/.test(path.basename(name)),
  );
  if (files.length === 0) throw new DataError(`${folder}: no results_*.json in this folder`);
  const folders = [...new Set(files.map((name) => path.join(folder, path.dirname(name))))];
  if (folders.length > 1) throw new DataError(`${folder} has results of several models: ${folders.sort().join(", ")}`);
  return path.join(folder, files.sort().at(-1)!);
}

function samplesOf(
  name: string,
  samples: ReadonlyMap<string, SavedSample[] | null>,
  subtasks: Record<string, string[]>,
): SavedSample[] | null {
  const own = samples.get(name);
  if (own) return own;
  const parts = (subtasks[name] ?? []).map((child) => samplesOf(child, samples, subtasks));
  return parts.length === 0 || parts.includes(null) ? null : (parts as SavedSample[][]).flat();
}

async function readResults(file: string): Promise<z.infer<typeof resultsSchema>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new DataError(`cannot read ${file}: ${systemErrorText(error)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${file} is not valid JSON: ${(error as Error).message}`);
  }
  const parsed = resultsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path: place, message } = parsed.error.issues[0];
  throw new DataError(`${file} is not a results file: "${place.join(".")}": ${message}`);
}

/** Entries like `acc,none: 0.5` with their `acc_stderr,none`. */
function savedScores(entries: Record<string, unknown>, higherIsBetter: Record<string, boolean | null>): SavedScore[] {
  return Object.entries(entries).flatMap(([key, value]) => {
    const [metric, filter] = key.split(",");
    if (filter === undefined || metric.endsWith("_stderr") || typeof value !== "number") return [];
    const error = entries[`${metric}_stderr,${filter}`];
    const standardError = typeof error === "number" ? error : null;
    const documents = typeof entries.sample_len === "number" ? entries.sample_len : undefined;
    return [{ metric, filter, value, standardError, higherIsBetter: higherIsBetter[metric] ?? true, documents }];
  });
}

/** `samples_<task>_<time>.jsonl`, the time being that of the results file. */
function samplesBeside(file: string, task: string): string | null {
  const stamp = /_(\d{4}-\d\d-\d\dT[\d.-]+)\.json$/.exec(file)?.[1];
  if (stamp === undefined) return null;
  const samples = path.join(path.dirname(file), `samples_${task}_${stamp}.jsonl`);
  return existsSync(samples) ? samples : null;
}

const sampleSchema = z.looseObject({
  doc_id: z.number(),
  doc_hash: z.string(),
  filter: z.string(),
  metrics: z.array(z.string()),
});

async function readSamples(file: string, task: string): Promise<SavedSample[]> {
  return (await readDocumentFile(file)).map(({ document, place }) => {
    const parsed = sampleSchema.safeParse(document);
    if (!parsed.success) {
      const { path: field, message } = parsed.error.issues[0];
      throw new DataError(`${place}: not a sample: "${field.join(".")}": ${message}`);
    }
    const { doc_id, doc_hash, filter, metrics } = parsed.data;
    const values = Object.fromEntries(metrics.map((metric) => [metric, parsed.data[metric] as SampleMetric]));
    return { key: `${task} ${doc_id}`, docHash: doc_hash, filter, metrics: values };
  });
}
