/**
 * Where the documents of a task come from: `<data-dir>/<task>/<split>.jsonl` (or `.parquet`), the generated world for
 * the toy tasks, else the Hugging Face Hub through a function that the caller supplies.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { DataFileError, type LocatedDocument, readDocumentFile } from "./document_file.ts";
import type { JsonObject, Task } from "./task.ts";
import { generateWorld, type World } from "./world/generator.ts";

/** Local paths of the files of one split of a data set, downloaded if need be. */
export type FetchSplit = (dataset: { path: string; config: string | null }, split: string) => Promise<string[]>;

export interface TaskDataOptions {
  /** `--data-dir`. A task without a folder there is an error unless it is generated. */
  dataDirectory?: string;
  /** Absent: only local and generated data. */
  fetchSplit?: FetchSplit;
}

export class TaskData {
  private readonly options: TaskDataOptions;
  private world: World | undefined;

  constructor(options: TaskDataOptions = {}) {
    this.options = options;
  }

  /** @throws {DataFileError} if there is no such data or a file is broken. */
  async documents(task: Task, split: string): Promise<LocatedDocument[]> {
    const { dataDirectory, fetchSplit } = this.options;
    const local = dataDirectory === undefined ? undefined : localFile(dataDirectory, task.name, split);
    if (local !== undefined) return nonEmpty(await readDocumentFile(local), local);
    const generated = this.generated(task.name, split);
    if (generated !== undefined) return generated;
    if (dataDirectory !== undefined) {
      const expected = path.join(dataDirectory, task.name, `${split}.jsonl`);
      throw new DataFileError(`no data for task ${task.name}: expected ${expected} (or .parquet)`);
    }
    if (task.dataset === null || fetchSplit === undefined) {
      throw new DataFileError(
        `task ${task.name} has only local data: put <dir>/${task.name}/${split}.jsonl below --data-dir`,
      );
    }
    const files = await fetchSplit(task.dataset, split);
    const documents = (await Promise.all(files.map(readDocumentFile))).flat();
    return nonEmpty(documents, files.join(", "));
  }

  private generated(task: string, split: string): LocatedDocument[] | undefined {
    if (!task.startsWith("toy_")) return undefined;
    this.world ??= generateWorld();
    const splits: Record<string, readonly object[]> | undefined = this.world.tasks[task as keyof World["tasks"]];
    return splits?.[split]?.map((document, index) => ({
      document: document as JsonObject,
      place: `generated ${task} ${split} ${index + 1}`,
    }));
  }
}

function localFile(directory: string, task: string, split: string): string | undefined {
  if (!existsSync(directory)) throw new DataFileError(`no such folder: ${directory} (--data-dir)`);
  return ["jsonl", "parquet"]
    .map((type) => path.join(directory, task, `${split}.${type}`))
    .find((file) => existsSync(file));
}

function nonEmpty(documents: LocatedDocument[], file: string): LocatedDocument[] {
  if (documents.length === 0) throw new DataFileError(`${file} holds no document`);
  return documents;
}
