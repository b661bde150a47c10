/** Tasks that run code which the model writes, groups of tasks, and what the tables say of them. */
import { describe, expect, test } from "vitest";
import { UnsafeCodeError } from "../../src/eval/evaluator.ts";
import { passAtK } from "../../src/eval/functions/humaneval.ts";
import { runPythonTest } from "../../src/eval/functions/python_test.ts";
import { scoreGroups } from "../../src/eval/group_scores.ts";
import { groupsTable, leftOutLines, resultsTable } from "../../src/eval/report/results_table.ts";
import { findTask, shippedTasks } from "../../src/eval/task/task_registry.ts";
import { fakeLanguageModel } from "./fake_language_model.ts";
import { evaluateTask } from "./task_fixture.ts";
import { taskVectors } from "./task_vectors.ts";

describe("code that the model writes", () => {
  const problem = {
    prompt: "def f(x):\n",
    test: "def check(c):\n    assert c(1) == 2\n",
    entry_point: "f",
    task_id: "t",
  };

  test("runs only with consent", async () => {
    const run = evaluateTask(fakeLanguageModel({}), findTask("humaneval"), { test: [problem] });
    await expect(run).rejects.toThrow(UnsafeCodeError);
    await expect(run).rejects.toThrow("--confirm_run_unsafe_code");
  });

  test("right and wrong functions, in a process of their own", async () => {
    const generate = (context: string) =>
      context.includes("twice") ? "    return x + 1\n\ndef g(): pass" : "    return 0";
    const documents = [problem, { ...problem, prompt: "# twice\ndef f(x):\n" }];
    const { samples, scores } = await evaluateTask(
      fakeLanguageModel({ generate, maxLength: 4096 }),
      findTask("humaneval"),
      { test: documents },
      { confirmUnsafeCode: true },
    );
    expect(samples[1].filteredResponses).toEqual([["# twice\ndef f(x):\n    return x + 1\n"]]);
    expect(samples.map(({ metrics }) => metrics["pass@1"])).toEqual([0, 1]);
    expect(scores).toMatchObject([{ metric: "pass@1", filter: "create_test", value: 0.5 }]);
  });

  test("endless, exiting, greedy and writing programs fail", async () => {
    const programs = [
      "while True: pass",
      "import sys; sys.exit(0)",
      "import os; os._exit(0)",
      "x = bytearray(2**40)",
      "1/0",
    ];
    expect(await Promise.all(programs.map(runPythonTest))).toEqual([false, false, false, false, false]);
    expect(await runPythonTest("assert 1 + 1 == 2")).toBe(true);
  });

  test("pass@k of several candidates", async () => {
    const candidates = ["x = 1", "x = 2", "x = 1", "x = 3"];
    const { "pass@1": one, "pass@2": two } = await passAtK(candidates, "assert x == 1", [1, 2]);
    // 1 - C(2, k) / C(4, k)
    expect(one).toBeCloseTo(0.5, 12);
    expect(two).toBeCloseTo(1 - 1 / 6, 12);
  });
});

describe("groups", () => {
  const { tasks, groups } = shippedTasks().select(["mmlu"]);
  const result = (index: number, value: number, size: number, standardError: number | null) => ({
    task: tasks[index],
    numFewshot: 0,
    generation: null,
    documents: { original: size, effective: size, leftOut: index },
    scores: [{ metric: "acc", filter: "none", value, standardError, higherIsBetter: true }],
    chance: 0.25,
    chances: null,
    remarks: { truncation: null, problems: [] },
    samples: [],
  });

  test.each(taskVectors.groups)(
    "means and standard errors of $values",
    ({ values, sizes, stderrs, weighted, unweighted }) => {
      const results = values.map((value, i) => result(i, value, sizes[i], stderrs[i]));
      const names = results.map(({ task }) => task.name);
      for (const [weight_by_size, [value, stderr]] of [
        [true, weighted],
        [false, unweighted],
      ] as const) {
        const config = { group: "g", task: names, aggregate_metric_list: [{ metric: "acc", weight_by_size }] };
        const [group] = scoreGroups([{ name: "g", alias: "g", version: "1", config, children: names }], results);
        expect(group.scores[0].value).toBeCloseTo(value, 12);
        expect(group.scores[0].standardError).toBeCloseTo(stderr, 12);
      }
    },
  );

  test("the table indents the parts; groups have one of their own; a part without standard error takes the group's", () => {
    const results = [result(0, 0.5, 10, 0.1), result(1, 1, 30, null)];
    const scored = scoreGroups(
      groups.filter(({ name }) => name === "mmlu_stem" || name === "mmlu"),
      results,
    );
    expect(resultsTable(results, scored)).toBe(`\
|       Tasks        |Version|Filter|n-shot|Metric|   |Value|   |Stderr|
|--------------------|------:|------|-----:|------|---|----:|---|------|
|mmlu                |      2|none  |      |acc   |   |0.875|±  |   N/A|
| - stem             |      2|none  |     0|acc   |↑  |0.875|±  |   N/A|
|  - abstract_algebra|      1|none  |     0|acc   |↑  |0.500|±  |0.1000|
|  - anatomy         |      1|none  |     0|acc   |↑  |1.000|±  |   N/A|`);
    expect(groupsTable(scored)).toContain("|mmlu   |      2|none  |      |acc   |   |0.875|±  |   N/A|");
    expect(groupsTable([])).toBe("");
    // Every metric of the tasks that stand in the group, averaged or not.
    const [a, b] = [result(0, 0.5, 10, 0.1), result(1, 1, 30, 0.1)];
    const loss = { ...a.scores[0], metric: "loss", higherIsBetter: false };
    const mixed = [
      { ...a, scores: [...a.scores, loss] },
      { ...b, scores: [{ ...b.scores[0], higherIsBetter: false }] },
    ];
    const [stem] = scoreGroups(
      groups.filter(({ name }) => name === "mmlu_stem"),
      mixed,
    );
    expect(stem.higherIsBetter).toEqual({ acc: null, loss: false });
    expect(leftOutLines(results)).toEqual(["mmlu_anatomy: 1 of 31 documents are left out (see its task file)"]);
  });
});
