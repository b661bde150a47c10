/** Significance of differences, against values worked out by hand, and saved runs side by side. */
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseSeeds } from "../../../cli/eval/seeds.ts";
import { TaskData } from "../../../src/eval/data/task_data.ts";
import { evaluate } from "../../../src/eval/evaluator.ts";
import {
  mcNemarExact,
  normalPValue,
  pairedBootstrap,
  pairedMeans,
} from "../../../src/eval/report/paired_difference.ts";
import { writeResultFiles } from "../../../src/eval/report/result_files.ts";
import { resultsJson } from "../../../src/eval/report/results.ts";
import { compareRuns, comparisonLines } from "../../../src/eval/report/run_comparison.ts";
import { readSavedRun } from "../../../src/eval/report/saved_run.ts";
import type { Metrics } from "../../../src/eval/schema/sample_metric.ts";
import { findTask } from "../../../src/eval/task/task_registry.ts";
import { fakeLanguageModel } from "../fake_language_model.ts";

describe("tests", () => {
  test("McNemar's exact test is the binomial test of the documents that differ", () => {
    // 2 (C(20,0) + ... + C(20,5)) / 2^20
    expect(mcNemarExact(5, 15)).toBeCloseTo((2 * 21700) / 2 ** 20, 12);
    expect(mcNemarExact(15, 5)).toBe(mcNemarExact(5, 15));
    expect(mcNemarExact(0, 6)).toBeCloseTo(2 / 64, 12);
    expect([mcNemarExact(0, 0), mcNemarExact(7, 7)]).toEqual([1, 1]);
    expect(mcNemarExact(4900, 5100)).toBeCloseTo(0.0466, 3);
  });

  test("the normal distribution's tails", () => {
    // NIST's table of the standard normal distribution, twice the upper tail.
    for (const [z, p] of [
      [0, 1],
      [1, 0.317310508],
      [1.959963985, 0.05],
      [3, 0.002699796],
      [-5, 5.733031e-7],
    ]) {
      expect(Math.abs(normalPValue(z) / p - 1)).toBeLessThan(3e-7);
    }
  });

  test("zeros and ones: McNemar; other numbers: paired z", () => {
    const a = [1, 1, 0, 0, 1, 0, 0, 0];
    const b = [1, 0, 1, 1, 1, 1, 1, 0];
    // Differences 0 -1 1 1 0 1 1 0: mean 3/8, sum of squares about it 5 - 9/8.
    const binary = pairedMeans(a, b);
    expect(binary).toMatchObject({ test: "McNemar", onlyA: 1, onlyB: 4, documents: 8, difference: 3 / 8 });
    expect(binary.standardError).toBeCloseTo(Math.sqrt((5 - 9 / 8) / 7 / 8), 12);
    expect(binary.pValue).toBeCloseTo((2 * (1 + 5)) / 32, 12);
    const halves = pairedMeans(
      a.map((value) => value / 2),
      b.map((value) => value / 2),
    );
    expect(halves).toMatchObject({ test: "permutation", onlyA: null });
    // Of the 32 ways to give five halves their signs, 12 sum to three or more, up or down.
    expect(halves.pValue).toBeCloseTo(12 / 32, 12);
    const many = (values: number[]) => [...values, ...values, ...values].map((value) => value / 2);
    const z = pairedMeans(many(a), many(b));
    expect(z.test).toBe("paired z");
    expect(z.pValue).toBeCloseTo(normalPValue(z.difference / z.standardError!), 12);
    expect(pairedMeans([0.5, 0.25], [0.5, 0.25]).pValue).toBe(1);
    expect(pairedMeans([1], [0])).toMatchObject({ standardError: null, pValue: null });
  });

  test("metrics of classes are drawn with their documents; values of another kind are not", () => {
    const saved = (file: string, values: unknown[], score: number) => ({
      file,
      modelName: file,
      tasks: [
        {
          name: "t",
          scores: [{ metric: "f1", filter: "none", value: score, standardError: 0.1, higherIsBetter: true }],
          samples: values.map((f1, i) => ({ key: `t ${i}`, docHash: "", filter: "none", metrics: { f1 } as Metrics })),
        },
      ],
    });
    const right = Array.from({ length: 40 }, (_, i) => [i % 2, i % 2]);
    const half = right.map(([gold], i) => [gold, i < 20 ? gold : 1 - gold]);
    const [row] = compareRuns(saved("a", half, 0.5), saved("b", right, 1));
    expect(row.test).toMatchObject({ test: "paired bootstrap", difference: 0.5, documents: 40 });
    expect(row.test.pValue).toBeLessThan(0.01);
    const text = right.map(() => "[0 1]");
    expect(compareRuns(saved("a", text, 0.5), saved("b", text, 0.5))[0].test.test).toBe("unpaired z");
  });

  test("the bootstrap of a mean agrees with the paired z test", () => {
    const a = Array.from({ length: 200 }, (_, i) => Math.sin(i) * 3);
    const b = a.map((value, i) => value + 0.1 + Math.cos(7 * i));
    const mean = (items: readonly number[]) => items.reduce((sum, value) => sum + value, 0) / items.length;
    const [drawn, exact] = [pairedBootstrap(a, b, mean), pairedMeans(a, b)];
    expect(drawn.difference).toBeCloseTo(exact.difference, 12);
    expect(drawn.standardError! / exact.standardError!).toBeCloseTo(1, 1);
    expect(Math.abs(drawn.pValue! - exact.pValue!)).toBeLessThan(0.03);
    expect(pairedBootstrap(a, b, mean)).toEqual(drawn);
  });
});

describe("saved runs", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "bitnet-compare-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  const settings = { numFewshot: null, limit: null, genKwargs: null, seeds: parseSeeds("0") };

  /** Evaluates a model that prefers the answers of the given first letters, and saves the run. */
  async function save(name: string, tasks: string[], score: (text: string) => number, limit = 60) {
    const model = { ...fakeLanguageModel({ score: (_, continuation) => score(continuation) }), name };
    const data = path.join(directory, "data");
    mkdirSync(path.join(data, "rolling"), { recursive: true });
    const page = (i: number) =>
      `${JSON.stringify({ page: `${"word ".repeat(3 + i)}end`, text: `${"word ".repeat(3 + i)}end` })}\n`;
    writeFileSync(path.join(data, "rolling/test.jsonl"), Array.from({ length: 12 }, (_, i) => page(i)).join(""));
    const results = await evaluate(
      model,
      tasks.map((name) => findTask(name)),
      new TaskData({ dataDirectory: data }),
      { limit },
    );
    const json = resultsJson(model, results, settings, 0);
    return (await writeResultFiles(path.join(directory, "out"), name, json, results, true)).results;
  }

  const short = (text: string) => -text.length;
  const long = (text: string) => text.length / 100;

  test("are paired by document, with each metric's own test", async () => {
    const tasks = ["toy_arc", "rolling"];
    const a = await readSavedRun(await save("short", tasks, short));
    const b = await readSavedRun(await save("long", tasks, long));
    const rows = compareRuns(a, b);
    expect(rows.map(({ task, metric, test: { test, documents } }) => [task, metric, test, documents])).toEqual([
      ["toy_arc", "acc", "McNemar", 60],
      ["toy_arc", "acc_norm", "McNemar", 60],
      ["rolling", "word_perplexity", "permutation", 12],
      ["rolling", "byte_perplexity", "permutation", 12],
      ["rolling", "bits_per_byte", "permutation", 12],
    ]);
    for (const { a: left, b: right, test: paired } of rows) {
      expect(paired.difference / (right - left || 1)).toBeCloseTo(right === left ? 0 : 1, 9);
    }
    // Far fewer bits: better although the score is lower.
    expect(rows[4].b).toBeLessThan(rows[4].a);
    const lines = comparisonLines(a, b, rows);
    expect(lines[0]).toBe(`a: short (${a.file})`);
    expect(lines.find((line) => line.includes("bits_per_byte"))).toContain("b is better");
    expect(lines.at(-1)).toBe("5 tests: expect one in 20 to fall below 0.05 by chance");
    const same = compareRuns(a, a);
    expect(same.every(({ test: { pValue, difference } }) => pValue === 1 && difference === 0)).toBe(true);
  });

  test("without samples fall back on the standard errors, and say so", async () => {
    const a = await save("one", ["toy_arc"], short);
    const b = await save("two", ["toy_arc"], long);
    unlinkSync(b.replace("results_", "samples_toy_arc_").replace(".json", ".jsonl"));
    const [left, right] = [await readSavedRun(a), await readSavedRun(b)];
    const rows = compareRuns(left, right);
    expect(rows.map(({ test: { test } }) => test)).toEqual(["Fisher", "Fisher"]);
    expect(comparisonLines(left, right, rows).join("\n")).toContain("Fisher: no samples beside both results files");
  });

  test("may be named by a folder: the newest results in it, of one model", async () => {
    const folder = mkdtempSync(path.join(directory, "by_folder_"));
    const written = async (where: string, time: string) => {
      mkdirSync(path.join(folder, where), { recursive: true });
      const file = path.join(folder, where, `results_${time}.json`);
      copyFileSync(await save("one", ["toy_arc"], short), file);
      return file;
    };
    await expect(readSavedRun(folder)).rejects.toThrow(`${folder}: no results_*.json in this folder`);
    const newest = await written("model", "2026-11-30T22-00-00.000000");
    await written("model", "2026-11-29T23-00-00.000000");
    expect((await readSavedRun(folder)).file).toBe(newest);
    expect((await readSavedRun(path.join(folder, "model"))).file).toBe(newest);
    await written("other", "2026-11-30T22-00-00.000000");
    await expect(readSavedRun(folder)).rejects.toThrow(`${folder} has results of several models: `);
  });

  test("that cannot be compared are one error", async () => {
    const a = await save("left", ["toy_arc"], short);
    const fewer = await save("fewer", ["toy_arc"], short, 50);
    const other = await save("other", ["toy_piqa"], short);
    const [left, right, third] = [await readSavedRun(a), await readSavedRun(fewer), await readSavedRun(other)];
    expect(() => compareRuns(left, right)).toThrow(/^task toy_arc of .* not the same documents \(toy_arc \d+\)/);
    expect(() => compareRuns(left, third)).toThrow(/^no score in common: .* has toy_arc; .* has toy_piqa$/);
    const text = path.join(directory, "text.json");
    writeFileSync(text, "results");
    await expect(readSavedRun(text)).rejects.toThrow(`${text} is not valid JSON: `);
    writeFileSync(text, "{}");
    await expect(readSavedRun(text)).rejects.toThrow(`${text} is not a results file: "results": `);
    await expect(readSavedRun(path.join(directory, "none.json"))).rejects.toThrow("none.json: no such file or folder");
    appendFileSync(a.replace("results_", "samples_toy_arc_").replace(".json", ".jsonl"), "{}\n");
    await expect(readSavedRun(a)).rejects.toThrow(/samples_toy_arc_.*\.jsonl:61: not a sample: "doc_id": /);
  });
});
