/** The table against what pytablewriter 1.2 prints for the same rows (lm-evaluation-harness's `make_table`). */
import { expect, test } from "vitest";
import type { Score } from "../../../src/eval/aggregate.ts";
import type { TaskResult } from "../../../src/eval/evaluator.ts";
import { resultsTable } from "../../../src/eval/report/results_table.ts";
import { findTask } from "../../../src/eval/task/task_registry.ts";

function result(task: string, numFewshot: number, scores: [string, string, number, number | null][]): TaskResult {
  return {
    task: findTask(task),
    numFewshot,
    generation: null,
    documents: { original: 100, effective: 100, leftOut: 0 },
    chance: 0.25,
    chances: null,
    remarks: { truncation: null, problems: [] },
    samples: [],
    scores: scores.map(
      ([metric, filter, value, standardError]): Score => ({
        metric,
        filter,
        value,
        standardError,
        higherIsBetter: !/perplexity|bits/.test(metric),
      }),
    ),
  };
}

test("several tasks and filters", () => {
  const results = [
    result("arc_easy", 0, [
      ["acc", "none", 0.16, 0.05237],
      ["acc_norm", "none", 0.16, 0.05237],
    ]),
    result("gsm8k", 5, [
      ["exact_match", "strict-match", 0, 0],
      ["exact_match", "flexible-extract", 0, 0],
    ]),
  ];
  expect(resultsTable(results)).toBe(`\
| Tasks  |Version|     Filter     |n-shot|  Metric   |   |Value|   |Stderr|
|--------|------:|----------------|-----:|-----------|---|----:|---|-----:|
|arc_easy|      1|none            |     0|acc        |↑  | 0.16|±  |0.0524|
|        |       |none            |     0|acc_norm   |↑  | 0.16|±  |0.0524|
|gsm8k   |      3|flexible-extract|     5|exact_match|↑  | 0.00|±  |0.0000|
|        |       |strict-match    |     5|exact_match|↑  | 0.00|±  |0.0000|`);
});

test("a column that begins with a word is one of words", () => {
  const results = [
    result("boolq", 0, [
      ["a", "none", 0.25, null],
      ["b", "none", 0.5, 0.1373],
      ["c", "none", 1, 12.2],
      ["d", "none", 0, 0],
    ]),
  ];
  expect(resultsTable(results)).toBe(`\
|Tasks|Version|Filter|n-shot|Metric|   |Value|   |Stderr |
|-----|------:|------|-----:|------|---|----:|---|-------|
|boolq|      2|none  |     0|a     |↑  | 0.25|±  |   N/A |
|     |       |none  |     0|b     |↑  | 0.50|±  |0.1373 |
|     |       |none  |     0|c     |↑  | 1.00|±  |12.2000|
|     |       |none  |     0|d     |↑  | 0.00|±  |0.0000 |`);
});

test("no standard error", () => {
  const results = [
    result("rolling", 0, [
      ["word_perplexity", "none", 153122.33552, null],
      ["byte_perplexity", "none", 8.81370387, null],
      ["bits_per_byte", "none", 3.13974842, null],
    ]),
  ];
  expect(resultsTable(results)).toBe(`\
| Tasks |Version|Filter|n-shot|    Metric     |   |   Value   |   |Stderr|
|-------|------:|------|-----:|---------------|---|----------:|---|------|
|rolling|      1|none  |     0|bits_per_byte  |↓  |     3.1397|±  |   N/A|
|       |       |none  |     0|byte_perplexity|↓  |     8.8137|±  |   N/A|
|       |       |none  |     0|word_perplexity|↓  |153122.3355|±  |   N/A|`);
});

test("numbers among words, whole numbers", () => {
  expect(
    resultsTable([
      result("piqa", 0, [
        ["acc", "none", 0.5, 0.05],
        ["acc_norm", "none", 1, null],
      ]),
    ]),
  ).toBe(`\
|Tasks|Version|Filter|n-shot| Metric |   |Value|   |Stderr|
|-----|------:|------|-----:|--------|---|----:|---|------|
|piqa |      1|none  |     0|acc     |↑  |  0.5|±  |  0.05|
|     |       |none  |     0|acc_norm|↑  |  1.0|±  |   N/A|`);
  expect(resultsTable([result("piqa", 0, [["acc", "none", 1, 0]])])).toBe(`\
|Tasks|Version|Filter|n-shot|Metric|   |Value|   |Stderr|
|-----|------:|------|-----:|------|---|----:|---|-----:|
|piqa |      1|none  |     0|acc   |↑  |    1|±  |     0|`);
});
