/**
 * The n-grams of the test documents, and which of them a corpus has. A corpus of any size streams past; memory is that of
 * the test documents.
 *
 * Word hashes w1, w2, ... are summed as P_k = P_(k-1) * B + w_k (mod 2^32), so the last n words have the hash P_k - P_(k-n)
 * * B^n. Two such sums make 64 bits: between 10^10 words of corpus and 10^6 n-grams a chance match has probability 5e-4.
 */
import { type OnWord, WordStream } from "./word_stream.ts";

/** As GPT-3's authors and lm-evaluation-harness use it. */
export const ngramWords = 13;
/** A text with fewer words than 13 counts as a whole; with fewer than these it says nothing (GPT-3, appendix C). */
export const fewestWords = 8;

const baseA = 0x9e3779b1 | 1;
const baseB = 0x85ebca6b | 1;
/** P_k of the last words, in a ring. */
const ring = 16;

function powers(base: number): Int32Array {
  const values = new Int32Array(ngramWords + 1).fill(1);
  for (let i = 1; i < values.length; i++) values[i] = Math.imul(values[i - 1], base);
  return values;
}
const powersA = powers(baseA);
const powersB = powers(baseB);

/** Hashes of the n-grams of a stream of words. */
class NgramHasher {
  private readonly sumsA = new Int32Array(ring);
  private readonly sumsB = new Int32Array(ring);
  /** Words since the beginning of the text. */
  count = 0;
  hashA = 0;
  hashB = 0;

  restart(): void {
    this.count = 0;
    this.sumsA[0] = 0;
    this.sumsB[0] = 0;
  }

  push(a: number, b: number): void {
    const last = this.count % ring;
    this.count++;
    this.sumsA[this.count % ring] = Math.imul(this.sumsA[last], baseA) + a;
    this.sumsB[this.count % ring] = Math.imul(this.sumsB[last], baseB) + b;
  }

  /** Sets the hashes to those of the last `n` words; there must be so many. */
  hash(n: number): void {
    const [now, before] = [this.count % ring, (this.count - n) % ring];
    this.hashA = (this.sumsA[now] - Math.imul(this.sumsA[before], powersA[n])) | 0;
    this.hashB = (this.sumsB[now] - Math.imul(this.sumsB[before], powersB[n]) + n) | 0;
  }
}

/** A text's n-grams: places in the index, in order. Empty if it is too short. */
export interface IndexedText {
  grams: Int32Array;
  /** Words of each n-gram: 13, or all of a shorter text. */
  words: number;
}

export class NgramIndex {
  /** Lengths that occur. */
  private readonly lengths: number[] = [];
  private keysA = new Int32Array(1 << 12);
  private keysB = new Int32Array(1 << 12);
  /** Number of the n-gram + 1; 0: free. */
  private slots = new Int32Array(1 << 12);
  private size = 0;
  private seen = new Uint8Array(0);
  private readonly hasher = new NgramHasher();
  private readonly words = new WordStream();
  /** Words of the corpus so far. */
  corpusWords = 0;

  /** Adds a test text. */
  add(text: string): IndexedText {
    const hashes: [number, number][] = [];
    const stream = new WordStream();
    const collect: OnWord = (a, b) => hashes.push([a, b]);
    stream.push(text, collect);
    stream.end(collect);
    const words = Math.min(ngramWords, hashes.length);
    if (words < fewestWords) return { grams: new Int32Array(0), words };
    if (!this.lengths.includes(words)) this.lengths.push(words);
    const hasher = new NgramHasher();
    const grams: number[] = [];
    for (const [a, b] of hashes) {
      hasher.push(a, b);
      if (hasher.count < words) continue;
      hasher.hash(words);
      grams.push(this.insert(hasher.hashA, hasher.hashB));
    }
    return { grams: Int32Array.from(grams), words };
  }

  /** Looks up a part of a corpus document; all test texts must have been added. */
  scan(text: string): void {
    if (this.seen.length < this.size) this.seen = new Uint8Array(this.size);
    this.words.push(text, this.lookUp);
  }

  /** The corpus document is over: n-grams do not span documents. */
  endDocument(): void {
    if (this.seen.length < this.size) this.seen = new Uint8Array(this.size);
    this.words.end(this.lookUp);
    this.hasher.restart();
  }

  /** The first n-gram of the text that the corpus has, as its place in the text; -1 if there is none. */
  firstSeen({ grams }: IndexedText): number {
    return grams.findIndex((gram) => this.seen[gram] === 1);
  }

  private readonly lookUp: OnWord = (a, b) => {
    const { hasher, lengths } = this;
    this.corpusWords++;
    hasher.push(a, b);
    for (let i = 0; i < lengths.length; i++) {
      if (hasher.count < lengths[i]) continue;
      hasher.hash(lengths[i]);
      const number = this.slots[this.slot(hasher.hashA, hasher.hashB)];
      if (number > 0) this.seen[number - 1] = 1;
    }
  };

  /** Where a key is, or would be. */
  private slot(a: number, b: number): number {
    const mask = this.slots.length - 1;
    let slot = (a ^ (a >>> 15) ^ Math.imul(b, 0x2545f491)) & mask;
    while (this.slots[slot] !== 0 && (this.keysA[slot] !== a || this.keysB[slot] !== b)) slot = (slot + 1) & mask;
    return slot;
  }

  private insert(a: number, b: number): number {
    const slot = this.slot(a, b);
    if (this.slots[slot] !== 0) return this.slots[slot] - 1;
    this.keysA[slot] = a;
    this.keysB[slot] = b;
    this.slots[slot] = ++this.size;
    if (2 * this.size > this.slots.length) this.grow();
    return this.size - 1;
  }

  private grow(): void {
    const { keysA, keysB, slots } = this;
    const length = 2 * slots.length;
    this.keysA = new Int32Array(length);
    this.keysB = new Int32Array(length);
    this.slots = new Int32Array(length);
    for (let i = 0; i < slots.length; i++) {
      if (slots[i] === 0) continue;
      const slot = this.slot(keysA[i], keysB[i]);
      this.keysA[slot] = keysA[i];
      this.keysB[slot] = keysB[i];
      this.slots[slot] = slots[i];
    }
  }
}
