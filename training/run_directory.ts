/**
 * The folder of a run:
 *
 *     config.yaml         resolved configuration, with what was changed on the way
 *     changes.jsonl       {step, changed, key, before, now}, if anything was (see run_changes.ts)
 *     data.json           what the data are, and where they were (see run_sources.ts)
 *     init.json           what `init_from` was, and its loss before the first step (see initial_model.ts)
 *     environment.json    versions, machine, backend, of this start and of all of them
 *     tokenizer.json      the tokenizer, so that a run resumes without its source
 *     metrics.jsonl       one row per logged step (see metrics.ts)
 *     samples.jsonl       {step, prompt, text}
 *     telemetry.jsonl     one row per tensor on the steps of section telemetry (see telemetry/telemetry_row.ts)
 *     telemetry.arrow     the same as a table, as of the newest checkpoint
 *     events.out.tfevents.*    the same for TensorBoard, one file for each start (see tensorboard/)
 *     loss.png            the curves so far
 *     failed.json         {step, reason}, if the loss or a gradient was not finite there
 *     checkpoints/step-00000500/, checkpoints/latest    see training_checkpoint.ts
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { UserError } from "../src/errors/user_error.ts";
import { flushFileSync } from "../src/files/flush.ts";
import { sweepLeftovers } from "../src/files/leftovers.ts";
import { makeDirectory } from "../src/files/make_directory.ts";
import { writeWholeFileSync } from "../src/files/whole_file.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";
import { loadRunConfig } from "./config/load_run_config.ts";
import type { RunConfig } from "./config/run_config.ts";
import { RunConfigError } from "./config/run_config_error.ts";
import type { InitialRecord } from "./initial_record.ts";
import { formatChangedConfig, type RunChange, runChanges } from "./run_changes.ts";
import type { RunData } from "./run_sources.ts";

/** The folder cannot be used for this run; the message says what to do. */
export class RunDirectoryError extends UserError {
  override name = "RunDirectoryError";
}

export class RunDirectory {
  readonly path: string;

  constructor(directory: string) {
    this.path = directory;
  }

  get checkpoints(): string {
    return path.join(this.path, "checkpoints");
  }
  get configFile(): string {
    return path.join(this.path, "config.yaml");
  }
  get tokenizerFile(): string {
    return path.join(this.path, "tokenizer.json");
  }
  get metricsFile(): string {
    return path.join(this.path, "metrics.jsonl");
  }
  get samplesFile(): string {
    return path.join(this.path, "samples.jsonl");
  }
  get telemetryFile(): string {
    return path.join(this.path, "telemetry.jsonl");
  }
  get telemetryTableFile(): string {
    return path.join(this.path, "telemetry.arrow");
  }
  get plotFile(): string {
    return path.join(this.path, "loss.png");
  }

  /** Creates the folders and removes what a process that died half-wrote. */
  create(): void {
    makeDirectory(this.checkpoints);
    sweepLeftovers(this.path);
    sweepLeftovers(this.checkpoints);
  }

  /** True once a run has been started here. */
  hasRun(): boolean {
    return existsSync(this.configFile);
  }

  /** Writes the configuration that the run goes on with after `step` updates; what it changes is kept. */
  writeConfig(config: RunConfig, step = 0): void {
    const changesFile = path.join(this.path, "changes.jsonl");
    const before = this.hasRun() ? this.readConfig() : null;
    for (const change of before === null ? [] : runChanges(before, config, step)) appendRow(changesFile, change);
    writeWholeFileSync(this.configFile, formatChangedConfig(config, readRows<RunChange>(changesFile)));
  }

  /** Null if there is none that this version can read. */
  readConfig(): RunConfig | null {
    try {
      return loadRunConfig(this.configFile);
    } catch (error) {
      if (error instanceof RunConfigError) return null;
      throw error;
    }
  }

  /** Facts of the last start, and of all; null in a folder without. */
  readEnvironment(): Record<string, unknown> | null {
    return readJson(this.environmentFile);
  }

  /** Facts of this start, beside those of the starts before it. */
  writeEnvironment(environment: Record<string, unknown>): void {
    const { starts, ...before } = this.readEnvironment() ?? {};
    // A file of an earlier version knows one start.
    const earlier = Array.isArray(starts) ? starts : Object.keys(before).length > 0 ? [before] : [];
    const all = { ...environment, starts: [...earlier, environment] };
    writeWholeFileSync(this.environmentFile, `${JSON.stringify(all, null, 2)}\n`);
  }

  private get environmentFile(): string {
    return path.join(this.path, "environment.json");
  }
  private get failureFile(): string {
    return path.join(this.path, "failed.json");
  }
  private get initialFile(): string {
    return path.join(this.path, "init.json");
  }
  private get dataFile(): string {
    return path.join(this.path, "data.json");
  }

  writeData(data: RunData): void {
    writeWholeFileSync(this.dataFile, `${JSON.stringify(data, null, 2)}\n`);
  }

  /** Null in a run of before the file. */
  readData(): RunData | null {
    return readJson<RunData>(this.dataFile);
  }

  /** Null in a run that began with random weights. */
  readInitial(): InitialRecord | null {
    return readJson<InitialRecord>(this.initialFile);
  }

  writeInitial(record: InitialRecord): void {
    writeWholeFileSync(this.initialFile, `${JSON.stringify(record, null, 2)}\n`);
  }

  /** Why training stopped for good; null if it did not. */
  readFailure(): RunFailure | null {
    return readJson<RunFailure>(this.failureFile);
  }

  writeFailure(failure: RunFailure): void {
    writeWholeFileSync(this.failureFile, `${JSON.stringify(failure)}\n`);
  }

  /** The run goes on, and may get further this time. */
  forgetFailure(): void {
    rmSync(this.failureFile, { force: true });
  }

  writeTokenizer({ json, config }: Tokenizer): void {
    writeWholeFileSync(this.tokenizerFile, JSON.stringify(json));
    if (config) writeWholeFileSync(path.join(this.path, "tokenizer_config.json"), JSON.stringify(config));
  }
}

/** The update that was not made, and why. */
export interface RunFailure extends StepRow {
  reason: string;
}

/** Null if the file is absent or damaged: what it says is an addition. */
function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    return null;
  }
}

/** A row of a JSONL file; every row of a run says its step. */
export interface StepRow {
  step: number;
}

/** Appends one row. */
export function appendRow<Row extends StepRow>(file: string, row: Row): void {
  appendRows(file, [row]);
}

/** Appends rows in one piece. */
export function appendRows<Row extends StepRow>(file: string, rows: readonly Row[]): void {
  appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

/** Rows of a JSONL file, without a last line that was cut off; none if the file is absent. */
export function readRows<Row extends StepRow>(file: string): Row[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  // What follows the last newline is empty, or a row that the process died in.
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Row);
}

/** Drops the rows after `step`, and a cut-off last line: what a resumed run will write again. */
export function truncateRows(file: string, step: number): void {
  if (!existsSync(file)) return;
  const rows = readRows(file).filter((row) => row.step <= step);
  writeWholeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

/** Forces appended rows to the disk. */
export function syncRows(file: string): void {
  if (existsSync(file)) flushFileSync(file);
}
