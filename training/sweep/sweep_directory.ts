/**
 * The folder of a sweep:
 *
 *     sweep.yaml     the sweep, with its recipe and the axes of the command line: all that is needed to go on
 *     times.json     seconds of an update by arm, if the budget is one of time
 *     runs.json      {@link RunRecord}: which run is which arm and seed
 *     tuned.json     value of the tuned parameter that each arm was given, and what was tried
 *     runs/NAME/     ordinary runs, with float_twin.json where the distance from a float twin was measured
 *     summary.json   see summary.ts
 *     report.md      the same for people
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { makeDirectory } from "../../src/files/make_directory.ts";
import { writeWholeFileSync } from "../../src/files/whole_file.ts";
import { RunDirectory } from "../run_directory.ts";
import type { StepTimes } from "./budget.ts";
import type { MeasuredTwin } from "./float_twin.ts";
import { formatSweep, loadSweep } from "./read_sweep.ts";
import { SweepError } from "./sweep_error.ts";
import type { SweepFile } from "./sweep_schema.ts";
import type { TunedValue } from "./tuned_value.ts";

/** A run of the sweep and where it is. */
export interface RunRecord {
  name: string;
  arm: string;
  seed: number;
  /** `tune`: it chooses the arm's value of the tuned parameter, and counts nowhere else. */
  stage: "tune" | "final";
  /** Value of the tuned parameter. */
  tuned?: number;
  /** Name of its folder in `runs`: another one where a finished run of the same configuration was found. */
  folder: string;
  /** Updates of the whole run. */
  steps: number;
  /** Updates that the sweep wants of it so far: fewer, where it was stopped or waits at a rung. */
  until: number;
}

export class SweepDirectory {
  readonly path: string;

  constructor(directory: string) {
    this.path = directory;
  }

  get runs(): string {
    return path.join(this.path, "runs");
  }
  get sweepFile(): string {
    return path.join(this.path, "sweep.yaml");
  }
  get summaryFile(): string {
    return path.join(this.path, "summary.json");
  }
  get reportFile(): string {
    return path.join(this.path, "report.md");
  }
  private get timesFile(): string {
    return path.join(this.path, "times.json");
  }
  private get tunedFile(): string {
    return path.join(this.path, "tuned.json");
  }
  private twinFile(folder: string): string {
    return path.join(this.runs, folder, "float_twin.json");
  }
  private get recordsFile(): string {
    return path.join(this.path, "runs.json");
  }

  create(): void {
    makeDirectory(this.runs);
  }

  hasSweep(): boolean {
    return existsSync(this.sweepFile);
  }

  /** @throws {SweepError} if there is none. */
  readSweep(): SweepFile {
    if (!this.hasSweep()) throw new SweepError(`${this.path}: there is no sweep in it (no sweep.yaml)`);
    return loadSweep(this.sweepFile);
  }

  writeSweep(sweep: SweepFile): void {
    writeWholeFileSync(this.sweepFile, formatSweep(sweep));
  }

  readTimes(): StepTimes {
    return readJson<StepTimes>(this.timesFile) ?? {};
  }

  writeTimes(times: StepTimes): void {
    writeWholeFileSync(this.timesFile, `${JSON.stringify(times, null, 2)}\n`);
  }

  readRecords(): RunRecord[] {
    return readJson<RunRecord[]>(this.recordsFile) ?? [];
  }

  writeRecords(records: readonly RunRecord[]): void {
    writeWholeFileSync(this.recordsFile, `${JSON.stringify(records, null, 2)}\n`);
  }

  readTuned(): Readonly<Record<string, TunedValue>> {
    return readJson<Record<string, TunedValue>>(this.tunedFile) ?? {};
  }

  writeTuned(tuned: Readonly<Record<string, TunedValue>>): void {
    writeWholeFileSync(this.tunedFile, `${JSON.stringify(tuned, null, 2)}\n`);
  }

  readTwinDistance(folder: string): MeasuredTwin | null {
    return readJson<MeasuredTwin>(this.twinFile(folder));
  }

  writeTwinDistance(folder: string, distance: MeasuredTwin): void {
    writeWholeFileSync(this.twinFile(folder), `${JSON.stringify(distance)}\n`);
  }

  run(folder: string): RunDirectory {
    return new RunDirectory(path.join(this.runs, folder));
  }

  /** Folders that hold a run, sorted. */
  runFolders(): string[] {
    if (!existsSync(this.runs)) return [];
    return readdirSync(this.runs)
      .filter((name) => this.run(name).hasRun())
      .sort();
  }

  /** Folder of a tokenizer that several runs have. */
  tokenizer(key: string): RunDirectory {
    return new RunDirectory(path.join(this.path, "tokenizers", key));
  }
}

/** Null if the file is absent. @throws {SweepError} if it is damaged: it appears whole, so somebody has changed it. */
function readJson<T>(file: string): T | null {
  if (!existsSync(file)) return null;
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    throw new SweepError(`${file}: is no JSON; remove it, and start the sweep again`);
  }
}
