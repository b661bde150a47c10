/**
 * Few-shot examples as lm-evaluation-harness draws them (`api/samplers.py`): one generator per task, seeded once,
 * that draws anew for every document in order; or the first ones of the pool.
 */
import { DataError } from "../../data/data_error.ts";
import type { JsonObject } from "../../data/document.ts";
import type { LocatedDocument } from "../../data/document_file.ts";
import { PythonRandom } from "../../python/random.ts";
import { isEqual } from "../../python/values.ts";
import type { TaskSplits } from "../task/task.ts";

export const defaultFewshotSeed = 1234;

/** Split that the examples come from; undefined if the task has none. */
export function examplesSplit(splits: TaskSplits): string | undefined {
  return splits.fewshot ?? splits.training ?? splits.validation ?? splits.test;
}

/**
 * The draw may hold the test document itself where both come from one split, and - a rule of lm-evaluation-harness
 * 0.4 that its scores depend on - also where neither a few-shot nor a test split is named.
 */
export function mayDrawTestDocument(splits: TaskSplits): boolean {
  return splits.fewshot === splits.test;
}

export interface FewShotOptions {
  /** `first_n` takes the first documents of the pool, in order. */
  sampler?: "default" | "first_n";
  seed?: number;
  /** Named in errors. */
  task?: string;
}

export class FewShotSampler {
  private readonly pool: readonly LocatedDocument[];
  private readonly excludesTestDocument: boolean;
  private readonly takesFirst: boolean;
  private readonly random: PythonRandom;
  private readonly task: string;

  constructor(pool: readonly LocatedDocument[], excludesTestDocument: boolean, options: FewShotOptions = {}) {
    this.pool = pool;
    this.excludesTestDocument = excludesTestDocument;
    this.takesFirst = options.sampler === "first_n";
    this.task = options.task === undefined ? "" : `task ${options.task}: `;
    this.random = new PythonRandom(options.seed ?? defaultFewshotSeed);
  }

  /**
   * Examples for the prompt of `document`.
   * @throws {DataError} if the pool is too small.
   */
  draw(document: JsonObject, count: number): LocatedDocument[] {
    if (count === 0) return [];
    const drawn = this.excludesTestDocument && !this.takesFirst ? count + 1 : count;
    this.checkPool(drawn, count, this.pool);
    const isOther = (example: LocatedDocument) => !isEqual(example.document, document);
    if (this.takesFirst) {
      const pool = this.excludesTestDocument ? this.pool.filter(isOther) : this.pool;
      this.checkPool(count, count, pool);
      return pool.slice(0, count);
    }
    const examples = this.sample(this.pool, drawn);
    if (!this.excludesTestDocument) return examples;
    const others = examples.filter(isOther).slice(0, count);
    if (others.length === count) return others;
    // Several copies of the test document were drawn: draw again from a pool without it.
    const pool = this.pool.filter(isOther);
    this.checkPool(count, count, pool);
    return this.sample(pool, count);
  }

  private checkPool(needed: number, count: number, pool: readonly LocatedDocument[]): void {
    if (needed <= pool.length) return;
    throw new DataError(
      `${this.task}${count} few-shot examples asked for, but there are only ${pool.length} documents`,
    );
  }

  private sample(pool: readonly LocatedDocument[], count: number): LocatedDocument[] {
    return this.random.sampleIndices(pool.length, count).map((index) => pool[index]);
  }
}
