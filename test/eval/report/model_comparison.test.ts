/** Several models side by side: the printed table and the HTML report. */
import { expect, test } from "vitest";
import { TaskData } from "../../../src/eval/data/task_data.ts";
import { evaluate } from "../../../src/eval/evaluator.ts";
import { scoreGroups, summaryEntries } from "../../../src/eval/group_scores.ts";
import { chanceLines } from "../../../src/eval/report/chance_lines.ts";
import { htmlReport } from "../../../src/eval/report/html_report.ts";
import type { EvaluatedModel } from "../../../src/eval/report/model_comparison.ts";
import { modelComparisonLines, shortNames } from "../../../src/eval/report/model_comparison.ts";
import { mcNemarExact } from "../../../src/eval/report/paired_difference.ts";
import { findTask } from "../../../src/eval/task/task_registry.ts";
import { pValueText } from "../../../src/report/markup.ts";
import { fakeLanguageModel } from "../fake_language_model.ts";

async function evaluated(
  name: string,
  score: (text: string) => number,
  more: Partial<EvaluatedModel> = {},
): Promise<EvaluatedModel> {
  const model = fakeLanguageModel({ score: (_, continuation) => score(continuation) });
  const results = await evaluate(
    model,
    ["toy_arc", "toy_piqa"].map((name) => findTask(name)),
    new TaskData(),
    { limit: 40 },
  );
  const facts = { parameters: null, shape: null, linearBytes: null };
  return { name, facts, speed: null, results, groups: [], seconds: 12.34, ...more };
}

const settings = { numFewshot: null, limit: 40, genKwargs: null, seeds: { random: 0, numpy: 1, torch: 2, fewshot: 3 } };

const models = async () => [
  await evaluated("runs/<a>.gguf", (text) => -text.length, {
    facts: {
      parameters: 2084044800,
      shape: { numHiddenLayers: 30, attentionWidth: 2560, linearWeights: 2084044800, ternary: true },
      linearBytes: 521e6,
    },
    speed: { promptTokens: 512, firstToken: 2, writtenTokens: 127, perToken: 0.029 },
  }),
  await evaluated("http://host/v1 b", (text) => text.length),
];

test("the table has costs, scores and averages; what is not known is a dash", async () => {
  const [a, b] = await models();
  const lines = modelComparisonLines([a, b]);
  const cells = (label: string) =>
    lines
      .find((line) => line.includes(label))!
      .split("|")
      .slice(2, -1)
      .map((cell) => cell.trim());
  expect(lines[0]).toMatch(/\| +<a>\.gguf \| +v1 b \|$/);
  expect(cells("Parameters")).toEqual(["2,084,044,800", "-"]);
  expect(cells("Weights")).toEqual(["0.521 GB", "-"]);
  expect(cells("Prompt, tokens/s")).toEqual(["256", "-"]);
  expect(cells("Written, tokens/s")).toEqual(["34.5", "-"]);
  expect(cells("Written, ms/token")).toEqual(["29.0", "-"]);
  expect(cells("Energy of 512 tokens")).toEqual(["0.028", "-"]);
  expect(cells("Evaluation")).toEqual(["12.3", "12.3"]);
  const score = a.results[0].scores.find(({ metric }) => metric === "acc_norm")!;
  expect(cells("toy_arc (acc_norm)")[0]).toBe(`${score.value.toFixed(4)} ± ${score.standardError!.toFixed(4)}`);
  const average = (model: EvaluatedModel) =>
    model.results.reduce((sum, { scores }) => sum + scores.find(({ metric }) => metric === "acc_norm")!.value, 0) / 2;
  expect(cells("Average")).toEqual([average(a).toFixed(4), average(b).toFixed(4)]);
  expect(new Set(lines.slice(0, -2).map((line) => line.length)).size).toBe(1);
});

test("names are as short as they can be", () => {
  expect(shortNames(["runs/a/m.gguf", "runs/b/m.gguf"])).toEqual(["a/m.gguf", "b/m.gguf"]);
  expect(shortNames(["x/a", "http://h:1/v1 model"])).toEqual(["a", "v1 model"]);
});

test("the report has a bar for every score and a line where guessing is, and is one file", async () => {
  const html = htmlReport(await models(), settings, 0);
  expect(html.match(/class="bar"/g)).toHaveLength(4);
  expect(html.match(/class="chance" style="left:25.00%"/g)).toHaveLength(2);
  expect(html).toContain("&lt;a&gt;.gguf");
  expect(html).not.toMatch(/<script|src=|href=|<a>|https?:\/\/(?!host)/);
  // Every row of a table has a cell for every column.
  for (const table of html.match(/<table>[\s\S]*?<\/table>/g)!) {
    const cells = table.match(/<tr>.*?<\/tr>/g)!.map((row) => row.match(/<t[dh][ >]/g)!.length);
    expect(new Set(cells).size).toBe(1);
  }
});

test("a task with a remark below the table is marked in it", async () => {
  const model = await evaluated("m", (text) => -text.length);
  const [arc, piqa] = model.results;
  const truncation = {
    requests: 40,
    total: 160,
    documents: 10,
    maxLength: 64,
    largest: { context: 60, continuation: 7, tokens: 3 },
    examples: { documents: 1, most: 2 },
  };
  const html = htmlReport(
    [{ ...model, results: [{ ...arc, remarks: { ...arc.remarks, truncation } }, piqa] }],
    settings,
    0,
  );
  expect(html).toContain("<td>toy_arc *</td>");
  expect(html).toContain("<td>toy_piqa</td>");
  expect(html).toContain('<p class="line">* toy_arc: 40 of 160 requests do not fit');
  const both = [
    { ...model, results: [{ ...arc, remarks: { ...arc.remarks, truncation } }, piqa] },
    { ...model, name: "n" },
  ];
  expect(htmlReport(both, settings, 0)).toContain('<p class="line">* m: toy_arc: 40 of');
  expect(html).toContain("examples are lost in 1 document, up to 2 of them");
});

test("the report says how it was asked, what differs by more than chance, and shows right and wrong answers", async () => {
  const both = await models();
  const html = htmlReport(both, { ...settings, systemInstruction: "Be <kind>." }, 0);
  const entries = [...html.matchAll(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g)].map(([, name, value]) => [name, value]);
  expect(entries).toEqual([
    ["date", "1970-01-01 00:00"],
    ["models", "runs/&lt;a&gt;.gguf, http://host/v1 b"],
    ["documents", "the first 40 of each task"],
    ["shots", "those of each task"],
    ["seeds", "3 for examples, 2 for sampled text"],
    ["system message", "Be &lt;kind&gt;."],
  ]);
  const [a, b] = both.map(({ results }) => results[0].samples.map(({ metrics }) => Number(metrics.acc)));
  const count = (wanted: number, given: number) => a.filter((value, i) => value === wanted && b[i] === given).length;
  expect(html).toContain(
    `<td>toy_arc</td><td>acc</td><td>v1 b against &lt;a&gt;.gguf</td><td class="number">${count(0, 1) < count(1, 0) ? "−" : "+"}`,
  );
  expect(html).toContain(pValueText(mcNemarExact(count(1, 0), count(0, 1))));
  // Two right and two wrong answers of each task, of both models.
  expect(html.match(/<details>/g)).toHaveLength(8);
  expect(html.match(/<summary><span class="right">/g)).toHaveLength(4);
  expect(html).toContain("Question:");
  expect(html).toContain("▸");
});

test("a group stands for its tasks; the report's table has both", async () => {
  const model = await evaluated("m", (text) => -text.length);
  const [arc, piqa] = model.results;
  const config = {
    group: "both",
    task: ["toy"],
    aggregate_metric_list: [{ metric: "acc_norm", weight_by_size: false }],
  };
  const group = { name: "both", alias: "both", version: "1", config, children: ["toy_arc", "toy_piqa"] };
  const outer = { ...group, name: "all", config: { ...config, group: "all" }, children: ["both"] };
  const groups = scoreGroups([group, outer], [arc, piqa]);
  const lines = modelComparisonLines([
    { ...model, groups },
    { ...model, name: "n", groups },
  ]);
  expect(lines.filter((line) => line.includes("acc_norm")).map((line) => line.split(" | ")[0])).toEqual([
    expect.stringMatching(/^\| all \(acc_norm\) *$/),
  ]);
  // Chance is averaged as the scores are: 1/4 and 1/2.
  expect(chanceLines(model.results, groups)).toEqual([
    expect.stringMatching(/^all: chance 0\.3750, acc_norm 0\.\d+: /),
  ]);
  const html = htmlReport([{ ...model, groups }], settings, 0);
  expect(html.match(/class="bar"/g)).toHaveLength(1);
  expect(html).toContain("guessing 0.3750");
  expect(html.match(/<td>(\w+)<\/td><td>acc_norm/g)).toHaveLength(4);
  // A group without a score of its own leaves its tasks in their places.
  expect(
    summaryEntries(model.results, scoreGroups([{ ...group, config: { group: "both", task: [] } }], [arc, piqa])).length,
  ).toBe(2);
});
