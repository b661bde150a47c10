/** What is wrong with requests and documents is counted and said, or with `strict` an error. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { defaultSeeds } from "../../cli/eval/seeds.ts";
import { StrictError } from "../../src/eval/evaluator.ts";
import { writeResultFiles } from "../../src/eval/report/result_files.ts";
import { resultsJson } from "../../src/eval/report/results.ts";
import { resultsTable, tableRemarks } from "../../src/eval/report/results_table.ts";
import { fakeLanguageModel, tinyTokenizer } from "./fake_language_model.ts";
import { evaluateTask, taskOf, temporaryFolder } from "./task_fixture.ts";

const questions = `
output_type: multiple_choice
test_split: test
doc_to_text: "{{q}}"
doc_to_target: y
doc_to_choice: "{{c}}"
metric_list: [{metric: acc}, {metric: exact_match}]
`;
const sky = (y: unknown) => ({ q: "sky?", c: ["blue", "red", "green"], y });
/** Takes the last choice, and all that ends in "en" for greedy. */
const model = fakeLanguageModel({ score: (_, continuation) => (continuation.endsWith("green") ? -1 : -2) });

describe("prompts longer than the context", () => {
  const long = { q: "word ".repeat(90), c: ["yes", "no"], y: 0 };
  const short = { q: "sky?", c: ["yes", "no"], y: 0 };
  const small = fakeLanguageModel({ maxLength: 40 });
  const tokens = tinyTokenizer().encode(long.q.trimEnd()).length;
  const [yes, no] = long.c.map((choice) => tinyTokenizer().encode(`${long.q} ${choice}`).length - tokens);
  const cutOf = (continuation: number) => tokens + continuation - 41;
  const most = Math.max(yes, no);

  test("are counted in the table, the results and the samples", async () => {
    const task = taskOf(questions);
    const lines: string[] = [];
    const result = await evaluateTask(small, task, { test: [short, long] }, { onRemark: (line) => lines.push(line) });
    const line =
      `mine: 2 of 4 requests do not fit: combined length of context (${tokens}) and continuation (${most}) exceeds model's ` +
      `maximum length (40): truncating up to ${cutOf(most)} tokens from the left`;
    expect(lines).toEqual([line]);
    expect(resultsTable([result])).toContain("|mine *|");
    expect(tableRemarks([result])).toEqual([`* ${line}`]);

    const settings = { numFewshot: null, limit: null, genKwargs: null, seeds: defaultSeeds };
    const json = resultsJson(small, [result], settings, 0);
    expect(json.truncated).toEqual({
      mine: {
        requests: 2,
        of_requests: 4,
        documents: 1,
        max_length: 40,
        largest: { context: tokens, continuation: most, tokens_cut: cutOf(most) },
        documents_that_lost_examples: 0,
        examples_lost: 0,
      },
    });
    const { samples } = await writeResultFiles(temporaryFolder(), "m", json, [result], true);
    const [first, second] = readFileSync(samples[0], "utf8")
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(first).not.toHaveProperty("truncated");
    expect(second.truncated).toEqual([
      { request: 0, tokens: cutOf(yes) },
      { request: 1, tokens: cutOf(no) },
    ]);
  });

  test("count the examples that are lost", async () => {
    const task = taskOf(`${questions}training_split: train\nnum_fewshot: 3\n`);
    const example = { q: "one two three four five six seven eight nine ten?", c: ["yes", "no"], y: 1 };
    const tiny = fakeLanguageModel({ maxLength: 30 });
    const { remarks, samples } = await evaluateTask(tiny, task, { test: [short], train: [example, example, example] });
    expect(remarks.truncation?.examples).toEqual({ documents: 1, most: 2 });
    expect(samples[0].examplesLost).toBe(2);
    expect(tableRemarks([{ task, remarks } as never])[0]).toMatch(/examples are lost in 1 document, up to 2 of them$/);
  });

  test("of generated answers leave room for these", async () => {
    const task = taskOf("output_type: generate_until\ntest_split: test\ndoc_to_text: q\ndoc_to_target: q\n");
    const { remarks } = await evaluateTask(small, task, { test: [long] }, { generation: { max_gen_toks: 8 } });
    expect(remarks.truncation?.largest).toEqual({
      context: tokens + 1,
      continuation: 8,
      tokens: tokens + 1 - 32,
      request: 0,
    });
  });

  test("are an error with strict, and nothing is asked", async () => {
    const run = evaluateTask(small, taskOf(questions), { test: [long] }, { strict: true });
    await expect(run).rejects.toThrow(StrictError);
    await expect(run).rejects.toThrow(/^mine: 2 of 2 requests do not fit: .* \(strict\)$/);
  });
});

describe("labels that are none of the choices (lm-evaluation-harness 0.4.13's scores)", () => {
  test("count as wrong; -1 is the last choice for exact_match", async () => {
    const { scores, samples, remarks, chance } = await evaluateTask(model, taskOf(questions), {
      test: [sky(0), sky(2), sky(3), sky(-1)],
    });
    expect(samples.map(({ metrics }) => metrics.acc)).toEqual([0, 1, 0, 0]);
    expect(scores[0].value).toBe(0.25);
    // Guessing cannot get the last two right.
    expect(chance).toBeCloseTo((1 / 3 + 1 / 3) / 4, 12);
    expect(remarks.problems).toMatchObject([{ kind: "label", of: "documents", count: 2 }]);
    expect(tableRemarks([{ task: taskOf(questions), remarks } as never])[0]).toMatch(
      /^\* mine: 2 documents with a label that is none of the choices, first .*test\.jsonl:3: the label 3 of 3 choices is not one of them$/,
    );
    expect(samples[2].problems).toHaveLength(1);
  });

  test.each([
    [["0", "1"], 2],
    [["green", "A"], 1],
    [[null, 2], 1],
    [[[2, 7], [0]], 1],
    // One column: both are floats.
    [[2.5, 1], 2],
  ])("%j", async (labels, count) => {
    const { remarks } = await evaluateTask(model, taskOf(questions), { test: labels.map(sky) });
    expect(remarks.problems).toMatchObject([{ kind: "label", count }]);
  });

  test("a float that is a whole number is the index, and said", async () => {
    const { samples, remarks } = await evaluateTask(model, taskOf(questions), { test: [sky(2), sky(0), sky(0.5)] });
    expect(samples.map(({ metrics }) => metrics.acc)).toEqual([1, 0, 0]);
    expect(remarks.problems).toMatchObject([{ kind: "label", count: 3 }]);
  });

  test("of an example counts from the end below 0; beyond them it is an error", async () => {
    const task = taskOf(`${questions}fewshot_split: dev\nnum_fewshot: 1\n`);
    const { samples, remarks } = await evaluateTask(model, task, { test: [sky(0)], dev: [sky(-1)] });
    expect(samples[0].arguments[0][0]).toBe("sky? green\n\nsky?");
    expect(remarks.problems).toMatchObject([{ kind: "label", of: "examples", count: 1 }]);
    const beyond = evaluateTask(model, task, { test: [sky(0)], dev: [sky(3)] });
    await expect(beyond).rejects.toThrow(/dev\.jsonl:1: the target 3 is not one of the 3 choices/);
  });

  test("are an error with strict", async () => {
    const run = evaluateTask(model, taskOf(questions), { test: [sky(0), sky(3)] }, { strict: true });
    await expect(run).rejects.toThrow(/^mine: 1 document with a label .*test\.jsonl:2: the label 3 .*\(strict\)$/);
  });
});

test("a missing field is shown as None where the prompt has it, and counted only there", async () => {
  const task = taskOf(questions.replace("{{q}}", "{{q}}{% if hint %} ({{hint}}){% endif %}"));
  const documents = [sky(0), { c: ["blue", "red"], y: 0 }, { ...sky(1), hint: "up", id: 7 }];
  const { samples, remarks } = await evaluateTask(model, task, { test: documents });
  expect(samples.map(({ arguments: [[context]] }) => context)).toEqual(["sky?", "None", "sky? (up)"]);
  expect(remarks.problems).toMatchObject([{ kind: "field", count: 1, first: { message: 'there is no field "q"' } }]);
});

test("an answer without a token is certain", async () => {
  const task = taskOf(`${questions}target_delimiter: ""\n`);
  const { samples, remarks } = await evaluateTask(model, task, {
    test: [{ q: "sky?", c: ["blue", ""], y: 1 }],
  });
  expect(samples[0].responses[1]).toEqual([[0, true]]);
  expect(samples[0].metrics).toEqual({ acc: 1, exact_match: 1 });
  expect(remarks.problems).toMatchObject([{ kind: "token", count: 1 }]);
});
