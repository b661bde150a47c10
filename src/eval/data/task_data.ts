/**
 * Where the documents of a task come from, the first that is there:
 *
 *     the files that the task names (`dataset_kwargs.data_files`)
 *     <data-dir>/<task>/<split>.jsonl (or .parquet, .json, .csv, .jsonl.gz ...)
 *     <data-dir>/<data set>/<configuration>/<split>.jsonl
 *     <data-dir>/<data set>/<split>.jsonl, if the data set has one configuration (a file beside the folders of several may
 *       hold the documents of all: every subject of MMLU would be asked the questions of all 57)
 *     the generated world (data set `bitnet-lab/world`), synthetic probes (`bitnet-lab/probes`)
 *     the Hugging Face Hub, through a function that the caller supplies
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { append } from "../../arrays/large_arrays.ts";
import { DataError } from "../../data/data_error.ts";
import { type DataFormat, formatOf } from "../../data/data_format.ts";
import { DocumentError, type JsonObject } from "../../data/document.ts";
import { type LocatedDocument, readDocumentFile } from "../../data/document_file.ts";
import { findLocalFiles, type LocalFiles, leftOutText } from "../../data/local_files.ts";
import type { OnRemark } from "../../data/row_source.ts";
import { counted } from "../../errors/counted.ts";
import { parseProbe, probeDataset } from "../../probes/registry.ts";
import { generateWorld, type World } from "../../world/generator.ts";
import type { Task } from "../task/task.ts";
import { withCsvColumnTypes } from "./csv_columns.ts";
import { withColumnTypes } from "./json_columns.ts";

/** Local paths of the files of one split of a data set, downloaded if need be. */
export type FetchSplit = (dataset: { path: string; config: string | null }, split: string) => Promise<string[]>;

export interface TaskDataOptions {
  /** `--data-dir`. A task without a folder there is an error unless it is generated or names its files. */
  dataDirectory?: string;
  /** Absent: only local and generated data. */
  fetchSplit?: FetchSplit;
  /** Gets what was left out of the files of a task, or let through. */
  onRemark?: OnRemark;
}

/** The generated world. */
const worldDataset = "bitnet-lab/world";

export class TaskData {
  private readonly options: TaskDataOptions;
  private readonly files = new Map<string, Promise<LocatedDocument[]>>();
  private world: World | undefined;

  constructor(options: TaskDataOptions = {}) {
    this.options = options;
  }

  /**
   * Documents of a split, after the task's `process_docs`, and how many it left out.
   * @throws {DataError} if there is no such data or a file is broken.
   */
  async documents(
    task: Task,
    split: string,
    processDocs: Task["processDocs"] = task.processDocs,
  ): Promise<{ documents: LocatedDocument[]; leftOut: number }> {
    const raw = await this.rawDocuments(task, split);
    if (processDocs === null) return { documents: raw, leftOut: 0 };
    const documents = raw.flatMap(({ document, place, missing }): LocatedDocument[] => {
      try {
        const processed = processDocs(document);
        return processed === null ? [] : [{ document: processed, place, missing }];
      } catch (error) {
        if (error instanceof DocumentError) throw new DataError(`${place}: ${error.message}`);
        throw error;
      }
    });
    if (documents.length === 0) throw new DataError(`task ${task.name} can use no document of split ${split}`);
    return { documents, leftOut: raw.length - documents.length };
  }

  private async rawDocuments(task: Task, split: string): Promise<LocatedDocument[]> {
    const { dataDirectory, fetchSplit } = this.options;
    if (task.dataFiles !== null) return this.read(await this.namedFiles(task, split));
    const folders = dataDirectory === undefined ? [] : localFolders(dataDirectory, task);
    const local = folders.map((folder) => splitFile(folder, split)).find((file) => file !== undefined);
    if (local !== undefined) return this.read([local]);
    if (task.dataset?.path === worldDataset) return this.ofWorld(task, split);
    if (task.dataset?.path === probeDataset) return ofProbe(task.dataset.config ?? "", split);
    if (dataDirectory !== undefined) {
      const expected = folders.map((folder) => path.join(folder, `${split}.jsonl`)).join(" or ");
      throw new DataError(
        `no data for task ${task.name}: expected ${expected} (or .parquet, .json, .csv, .jsonl.gz ...)`,
      );
    }
    if (task.dataset === null || fetchSplit === undefined) {
      throw new DataError(
        `task ${task.name} has only local data: put <dir>/${task.name}/${split}.jsonl below --data-dir`,
      );
    }
    return this.read(await fetchSplit(task.dataset, split));
  }

  /** Read once, though several splits or tasks use them. */
  private async read(files: readonly string[]): Promise<LocatedDocument[]> {
    const key = files.join("\n");
    const known = this.files.get(key) ?? this.readDocuments(files);
    this.files.set(key, known);
    return known;
  }

  /** The documents of a split, with the values that `datasets` gives them. */
  private async readDocuments(files: readonly string[]): Promise<LocatedDocument[]> {
    const { onRemark } = this.options;
    const parts: LocatedDocument[][] = [];
    for (const file of files) parts.push(await readDocumentFile(file, { exact: true, onRemark }));
    const documents = parts.flat();
    if (documents.length === 0) throw new DataError(`${files.join(", ")} holds no document`);
    return withTypes(files, documents);
  }

  /** Relative to the working directory, as lm-evaluation-harness reads them, else to the task file; folders and patterns, too. */
  private async namedFiles(task: Task, split: string): Promise<string[]> {
    const named = task.dataFiles?.[split];
    if (named === undefined) throw new DataError(`${task.file}: dataset_kwargs.data_files has no split ${split}`);
    const files: string[] = [];
    for (const name of named) {
      const beside = path.resolve(path.dirname(task.file), name);
      // A file that is named is read whatever its ending.
      const file = [name, beside].find((place) => statSync(place, { throwIfNoEntry: false })?.isFile());
      const found = file === undefined ? ((await findLocalFiles(name)) ?? (await findLocalFiles(beside))) : null;
      if (file === undefined && found === null) throw new DataError(`${task.file}: no such file: ${name}`);
      append(files, found?.files ?? [file!]);
      if (found !== null) this.options.onRemark?.(`${name}: ${foundText(found)}`);
    }
    return files;
  }

  private ofWorld(task: Task, split: string): LocatedDocument[] {
    this.world ??= generateWorld();
    const name = task.dataset?.config ?? "";
    const splits: Record<string, readonly object[]> | undefined = this.world.tasks[name as keyof World["tasks"]];
    const documents = splits?.[split];
    if (documents === undefined) throw new DataError(`the generated world has no split ${split} of ${name}`);
    return generated(name, split, documents);
  }
}

/** @param notation `addition?digits=3` */
function ofProbe(notation: string, split: string): LocatedDocument[] {
  if (split !== "train" && split !== "test") throw new DataError(`probe ${notation} has no split ${split}`);
  return generated(notation, split, parseProbe(notation).questions(split));
}

function generated(name: string, split: string, documents: readonly object[]): LocatedDocument[] {
  return documents.map((document, index) => ({
    document: document as JsonObject,
    place: `generated ${name} ${split} ${index + 1}`,
  }));
}

/** Types of columns, where the files do not have them: those of JSON and CSV. */
function withTypes(files: readonly string[], documents: LocatedDocument[]): LocatedDocument[] {
  const formats = files.map((file) => formatOf(file)?.format ?? "jsonl");
  const rows = documents.map(({ document }) => document);
  const isOf = (...wanted: DataFormat[]) => formats.every((format) => wanted.includes(format));
  const typed = isOf("jsonl", "text") ? withColumnTypes(rows) : isOf("csv", "tsv") ? withCsvColumnTypes(rows) : null;
  if (typed === null) return documents;
  return documents.map(({ document, place }, i) => {
    const missing = Object.keys(typed[i]).filter((name) => !Object.hasOwn(document, name));
    return { document: typed[i], place, ...(missing.length > 0 && { missing }) };
  });
}

/** `<folder>/<split>` with an ending that is read, JSON Lines and Parquet before others; undefined if there is none. */
function splitFile(folder: string, split: string): string | undefined {
  const first = ["jsonl", "parquet"].map((ending) => `${split}.${ending}`);
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const others = names.filter(
    (name) => name.startsWith(`${split}.`) && /^\.[a-z]+(?:\.[a-z]+)?$/i.test(name.slice(split.length)),
  );
  const name = [...first.filter((file) => names.includes(file)), ...others].find((file) => {
    const format = formatOf(file);
    return format !== null && format.format !== "text";
  });
  return name === undefined ? undefined : path.join(folder, name);
}

/** What a folder or pattern gave. */
function foundText({ files, leftOut }: LocalFiles): string {
  const read = `${counted(files.length, "file")} read`;
  return leftOut.length === 0 ? read : `${read}, left out ${leftOutText(leftOut)}`;
}

/** Names that data sets of a single configuration give it. */
const onlyConfigs: readonly (string | null)[] = [null, "default", "main"];

function localFolders(directory: string, { name, dataset }: Task): string[] {
  if (!existsSync(directory)) throw new DataError(`no such folder: ${directory} (--data-dir)`);
  const folders = [name];
  if (dataset !== null) {
    const { path: id, config } = dataset;
    const folder = id.split("/").at(-1)!;
    if (config) folders.push(path.join(folder, config));
    if (onlyConfigs.includes(config)) folders.push(folder);
  }
  return [...new Set(folders)].map((folder) => path.join(directory, folder));
}
