/** What is asked of the model and how answers are judged: rules that the oracle's tasks do not reach. */
import { describe, expect, test } from "vitest";
import { sampleJson } from "../../src/eval/report/result_files.ts";
import { bootstrapStandardError, namedAggregation } from "../../src/eval/score/aggregations.ts";
import { compileExactMatch, mean } from "../../src/eval/score/metrics.ts";
import { findTask } from "../../src/eval/task/task_registry.ts";
import type { GenerateRequest } from "../../src/language_model/language_model.ts";
import { fakeLanguageModel } from "./fake_language_model.ts";
import { evaluateTask, taskOf } from "./task_fixture.ts";
import { taskVectors } from "./task_vectors.ts";

const choice = (metrics: string, ...extra: string[]) =>
  [
    "output_type: multiple_choice",
    "test_split: test",
    "doc_to_text: q",
    "doc_to_target: a",
    "doc_to_choice: c",
    `metric_list: [${metrics}]`,
    ...extra,
  ].join("\n");

describe("classes", () => {
  const pairs = [
    [1, 1],
    [1, 0],
    [0, 1],
    [0, 0],
    [1, 1],
  ] as const;

  test("f1 of class 1, mcc of two and of several classes, by hand", () => {
    // 2 right, 1 missed, 1 wrongly found: 2 * 2 / (4 + 1 + 1); (2 * 1 - 1 * 1) / sqrt(3 * 3 * 2 * 2)
    expect(namedAggregation("f1").score(pairs)).toBeCloseTo(4 / 6, 12);
    expect(namedAggregation("matthews_corrcoef").score(pairs)).toBeCloseTo(1 / 6, 12);
    expect(namedAggregation("f1").score([[0, 0]])).toBe(0);
    expect(namedAggregation("matthews_corrcoef").score([[1, 1]])).toBe(0);
    // Right 3 of 4; classes 2 1 1, predicted 1 2 1: (3 * 4 - 5) / sqrt((16 - 6) (16 - 6))
    const several = [
      ["a", "a"],
      ["a", "b"],
      ["b", "b"],
      ["c", "c"],
    ] as const;
    expect(namedAggregation("matthews_corrcoef").score(several)).toBeCloseTo(0.7, 12);
  });

  test("their standard errors are bootstrapped, reproducibly; brier_score has none", () => {
    const { standardError, score } = namedAggregation("f1");
    const wanted = bootstrapStandardError(score, pairs, 1500);
    expect(standardError(pairs, 1500)).toBe(wanted);
    expect(wanted).toBeGreaterThan(0);
    expect(standardError(pairs.slice(0, 1), 1500)).toBeNull();
    expect(namedAggregation("brier_score").standardError([[0, [1, 0]]], 1500)).toBeNull();
  });

  test("brier_score is the squared distance of the probabilities from the right choice", async () => {
    const task = taskOf(choice("{metric: brier_score}"));
    // Probabilities 3/4 and 1/4.
    const score = (_: string, continuation: string) => (continuation === " a" ? Math.log(3) : 0) - 20;
    const documents = [0, 1].map((a) => ({ q: "q", a, c: ["a", "b"] }));
    const { samples, scores } = await evaluateTask(fakeLanguageModel({ score }), task, { test: documents });
    expect(samples[1].metrics.brier_score).toEqual([1, [expect.closeTo(0.75, 12), expect.closeTo(0.25, 12)]]);
    expect(scores).toEqual([
      {
        metric: "brier_score",
        filter: "none",
        value: expect.closeTo((2 / 16 + 18 / 16) / 2, 12),
        standardError: null,
        higherIsBetter: false,
      },
    ]);
  });

  test("questions that a metric is not defined for are one error before anything is asked", async () => {
    const run = (metric: string, document: object) =>
      evaluateTask(fakeLanguageModel({}), taskOf(choice(`{metric: ${metric}}`)), { test: [document] });
    await expect(run("f1", { q: "q", a: 0, c: ["a", "b", "c"] })).rejects.toThrow(
      /jsonl:1: f1 is of two choices, not 3/,
    );
    await expect(run("mcc", { q: "q", a: [0, 1], c: ["a", "b"] })).rejects.toThrow(/mcc needs one right choice, not 2/);
  });
});

describe("multiple choice", () => {
  const score = (_: string, continuation: string) =>
    ({ " ab": -2, " äää": -2.9, " x": -2, " long one": -9 })[continuation]!;

  test("acc, acc_norm by code points, acc_bytes by UTF-8 bytes; the first of equals wins", async () => {
    const task = taskOf(choice("{metric: acc}, {metric: acc_norm}, {metric: acc_bytes}"));
    const documents = [0, 1, 2].map((a) => ({ q: "q", a, c: ["ab", "äää", "x"] }));
    const { samples } = await evaluateTask(fakeLanguageModel({ score }), task, { test: documents });
    expect(samples.map(({ metrics }) => metrics)).toEqual([
      { acc: 1, acc_norm: 0, acc_bytes: 0 },
      { acc: 0, acc_norm: 1, acc_bytes: 1 },
      { acc: 0, acc_norm: 0, acc_bytes: 0 },
    ]);
  });

  test("several right choices; a right choice given by its text; chance", async () => {
    const task = taskOf(choice("{metric: acc}"));
    const several = await evaluateTask(fakeLanguageModel({ score }), task, {
      test: [{ q: "q", a: [1, 2], c: ["äää", "ab", "x"] }],
    });
    expect([several.scores[0].value, several.chance]).toEqual([1, 2 / 3]);
    const named = await evaluateTask(fakeLanguageModel({ score }), task, {
      test: [{ q: "q", a: "x", c: ["ab", "x"] }],
    });
    expect([named.samples[0].target, named.scores[0].value, named.chance]).toEqual(["x", 0, 0.5]);
  });

  test("mutual information takes off what the choice has without the question", async () => {
    const task = taskOf(choice("{metric: acc}, {metric: acc_mutual_info}"));
    const free = (context: string, continuation: string) =>
      continuation.includes("one") ? (context.includes("q") ? -6 : -9) : context.includes("q") ? -5 : -5.5;
    const { samples } = await evaluateTask(fakeLanguageModel({ score: free }), task, {
      test: [{ q: "q", a: 1, c: ["x", "one"] }],
    });
    expect(samples[0].arguments).toHaveLength(4);
    expect(samples[0].metrics).toEqual({ acc: 0, acc_mutual_info: 1 });
  });
});

describe("one continuation", () => {
  test("lambada: perplexity of the last word and whether it is greedy; the bootstrap's standard error", async () => {
    const task = findTask("lambada_openai");
    const model = fakeLanguageModel({ score: (context) => (context.endsWith("cat") ? -1 : -3) });
    const splits = { test: [{ text: "a cat sat" }, { text: "the dog ran" }] };
    const { samples, scores } = await evaluateTask(model, task, splits, { resamples: 2000 });
    expect(samples[0].arguments).toEqual([["a cat", " sat"]]);
    expect(scores.map(({ metric, value }) => [metric, value])).toEqual([
      ["perplexity", Math.exp(2)],
      ["acc", 0],
    ]);
    expect(scores[0].higherIsBetter).toBe(false);
    expect(scores[0].standardError).toBeGreaterThan(3);
  });

  test("the bootstrap draws as lm-evaluation-harness does", () => {
    const { values, iters, perplexity, stderr } = taskVectors.bootstrap;
    const statistic = (sample: readonly number[]) => Math.exp(-mean(sample));
    expect(statistic(values)).toBeCloseTo(perplexity, 12);
    expect(bootstrapStandardError(statistic, values, iters)).toBeCloseTo(stderr, 10);
  });
});

describe("generation", () => {
  test.each(taskVectors.exact_match)("exact_match of $a and $b, $settings", ({ a, b, settings, equal }) => {
    expect(Number(compileExactMatch(settings)(a, b))).toBe(equal);
  });

  test("triviaqa: any alias, without case and punctuation, after whitespace is removed", async () => {
    const documents = ["moon", "sun", "star"].map((word) => ({
      question: word,
      answer: { aliases: ["The Moon", "Sun!"] },
    }));
    const generate = (context: string) =>
      context.includes("moon") ? "  the moon\nQ" : context.includes("sun") ? " SUN, or" : "x";
    const { samples, scores } = await evaluateTask(
      fakeLanguageModel({ generate, maxLength: 1000 }),
      findTask("triviaqa"),
      {
        validation: documents,
      },
    );
    expect(samples.map(({ filteredResponses }) => filteredResponses[0])).toEqual(["the moon", "SUN", "x"]);
    expect(scores).toMatchObject([{ metric: "exact_match", filter: "remove_whitespace", value: 2 / 3 }]);
  });

  test("filters one after the other", async () => {
    const yaml = [
      "output_type: generate_until",
      "test_split: test",
      "doc_to_text: q",
      'doc_to_target: "{{a}}"',
      "metric_list: [{metric: exact_match}]",
      "filter_list:",
      "  - name: letter",
      "    filter: [{function: regex, regex_pattern: '\\(([a-z])\\)', group_select: 1, fallback: none}, {function: uppercase}, {function: map, mapping_dict: {B: two}, default_value: other}, {function: take_first}]",
    ].join("\n");
    const responses = ["(a) (b)", "(c) (d)", "(a)"];
    const generate = (context: string) => responses[Number(context)];
    const { samples } = await evaluateTask(fakeLanguageModel({ generate, maxLength: 1000 }), taskOf(yaml), {
      test: [0, 1, 2].map((q) => ({ q: String(q), a: "two" })),
    });
    expect(samples.map(({ filteredResponses, metrics }) => [filteredResponses[0], metrics.exact_match])).toEqual([
      ["two", 1],
      ["other", 0],
      ["other", 0],
    ]);
  });

  describe("several answers to a request", () => {
    const yaml = [
      "output_type: generate_until",
      "test_split: test",
      "doc_to_text: q",
      'doc_to_target: "{{a}}"',
      "repeats: 4",
      "filter_list:",
      "  - {name: first, filter: [{function: take_first}]}",
      "  - {name: vote, filter: [{function: lowercase}, {function: majority_vote}, {function: take_first}]}",
      "  - {name: two, filter: [{function: take_first_k, k: 2}, {function: majority_vote}, {function: take_first}]}",
      "  - {name: share, filter: [{function: uppercase}]}",
    ].join("\n");
    const documents = [
      { q: "x", a: "b" },
      { q: "y", a: "C" },
    ];
    const answers: Record<string, string[]> = { x: ["a", "B", "c", "b"], y: ["C", "d", "d", "C"] };

    test("are drawn apart, filtered together, and the same with the same seed", async () => {
      const run = async (seed: number) => {
        const seeds: unknown[] = [];
        const left = structuredClone(answers);
        const generate = (context: string, request: GenerateRequest) => {
          seeds.push(request.seed);
          return left[context].shift()!;
        };
        const generation = { do_sample: true, temperature: 1, max_gen_toks: 4 };
        const model = fakeLanguageModel({ generate });
        return { seeds, ...(await evaluateTask(model, taskOf(yaml), { test: documents }, { seed, generation })) };
      };
      const { seeds, samples, scores } = await run(7);
      expect(new Set(seeds).size).toBe(8);
      expect((await run(7)).seeds).toEqual(seeds);
      expect((await run(70)).seeds).not.toEqual(seeds);
      const ofFirst = samples.filter(({ docId }) => docId === 0);
      expect(ofFirst.map(({ filter, filteredResponses }) => [filter, filteredResponses])).toEqual([
        ["first", ["a"]],
        ["vote", ["b"]],
        ["two", ["a"]],
        ["share", [["A", "B", "C", "B"]]],
      ]);
      expect(sampleJson(ofFirst[3])).toMatchObject({
        resps: [["a", "B", "c", "b"]],
        filtered_resps: [["A", "B", "C", "B"]],
      });
      // The target is "b" in the first document, "C" in the second.
      expect(scores.map(({ filter, value }) => [filter, value])).toEqual([
        ["first", 0.5],
        ["vote", 0.5],
        ["two", 0.5],
        ["share", 0.25],
      ]);
    });

    test("are one where nothing is drawn", async () => {
      let count = 0;
      const model = fakeLanguageModel({ generate: () => String(count++), maxLength: 1000 });
      const { samples } = await evaluateTask(model, taskOf(yaml), { test: documents });
      expect(count).toBe(2);
      expect(samples.find(({ docId }) => docId === 1)!.responses).toEqual([["1", "1", "1", "1"]]);
    });
  });

  test("the settings reach the model: stops with end of text, length, temperature only when sampling", async () => {
    const requests: GenerateRequest[] = [];
    const generate = (_: string, request: GenerateRequest) => {
      requests.push(request);
      return "";
    };
    const splits = { test: [{ question: "x", answer: "#### 1" }] };
    const run = (generation?: object) =>
      evaluateTask(fakeLanguageModel({ generate, maxLength: 1000 }), findTask("gsm8k"), splits, {
        numFewshot: 0,
        generation,
      });
    await run();
    await run({ do_sample: true, temperature: 0.7, top_k: 5, max_gen_toks: 7, until: ["END"] });
    await run({ temperature: 0.7 });
    expect(
      requests.map(({ until, maxTokens, temperature, topK }) => [until.length, maxTokens, temperature, topK]),
    ).toEqual([
      [4, 256, 0, undefined],
      [2, 7, 0.7, 5],
      [4, 256, 0, undefined],
    ]);
  });

  test("a context that is too short for the answer is one error", async () => {
    const run = evaluateTask(
      fakeLanguageModel({ maxLength: 256 }),
      findTask("gsm8k"),
      {
        test: [{ question: "x", answer: "#### 1" }],
      },
      { numFewshot: 0 },
    );
    await expect(run).rejects.toThrow(
      /test\.jsonl:1: max_gen_toks \(256\) must be less than the model's maximum length \(256\)/,
    );
  });

  test("predict_only keeps answers and judges nothing", async () => {
    const { samples, scores } = await evaluateTask(
      fakeLanguageModel({ generate: () => " 7" }),
      findTask("gsm8k"),
      { test: [{ question: "x", answer: "#### 7" }] },
      { numFewshot: 0, predictOnly: true, generation: { max_gen_toks: 9 } },
    );
    expect(samples.map(({ metrics }) => metrics)).toEqual([{ bypass: null }, { bypass: null }]);
    expect(scores.map(({ metric, value, standardError }) => [metric, value, standardError])).toEqual([
      ["bypass", 999, null],
      ["bypass", 999, null],
    ]);
  });
});

test("a samples file has targets and answers in Python's words", async () => {
  const generate = () => " sun.";
  const { samples } = await evaluateTask(fakeLanguageModel({ generate, maxLength: 1000 }), findTask("triviaqa"), {
    validation: [{ question: "x", answer: { aliases: ["The Moon", "it's"] } }],
  });
  const line = sampleJson(samples[0]);
  expect([line.target, line.resps, line.filtered_resps]).toEqual([`['The Moon', "it's"]`, [[" sun"]], ["sun"]]);
  expect(sampleJson({ ...samples[0], filteredResponses: [[-5, true], null] }).filtered_resps).toEqual([
    ["-5.0", "True"],
    "None",
  ]);
});
