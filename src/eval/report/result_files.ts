/**
 * Writes what lm-evaluation-harness writes below `--output_path DIR`:
 *
 *     DIR/<model>/results_<time>.json
 *     DIR/<model>/samples_<task>_<time>.jsonl      with --log_samples
 *
 * A path that ends in `.json` names the results file itself; the time goes before its suffix.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import { makeDirectory } from "../../files/make_directory.ts";
import { writeWholeFile } from "../../files/whole_file.ts";
import { pythonStr } from "../../python/values.ts";
import type { TaskResult } from "../evaluator.ts";
import type { Sample } from "../request/sample.ts";
import { documentJson } from "./document_json.ts";
import { fileName, type ResultsJson } from "./results.ts";

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Python's `str` of a number, a boolean or a text; lists keep their shape. */
function sanitize(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sanitize);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return Number.isInteger(value) ? value.toFixed(1) : String(value);
  return pythonStr(value);
}

/** Keys of the arguments: `gen_args_0: { arg_0: context, arg_1: continuation }`. */
function argumentsJson(requests: Sample["arguments"]): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    requests.map((request, i) => [
      `gen_args_${i}`,
      Object.fromEntries(request.map((argument, j) => [`arg_${j}`, argument])),
    ]),
  );
}

/** Ours: what was cut from the left of the prompts, in tokens, and what is wrong with the document. */
function remarksJson({ cuts = [], examplesLost = 0, problems = [] }: Sample): Record<string, unknown> {
  return {
    ...(cuts.length > 0 && {
      truncated: cuts.map(({ request, tokens }) => ({ request, tokens })),
      examples_lost: examplesLost,
    }),
    ...(problems.length > 0 && { problems: problems.map(({ message }) => message) }),
  };
}

/** One line of a samples file. */
export function sampleLine(sample: Sample): string {
  return lineOf(sampleJson(sample));
}

function lineOf({ doc_id, doc, ...rest }: Record<string, unknown>): string {
  return `{"doc_id":${doc_id},"doc":${documentJson(doc, null)},${JSON.stringify(rest).slice(1)}`;
}

/** What a line of a samples file says. */
export function sampleJson(sample: Sample): Record<string, unknown> {
  const target = pythonStr(sample.target);
  return {
    doc_id: sample.docId,
    doc: sample.document,
    target,
    arguments: argumentsJson(sample.arguments),
    resps: sanitize(sample.responses),
    filtered_resps: sanitize(sample.filteredResponses),
    filter: sample.filter,
    metrics: Object.keys(sample.metrics),
    doc_hash: hash(documentJson(sample.document, { indent: 2 })),
    prompt_hash: hash(String(sample.arguments[0][0])),
    target_hash: hash(target),
    ...sample.metrics,
    ...remarksJson(sample),
  };
}

/** `2026-11-21T08-12-33.123000`: local time, colons replaced. */
export function timeStamp(time: Date): string {
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return `${local.toISOString().slice(0, -1).replaceAll(":", "-")}000`;
}

export interface WrittenFiles {
  results: string;
  samples: string[];
}

/** Where `--output_path` wants the files of all models: below it, or beside the `.json` file that it names. */
export function outputFolder(outputPath: string): string {
  return outputPath.endsWith(".json") ? path.dirname(outputPath) : outputPath;
}

/**
 * The results first: they are kept even if the disk has no room for the samples.
 *
 * @param outputPath folder, or file ending in `.json`
 * @param modelName as in the folder's name, characters that file systems refuse replaced
 * @param logSamples also write every sample
 * @throws {FileWriteError}
 */
export async function writeResultFiles(
  outputPath: string,
  modelName: string,
  json: ResultsJson,
  results: readonly TaskResult[],
  logSamples: boolean,
  time: Date = new Date(),
): Promise<WrittenFiles> {
  const isFile = outputPath.endsWith(".json");
  const folder = path.join(outputFolder(outputPath), isFile ? "" : fileName(modelName));
  const stem = isFile ? path.basename(outputPath, ".json") : "results";
  const stamp = timeStamp(time);
  makeDirectory(folder);

  const logged = (logSamples ? results : []).map(({ task, samples }) => ({ task, lines: samples.map(sampleJson) }));
  const taskHashes = Object.fromEntries(
    logged.map(({ task, lines }) => [
      task.name,
      hash(lines.map((line) => `${line.doc_hash}${line.prompt_hash}${line.target_hash}`).join("")),
    ]),
  );
  const written: WrittenFiles = { results: path.join(folder, `${stem}_${stamp}.json`), samples: [] };
  await writeWholeFile(written.results, `${JSON.stringify({ ...json, task_hashes: taskHashes }, null, 2)}\n`);
  for (const { task, lines } of logged) {
    const file = path.join(folder, `samples_${task.name}_${stamp}.jsonl`);
    await writeWholeFile(file, lines.map((line) => `${lineOf(line)}\n`).join(""));
    written.samples.push(file);
  }
  return written;
}
