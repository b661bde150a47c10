/**
 * Where the documents of a task come from, the first that is there:
 *
 *     the files that the task names (`dataset_kwargs.data_files`)
 *     <data-dir>/<task>/<split>.jsonl (or .parquet)
 *     <data-dir>/<data set>/<configuration>/<split>.jsonl
 *     <data-dir>/<data set>/<split>.jsonl, if the data set has one configuration (a file beside the folders of several may
 *       hold the documents of all: every subject of MMLU would be asked the questions of all 57)
 *     the generated world (data set `bitnet-lab/world`)
 *     the Hugging Face Hub, through a function that the caller supplies
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { DataError } from "../../data/data_error.ts";
import { formatOf } from "../../data/data_format.ts";
import { DocumentError, type JsonObject } from "../../data/document.ts";
import { type LocatedDocument, readDocumentFile } from "../../data/document_file.ts";
import { generateWorld, type World } from "../../world/generator.ts";
import type { Task } from "../task/task.ts";
import { withColumnTypes } from "./json_columns.ts";

/** Local paths of the files of one split of a data set, downloaded if need be. */
export type FetchSplit = (dataset: { path: string; config: string | null }, split: string) => Promise<string[]>;

export interface TaskDataOptions {
  /** `--data-dir`. A task without a folder there is an error unless it is generated or names its files. */
  dataDirectory?: string;
  /** Absent: only local and generated data. */
  fetchSplit?: FetchSplit;
}

/** Data sets that are made here. */
const generatedDataset = "bitnet-lab/world";

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
    if (task.dataFiles !== null) return this.read(namedFiles(task, split));
    const folders = dataDirectory === undefined ? [] : localFolders(dataDirectory, task);
    const local = folders
      .flatMap((folder) => ["jsonl", "parquet"].map((type) => path.join(folder, `${split}.${type}`)))
      .find((file) => existsSync(file));
    if (local !== undefined) return this.read([local]);
    if (task.dataset?.path === generatedDataset) return this.generated(task, split);
    if (dataDirectory !== undefined) {
      const expected = folders.map((folder) => path.join(folder, `${split}.jsonl`)).join(" or ");
      throw new DataError(`no data for task ${task.name}: expected ${expected} (or .parquet)`);
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
    const known = this.files.get(key) ?? readDocuments(files);
    this.files.set(key, known);
    return known;
  }

  private generated(task: Task, split: string): LocatedDocument[] {
    this.world ??= generateWorld();
    const name = task.dataset?.config ?? "";
    const splits: Record<string, readonly object[]> | undefined = this.world.tasks[name as keyof World["tasks"]];
    const documents = splits?.[split];
    if (documents === undefined) throw new DataError(`the generated world has no split ${split} of ${name}`);
    return documents.map((document, index) => ({
      document: document as JsonObject,
      place: `generated ${name} ${split} ${index + 1}`,
    }));
  }
}

/** The documents of a split, with the values that `datasets` gives them. */
async function readDocuments(files: readonly string[]): Promise<LocatedDocument[]> {
  const parts: LocatedDocument[][] = [];
  for (const file of files) parts.push(await readDocumentFile(file, { exact: true }));
  const documents = parts.flat();
  if (documents.length === 0) throw new DataError(`${files.join(", ")} holds no document`);
  // Columns of Parquet and Arrow have their types in the file.
  if (!files.every((file) => (formatOf(file)?.format ?? "jsonl") === "jsonl")) return documents;
  const typed = withColumnTypes(documents.map(({ document }) => document));
  return documents.map(({ document, place }, i) => {
    const missing = Object.keys(typed[i]).filter((name) => !Object.hasOwn(document, name));
    return { document: typed[i], place, ...(missing.length > 0 && { missing }) };
  });
}

/** Relative to the working directory, as lm-evaluation-harness reads them, else to the task file. */
function namedFiles(task: Task, split: string): string[] {
  const files = task.dataFiles?.[split];
  if (files === undefined) throw new DataError(`${task.file}: dataset_kwargs.data_files has no split ${split}`);
  return files.map((file) => (existsSync(file) ? file : path.resolve(path.dirname(task.file), file)));
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
