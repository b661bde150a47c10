/** Whole evaluations with a model whose answers are known, on files written here. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultSeeds } from "../../cli/eval/seeds.ts";
import { TaskData } from "../../src/eval/data/task_data.ts";
import { evaluate } from "../../src/eval/evaluator.ts";
import { writeResultFiles } from "../../src/eval/report/result_files.ts";
import { resultsJson } from "../../src/eval/report/results.ts";
import { findTask } from "../../src/eval/task/task_registry.ts";
import { fakeLanguageModel } from "./fake_language_model.ts";
import { goldenDirectory } from "./golden_lm_eval.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "bitnet-eval-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Writes `<directory>/<folder>/<task>/<split>.jsonl` and returns the data directory. */
function write(folder: string, task: string, split: string, lines: (object | string)[]): string {
  const data = path.join(directory, folder);
  mkdirSync(path.join(data, task), { recursive: true });
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  writeFileSync(path.join(data, task, `${split}.jsonl`), `${text}\n`);
  return data;
}

const arc = (question: string, text: string[], answerKey: string) => ({
  id: question,
  question,
  choices: { text, label: ["A", "B", "C", "D"].slice(0, text.length) },
  answerKey,
});

describe("multiple choice", () => {
  const questions = [
    arc("Which is round?", ["a ball", "a box", "a very long wooden plank", "a brick"], "A"),
    arc("Which is long?", ["a ball", "a plank"], "B"),
  ];

  test("acc takes the likeliest choice, acc_norm the likeliest per character; chance is averaged", async () => {
    const dataDirectory = write("mc", "arc_easy", "test", questions);
    const scores: Record<string, number> = {
      " a ball": -4,
      " a box": -6,
      " a very long wooden plank": -5,
      " a brick": -8,
    };
    const model = fakeLanguageModel({ score: (_, continuation) => scores[continuation] ?? -20 });
    const [result] = await evaluate(model, [findTask("arc_easy")], new TaskData({ dataDirectory }));
    expect(result.samples.map(({ metrics }) => metrics)).toEqual([
      { acc: 1, acc_norm: 0 },
      { acc: 0, acc_norm: 0 },
    ]);
    expect(result.scores).toEqual([
      { metric: "acc", filter: "none", value: 0.5, standardError: 0.5, higherIsBetter: true },
      { metric: "acc_norm", filter: "none", value: 0, standardError: 0, higherIsBetter: true },
    ]);
    expect(result.chance).toBe((1 / 4 + 1 / 2) / 2);
    expect(result.samples[0].arguments[2]).toEqual(["Question: Which is round?\nAnswer:", " a very long wooden plank"]);
  });

  test("few-shot examples come from the training split, solved", async () => {
    const dataDirectory = write("shots", "arc_easy", "test", questions.slice(0, 1));
    write("shots", "arc_easy", "train", [arc("Which is red?", ["grass", "blood"], "B")]);
    const [result] = await evaluate(fakeLanguageModel({}), [findTask("arc_easy")], new TaskData({ dataDirectory }), {
      numFewshot: 1,
    });
    expect(result.samples[0].arguments[0][0]).toBe(
      "Question: Which is red?\nAnswer: blood\n\nQuestion: Which is round?\nAnswer:",
    );
  });

  test("limit counts documents, or is a share of them", async () => {
    const data = new TaskData({ dataDirectory: write("limit", "arc_easy", "test", [...questions, ...questions]) });
    for (const [limit, effective] of [
      [3, 3],
      [0.3, 2],
      [99, 4],
    ]) {
      const [result] = await evaluate(fakeLanguageModel({}), [findTask("arc_easy")], data, { limit });
      expect(result.documents).toEqual({ original: 4, effective, leftOut: 0 });
    }
  });
});

test("the results file has every entry of lm-evaluation-harness's, of the same type", async () => {
  const example = JSON.parse(readFileSync(path.join(goldenDirectory, "results_shape_example.json"), "utf8"));
  const dataDirectory = write("shape", "piqa", "validation", [{ goal: "x", sol1: "a", sol2: "b", label: 0 }]);
  const model = fakeLanguageModel({});
  const results = await evaluate(model, [findTask("piqa")], new TaskData({ dataDirectory }));
  const settings = { numFewshot: null, limit: null, genKwargs: null, seeds: defaultSeeds };
  const ours = JSON.parse(JSON.stringify(resultsJson(model, results, settings, 1000)).replaceAll('"piqa"', '"o_piqa"'));
  const kind = (value: unknown) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);
  const missing: string[] = [];
  const compare = (place: string, wanted: Record<string, unknown>, actual: Record<string, unknown>) => {
    for (const [key, value] of Object.entries(wanted)) {
      if (!(key in actual)) missing.push(`${place}${key}`);
      else if (kind(value) === "object") {
        compare(`${place}${key}.`, value as Record<string, unknown>, actual[key] as Record<string, unknown>);
      } else if (value !== null && actual[key] !== null && kind(actual[key]) !== kind(value)) {
        missing.push(`${place}${key}: ${kind(actual[key])}`);
      }
    }
  };
  compare("", example, ours);
  // A single sample has no standard error: lm-evaluation-harness writes "N/A" then, as we do.
  expect(missing).toEqual(["results.o_piqa.acc_stderr,none: string", "results.o_piqa.acc_norm_stderr,none: string"]);
});

describe("generation", () => {
  test("stop strings, filters and exact_match; results and samples files", async () => {
    const dataDirectory = write("gen", "gsm8k", "test", [
      { question: "What is 3 + 4?", answer: "3 + 4 = 7.\n#### 7" },
      { question: "What is 10 - 4?", answer: "10 - 4 = 6.\n#### 6" },
    ]);
    const model = fakeLanguageModel({
      generate: (context) => (context.includes("3 + 4") ? " It is 7.\n#### 7\n\nQuestion: #### 8" : " So 6"),
    });
    const data = new TaskData({ dataDirectory });
    const results = await evaluate(model, [findTask("gsm8k")], data, {
      numFewshot: 0,
      generation: { max_gen_toks: 9 },
    });
    expect(results[0].scores.map(({ filter, value }) => [filter, value])).toEqual([
      ["strict-match", 0.5],
      ["flexible-extract", 1],
    ]);

    const settings = { numFewshot: 0, limit: null, genKwargs: { max_gen_toks: 9 }, seeds: defaultSeeds };
    const json = resultsJson(model, results, settings, 1000);
    const written = await writeResultFiles(path.join(directory, "out"), "runs/a:b", json, results, true);
    expect(path.dirname(written.results)).toBe(path.join(directory, "out", "runs__a__b"));
    const saved = JSON.parse(readFileSync(written.results, "utf8"));
    expect(saved.results.gsm8k).toEqual({
      name: "gsm8k",
      alias: "gsm8k",
      sample_len: 2,
      "exact_match,strict-match": 0.5,
      "exact_match_stderr,strict-match": 0.5,
      "exact_match,flexible-extract": 1,
      "exact_match_stderr,flexible-extract": 0,
    });
    expect(saved.configs.gsm8k.generation_kwargs).toEqual({
      until: ["Question:", "</s>", "<|im_end|>"],
      do_sample: false,
      temperature: 0,
      max_gen_toks: 9,
    });
    expect(saved.versions).toEqual({ gsm8k: 3 });
    const lines = readFileSync(written.samples[0], "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatchObject({
      doc_id: 0,
      target: "3 + 4 = 7.\n#### 7",
      resps: [[" It is 7.\n#### 7\n\n"]],
      filtered_resps: ["7"],
      filter: "strict-match",
      metrics: ["exact_match"],
      exact_match: 1,
    });
    expect(lines[0].arguments.gen_args_0.arg_0).toBe("Question: What is 3 + 4?\nAnswer:");
    // lm-evaluation-harness's order, on which its task_hashes depend.
    expect(lines.map(({ filter, doc_id }) => `${filter} ${doc_id}`)).toEqual([
      "strict-match 0",
      "strict-match 1",
      "flexible-extract 0",
      "flexible-extract 1",
    ]);
    expect(lines[1].filtered_resps).toEqual(["[invalid]"]);

    // A samples file that cannot be written does not take the results with it.
    const [result] = results;
    const unwritable = [{ ...result, task: { ...result.task, name: "x".repeat(300) } }];
    const folder = path.join(directory, "kept");
    await expect(writeResultFiles(folder, "m", json, unwritable, true)).rejects.toThrow(
      /^cannot write .*samples_xxx.*: the name is too long$/,
    );
    expect(readdirSync(path.join(folder, "m"))).toEqual([expect.stringMatching(/^results_.*\.json$/)]);
  });
});

test("of a data set with several configurations only the task's own folder is read, not a file with all", async () => {
  const subject = (name: string) => ({ question: name, subject: name, choices: ["1", "2", "3", "4"], answer: 1 });
  const dataDirectory = write("subjects", "mmlu", "test", [subject("anatomy"), subject("virology")]);
  const score = () => evaluate(fakeLanguageModel({}), [findTask("mmlu_anatomy")], new TaskData({ dataDirectory }));
  await expect(score()).rejects.toThrow(
    /no data for task mmlu_anatomy: expected .*mmlu_anatomy.test\.jsonl or .*mmlu.anatomy.test\.jsonl/,
  );
  write("subjects", "mmlu/anatomy", "test", [subject("anatomy")]);
  expect((await score())[0].documents.original).toBe(1);
});

describe("bad data is one error with its place", () => {
  const run = (dataDirectory: string, task = "arc_easy") =>
    evaluate(fakeLanguageModel({}), [findTask(task)], new TaskData({ dataDirectory }));
  const good = arc("Which is round?", ["a ball", "a box"], "A");

  test.each<[string, object | string, RegExp]>([
    ["json", '{"question": ', /^.*test\.jsonl:2: not valid JSON: /],
    ["array", "[1]", /^.*test\.jsonl:2: not a JSON object \(one object a line is expected\)$/],
    [
      "field",
      { question: "x" },
      /^.*test\.jsonl:2: doc_to_choice: .*text.* \(it has no field id, choices, answerKey\)$/,
    ],
    ["key", arc("x", ["a", "b"], "E"), /^.*test\.jsonl:2: doc_to_target: 'E' is not in list$/],
  ])("%s", async (folder, line, message) => {
    await expect(run(write(folder, "arc_easy", "test", [good, line]))).rejects.toThrow(message);
  });

  test("a choice that is longer than the context", async () => {
    const long = arc("Which is round?", ["a ball", "no ".repeat(400)], "A");
    await expect(run(write("long", "arc_easy", "test", [long]))).rejects.toThrow(/test\.jsonl:1: a continuation of/);
  });

  test("no folder, no file, no line", async () => {
    await expect(run(path.join(directory, "nowhere"))).rejects.toThrow(/no such folder: .*nowhere/);
    await expect(run(write("mc", "arc_easy", "test", [good]), "piqa")).rejects.toThrow(
      /no data for task piqa: expected .*piqa.validation\.jsonl \(or \.parquet/,
    );
    await expect(run(write("empty", "arc_easy", "test", []))).rejects.toThrow(/test\.jsonl holds no document/);
    const local = new TaskData();
    await expect(evaluate(fakeLanguageModel({}), [findTask("rolling")], local)).rejects.toThrow("--data-dir");
  });
});

test("Parquet files as the Hub has them", async () => {
  const data = new TaskData({ dataDirectory: path.join(goldenDirectory, "../task_data") });
  const results = await evaluate(
    fakeLanguageModel({}),
    ["arc_easy", "piqa"].map((name) => findTask(name)),
    data,
  );
  expect(results.map(({ samples }) => samples.map(({ target }) => target))).toEqual([[0, 1], [1]]);
  expect(results[0].samples[0].document).toEqual({
    id: "a",
    question: "Which is round?",
    choices: { text: ["a ball", "a box", "a brick"], label: ["1", "2", "3"] },
    answerKey: "1",
  });
  const broken = write("broken", "piqa", "train", []);
  writeFileSync(path.join(broken, "piqa/validation.parquet"), "PAR1 nothing");
  await expect(
    evaluate(fakeLanguageModel({}), [findTask("piqa")], new TaskData({ dataDirectory: broken })),
  ).rejects.toThrow(/validation\.parquet: not a readable Parquet file/);
});

test("data sets of the Hub come through the function that fetches them", async () => {
  const data = write("hub", "any", "test", [arc("Which is round?", ["a ball", "a box"], "A")]);
  const asked: unknown[] = [];
  const fetchSplit = async (dataset: object, split: string) => {
    asked.push(dataset, split);
    return [path.join(data, "any/test.jsonl")];
  };
  const [result] = await evaluate(fakeLanguageModel({}), [findTask("arc_challenge")], new TaskData({ fetchSplit }));
  expect(asked).toEqual([{ path: "allenai/ai2_arc", config: "ARC-Challenge" }, "test"]);
  expect(result.documents.effective).toBe(1);
});

test("toy tasks need no files", async () => {
  const tasks = ["toy_arc", "toy_piqa", "toy_gsm8k"].map((name) => findTask(name));
  const results = await evaluate(fakeLanguageModel({}), tasks, new TaskData());
  expect(results.map(({ numFewshot }) => numFewshot)).toEqual([0, 0, 0]);
  for (const { documents } of results) expect(documents.effective).toBeGreaterThanOrEqual(200);
  expect(results.map(({ chance }) => chance)).toEqual([0.25, 0.5, null]);
});

test("an abort ends the evaluation", async () => {
  const signal = AbortSignal.abort(new Error("interrupted"));
  await expect(evaluate(fakeLanguageModel({}), [findTask("toy_arc")], new TaskData(), { signal })).rejects.toThrow(
    "interrupted",
  );
});

test("an unknown task names the nearest and lists all", () => {
  expect(() => findTask("arc_esay")).toThrow(
    /unknown task "arc_esay"; the nearest is arc_easy \(tasks: arc_challenge, arc_easy, /,
  );
});
