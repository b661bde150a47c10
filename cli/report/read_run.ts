/** Reads what a report shows from the folder of a run; what cannot be read is a note, except the metrics. */
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { messageOf, UserError } from "../../src/errors/user_error.ts";
import { readTextFile } from "../../src/files/text_file.ts";
import type {
  MatrixPicture,
  MetricPoint,
  ReportedRun,
  SamplePoint,
  TelemetryPoint,
} from "../../src/report/run/run_data.ts";
import { RunDirectory } from "../../training/run_directory.ts";

/** A folder that a report cannot be made of. */
export class ReportError extends UserError {
  override name = "ReportError";
}

export interface ReadRunOptions {
  /** Look into the newest checkpoint, too. */
  weights: boolean;
}

/** True for a folder that `bitnet-train` has begun a run in. */
const isRun = (directory: string) => new RunDirectory(directory).hasRun();

/** Rows of a JSONL file, without a last line that is being written; none if it is absent. @throws {ReportError} */
function readReportRows<Row>(file: string): Row[] {
  if (!existsSync(file)) return [];
  const lines = readTextFile(file).split("\n");
  // What follows the last newline is empty, or unfinished.
  lines.pop();
  return lines.map((line, i) => {
    try {
      return JSON.parse(line) as Row;
    } catch {
      throw new ReportError(`${file}:${i + 1}: not valid JSON`);
    }
  });
}

function* leaves(value: unknown, key: string): Generator<[key: string, value: unknown]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) yield [key, value];
  else for (const [name, inner] of Object.entries(value)) yield* leaves(inner, key === "" ? name : `${key}.${name}`);
}

/** Values by key path, as they stand there: also of a run whose configuration this version would refuse. */
function readConfig(file: string): Map<string, unknown> {
  try {
    return new Map(leaves(parse(readTextFile(file)), ""));
  } catch (error) {
    throw new ReportError(`${file}: ${messageOf(error)}`);
  }
}

function checkRun(directory: string): void {
  if (!existsSync(directory)) throw new ReportError(`${directory}: no such folder`);
  if (!statSync(directory).isDirectory()) throw new ReportError(`${directory} is a file: name the folder of a run`);
  if (!isRun(directory)) throw new ReportError(`${directory} is no run: there is no config.yaml in it`);
}

/** Pictures of the newest checkpoint; what stands in the way is a note. */
async function weightsOf(directory: string, notes: string[]): Promise<MatrixPicture[]> {
  if (!existsSync(path.join(directory, "checkpoints", "latest"))) {
    notes.push("no checkpoint yet, so nothing of its weights");
    return [];
  }
  try {
    // With tfjs, which nothing else of a report needs.
    const { readCheckpointPictures } = await import("./checkpoint_pictures.ts");
    return await readCheckpointPictures(directory);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    notes.push(`nothing of its weights: ${error.message}`);
    return [];
  }
}

/** @throws {ReportError} for a folder that is no run, one without metrics, and damaged files */
export async function readRun(directory: string, name: string, options: ReadRunOptions): Promise<ReportedRun> {
  checkRun(directory);
  const files = new RunDirectory(directory);
  const config = readConfig(files.configFile);
  const metrics = readReportRows<MetricPoint>(files.metricsFile);
  if (metrics.length === 0) throw new ReportError(`${directory}: the run has no metrics yet`);
  const notes: string[] = [];
  const maxSteps = Number(config.get("training.max_steps") ?? 0);
  const last = metrics[metrics.length - 1].step;
  if (last < maxSteps) notes.push(`unfinished: ${last} of ${maxSteps} steps`);
  return {
    name,
    directory: path.resolve(directory),
    maxSteps,
    config,
    changes: readReportRows(path.join(directory, "changes.jsonl")),
    environment: files.readEnvironment(),
    metrics,
    samples: readReportRows<SamplePoint>(files.samplesFile),
    telemetry: readReportRows<TelemetryPoint>(path.join(directory, "telemetry.jsonl")),
    weights: options.weights ? await weightsOf(directory, notes) : [],
    notes,
  };
}
