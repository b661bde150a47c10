/** Answers on disk: exact, found again, and safe from whatever ends the process. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { AnswerCache, answerKey } from "../../../src/eval/models/answer_cache.ts";
import { CachedLanguageModel } from "../../../src/eval/models/cached_language_model.ts";
import type { LoglikelihoodRequest } from "../../../src/language_model/language_model.ts";
import { fakeLanguageModel } from "../fake_language_model.ts";

const directory = mkdtempSync(path.join(tmpdir(), "bitnet-cache-"));
afterAll(() => rmSync(directory, { recursive: true }));
let files = 0;
const newFile = () => path.join(directory, `cache_${files++}.jsonl`);

const likelihood = {
  logprob: -0.1 - 0.2,
  isGreedy: true,
  tokenLogprobs: Float32Array.of(-0.1, -0.2, Math.fround(-1e-30)),
};

describe("the file", () => {
  test("gives every answer back bit by bit", async () => {
    const file = newFile();
    const cache = await AnswerCache.open(file);
    cache.add("a", likelihood);
    cache.add("b", " line\nbreak é");
    cache.add("b", "a second answer to the same request is not kept");
    cache.close();
    const again = await AnswerCache.open(file);
    expect([again.size, again.get("a"), again.get("b"), again.get("c")]).toEqual([
      2,
      likelihood,
      " line\nbreak é",
      undefined,
    ]);
    expect(again.warnings).toEqual([]);
    again.close();
  });

  test("cut anywhere loses the last line only, says so, and goes on", async () => {
    const file = newFile();
    const cache = await AnswerCache.open(file);
    cache.add("a", likelihood);
    const whole = readFileSync(file).length;
    cache.add("b", "text");
    cache.close();
    const full = readFileSync(file);
    for (let length = 1; length < full.length; length++) {
      writeFileSync(file, full);
      truncateSync(file, length);
      const cut = await AnswerCache.open(file);
      const torn = full[length - 1] !== 10;
      expect(cut.warnings.length, `cut at ${length}`).toBe(torn ? 1 : 0);
      if (torn) expect(cut.warnings[0]).toMatch(/cache_1\.jsonl: the last line was cut off \(\d+ bytes dropped\)/);
      expect(cut.size).toBe(length < whole ? 0 : 1);
      cut.add("c", "new");
      cut.close();
      const next = await AnswerCache.open(file);
      expect([next.warnings, next.get("c"), next.get("a")]).toEqual([
        [],
        "new",
        length < whole ? undefined : likelihood,
      ]);
      next.close();
    }
  });

  test("with a broken line in the middle names it and keeps the others", async () => {
    const file = newFile();
    const cache = await AnswerCache.open(file);
    cache.add("a", "x");
    cache.close();
    appendFileSync(file, '["b",[1,2,3]]\nnonsense\n["c","z"]\n');
    const again = await AnswerCache.open(file);
    expect(again.warnings).toEqual([`${file}:3 and 1 more of its lines: not an answer, ignored`]);
    expect([again.get("a"), again.get("b"), again.get("c")]).toEqual(["x", undefined, "z"]);
    again.close();
  });

  test("of another kind is refused and left as it is", async () => {
    for (const content of ['{"results": {}}\n', "no line break", "x".repeat(100_000)]) {
      const file = newFile();
      writeFileSync(file, content);
      await expect(AnswerCache.open(file)).rejects.toThrow(`${file} is not a cache of bitnet-eval`);
      expect(readFileSync(file, "utf8")).toBe(content);
    }
    await expect(AnswerCache.open(directory)).rejects.toThrow(`${directory} is a folder, not a cache`);
  });
});

describe("a model with a cache", () => {
  const requests: LoglikelihoodRequest[] = [
    { context: [5, 6], continuation: [7] },
    { context: [5], continuation: [6, 7] },
    { context: [5, 6], continuation: [7] },
  ];

  test("is asked once for each request, in this run and the next", async () => {
    const file = newFile();
    const asked: number[] = [];
    const inner = fakeLanguageModel({});
    const counting = {
      ...inner,
      loglikelihood: (...call: Parameters<typeof inner.loglikelihood>) => {
        asked.push(call[0].length);
        return inner.loglikelihood(...call);
      },
    };
    const first = new CachedLanguageModel(counting, await AnswerCache.open(file), "m");
    const done: number[] = [];
    const answers = await first.loglikelihood(requests, { onDone: (count) => done.push(count) });
    expect(answers).toEqual(await inner.loglikelihood(requests));
    expect([asked, done]).toEqual([[2], [3]]);
    first.dispose();

    const second = new CachedLanguageModel(counting, await AnswerCache.open(file), "m");
    expect(await second.loglikelihood([...requests, { context: [9], continuation: [9] }])).toHaveLength(4);
    expect([asked, second.hits]).toEqual([[2, 1], 3]);
    second.dispose();

    const other = new CachedLanguageModel(counting, await AnswerCache.open(file), "another model");
    await other.loglikelihood(requests);
    expect(asked).toEqual([2, 1, 2]);
    other.dispose();
  });

  test("keeps what was answered before a failure", async () => {
    const file = newFile();
    const inner = fakeLanguageModel({});
    const failing = {
      ...inner,
      loglikelihood: async (...[given, options]: Parameters<typeof inner.loglikelihood>) => {
        const [answer] = await inner.loglikelihood(given.slice(0, 1));
        options?.onAnswer?.(0, answer);
        throw new Error("out of order");
      },
    };
    const model = new CachedLanguageModel(failing, await AnswerCache.open(file), "m");
    await expect(model.loglikelihood(requests)).rejects.toThrow("out of order");
    model.dispose();
    const cache = await AnswerCache.open(file);
    expect(cache.size).toBe(1);
    expect(cache.get(answerKey("m", ["loglikelihood", [5, 6], [7]]))).toMatchObject({ logprob: -1 });
    cache.close();
  });

  test("tells generations apart by all that they depend on", async () => {
    const inner = fakeLanguageModel({ generate: (_, request) => JSON.stringify(request) });
    const model = new CachedLanguageModel(inner, await AnswerCache.open(newFile()), "m");
    const base = { context: [1], until: ["x"], maxTokens: 3, temperature: 0.5, seed: 1 };
    const variants = [
      base,
      { ...base, seed: 2 },
      { ...base, until: [] },
      { ...base, topK: 2 },
      { ...base, maxTokens: 4 },
    ];
    expect(await model.generateUntil([...variants, ...variants])).toEqual([
      ...variants.map((request) => JSON.stringify(request)),
      ...variants.map((request) => JSON.stringify(request)),
    ]);
    // Greedy text is the same whatever the seed.
    const greedy = [1, 2].map((seed) => ({ ...base, temperature: 0, seed }));
    const [a, b] = await model.generateUntil(greedy);
    expect(b).toBe(a);
    model.dispose();
  });
});
