import { describe, expect, it } from "vitest";
import { trainBpe } from "../../src/tokenizer/bpe_trainer.ts";
import { GrowingArray, IntegerLists } from "../../src/tokenizer/growing_arrays.ts";
import { PairQueue } from "../../src/tokenizer/pair_queue.ts";
import { memoryLimits, WordCounter } from "../../src/tokenizer/word_counts.ts";

describe("WordCounter", () => {
  it("counts, and names the setting before the memory is full", () => {
    const counter = new WordCounter({ heap: 20_000, total: 1e9 });
    for (const word of ["a", "b", "a"]) counter.add(word);
    counter.check(3);
    expect([...counter.counts]).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
    for (let i = 0; i < 100; i++) counter.add(`word ${i}`);
    expect(() => counter.check(12_345)).toThrow(
      /^the first 12345 characters have 102 different words, .* tokenizer\.max_training_characters=9000, or give Node a larger heap/,
    );
    const outside = new WordCounter({ heap: 1e9, total: 1000 });
    outside.add("a word of some length");
    expect(() => outside.check(21)).toThrow(/tokenizer\.max_training_characters=16$/);
  });

  it("knows the limits of the process", () => {
    const { heap, total } = memoryLimits();
    expect(heap).toBeGreaterThan(1e7);
    expect(total).toBeGreaterThan(1e8);
  });
});

describe("GrowingArray, IntegerLists, PairQueue", () => {
  it("grow and keep what is in them", () => {
    const array = new GrowingArray(new Float64Array(0));
    for (let i = 0; i < 3000; i++) array.push(i / 2);
    expect([array.length, array.values[2999]]).toEqual([3000, 1499.5]);
  });

  it("lists of any length, taken and filled again", () => {
    const lists = new IntegerLists();
    const expected = [1, 2, 3, 100, 20_000].map((length) => Array.from({ length }, (_, i) => 7 * i + length));
    for (let round = 0; round < 3; round++) {
      const numbers = expected.map(() => lists.add());
      for (let i = 0; i < 20_000; i++) {
        for (const [list, values] of expected.entries()) if (i < values.length) lists.append(numbers[list], values[i]);
      }
      expect(numbers.map((list) => lists.last(list))).toEqual(expected.map((values) => values.at(-1)));
      expect(numbers.map((list) => lists.take(list))).toEqual(expected);
      expect(numbers.map((list) => lists.last(list))).toEqual(expected.map(() => -1));
    }
  });

  it("pairs by count, then by their order", () => {
    const queue = new PairQueue((a, b) => a < b);
    const entries = Array.from({ length: 500 }, (_, i) => ({ pair: (i * 7919) % 500, count: (i * 31) % 17 }));
    for (const { pair, count } of entries) queue.push(pair, count);
    const popped = Array.from(entries, () => queue.pop());
    expect(popped).toEqual([...entries].sort((a, b) => b.count - a.count || a.pair - b.pair));
    expect(queue.pop()).toBeUndefined();
  });
});

it("a vocabulary of text without spaces is made", async () => {
  const lines = Array.from({ length: 300 }, (_, i) =>
    String.fromCharCode(...Array.from({ length: 12 }, (_, j) => 0x4e00 + ((i * 131 + j * 37 + i * j) % 300))),
  );
  const { vocabSize } = await trainBpe([lines.join("\n")], { vocabSize: 600 });
  expect(vocabSize).toBe(600);
});
