/**
 * Few-shot examples as lm-evaluation-harness draws them (`api/samplers.py`): one generator per task, seeded once,
 * that draws anew for every document in order.
 */
import { DataFileError } from "./document_file.ts";
import { PythonRandom } from "./python_random.ts";
import type { JsonObject, TaskSplits } from "./task.ts";

export const defaultFewshotSeed = 1234;

/** A document with the text of its solved example. */
export interface Example {
  document: JsonObject;
  /** Prompt and answer, without the blank line that follows. */
  text: string;
}

/** Split that the examples come from; undefined if the task has none. */
export function examplesSplit(splits: TaskSplits): string | undefined {
  return splits.fewshot ?? splits.training ?? splits.validation;
}

/**
 * The draw may hold the test document itself where both come from one split, and - a rule of lm-evaluation-harness
 * 0.4 that its scores depend on - also where neither a few-shot nor a test split is named.
 */
export function mayDrawTestDocument(splits: TaskSplits): boolean {
  return splits.fewshot === splits.test;
}

export class FewShotSampler {
  private readonly pool: readonly Example[];
  private readonly excludesTestDocument: boolean;
  private readonly random: PythonRandom;

  constructor(pool: readonly Example[], excludesTestDocument: boolean, seed: number = defaultFewshotSeed) {
    this.pool = pool;
    this.excludesTestDocument = excludesTestDocument;
    this.random = new PythonRandom(seed);
  }

  /**
   * Examples for the prompt of `document`.
   * @throws {DataFileError} if the pool is too small.
   */
  draw(document: JsonObject, count: number): Example[] {
    if (count === 0) return [];
    const drawn = this.excludesTestDocument ? count + 1 : count;
    if (drawn > this.pool.length) {
      throw new DataFileError(`${count} few-shot examples asked for, but there are only ${this.pool.length} documents`);
    }
    const examples = this.sample(this.pool, drawn);
    if (!this.excludesTestDocument) return examples;
    const isOther = (example: Example) => JSON.stringify(example.document) !== JSON.stringify(document);
    const others = examples.filter(isOther).slice(0, count);
    // Several copies of the test document were drawn: draw again from a pool without it.
    return others.length === count ? others : this.sample(this.pool.filter(isOther), count);
  }

  private sample(pool: readonly Example[], count: number): Example[] {
    return this.random.sampleIndices(pool.length, count).map((index) => pool[index]);
  }
}

/** What stands before the question. */
export function fewShotPrefix(examples: readonly Example[]): string {
  return examples.map((example) => `${example.text}\n\n`).join("");
}
