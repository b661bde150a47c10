/** Counts the distinct words of texts, within the memory that there is: a text without spaces has as many as it has lines. */

import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import { getHeapStatistics } from "node:v8";
import { ownString } from "./own_string.ts";
import { TokenizerError } from "./tokenizer_json.ts";

/** A `Map` takes no more. */
const mostWords = 2 ** 24 - 1;
/** Bytes of the heap that an entry takes besides its characters, while the table grows. */
const entryBytes = 112;
/** Parts of the heap, and of the memory outside of it, that the words may fill. */
const heapShare = 0.6;
const memoryShare = 0.8;
/** Bytes outside of the heap for each byte of a distinct word while merges are learnt: a symbol, pairs, where they are. */
const learningBytes = 32;

export interface MemoryLimits {
  heap: number;
  total: number;
}

/** Of this process. */
export function memoryLimits(): MemoryLimits {
  const { heap_size_limit, used_heap_size } = getHeapStatistics();
  const constrained = constrainedMemory?.() ?? 0;
  const machine = totalmem();
  const total = constrained > 0 && constrained < machine ? constrained : machine;
  return { heap: heap_size_limit - used_heap_size, total };
}

export class WordCounter {
  readonly counts = new Map<string, number>();
  private readonly limits: MemoryLimits;
  private heap = 0;
  private bytes = 0;

  constructor(limits: MemoryLimits = memoryLimits()) {
    this.limits = limits;
  }

  add(word: string): void {
    const count = this.counts.get(word);
    if (count !== undefined) {
      this.counts.set(word, count + 1);
      return;
    }
    this.counts.set(ownString(word), 1);
    this.heap += entryBytes + 2 * word.length;
    // Not more than three bytes a unit in UTF-8.
    this.bytes += 3 * word.length;
  }

  /** @throws {TokenizerError} if the words counted so far are as many as fit. @param read characters of the texts so far */
  check(read: number): void {
    const { heap, total } = this.limits;
    const isHeap = this.heap > heapShare * heap;
    if (!isHeap && this.bytes * learningBytes <= memoryShare * total && this.counts.size < mostWords) return;
    const fewer = Math.max(1, Math.floor((0.8 * read) / 10 ** digits(read))) * 10 ** digits(read);
    const larger = isHeap ? ", or give Node a larger heap (NODE_OPTIONS=--max-old-space-size=4096)" : "";
    throw new TokenizerError(
      `the first ${read} characters have ${this.counts.size} different words, more than fit into memory to learn a vocabulary from: set tokenizer.max_training_characters=${fewer}${larger}`,
    );
  }
}

/** Zeros that a number is rounded to: two digits stay. */
const digits = (value: number) => Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
