/** Task files: what they may say, and one line for each thing that is wrong, with file and line. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TaskData } from "../../../src/eval/data/task_data.ts";
import { evaluate } from "../../../src/eval/evaluator.ts";
import { TaskFileError } from "../../../src/eval/task/task_file.ts";
import { shippedTasks, TaskRegistry, UnknownTaskError } from "../../../src/eval/task/task_registry.ts";
import { fakeLanguageModel } from "../fake_language_model.ts";

let directory: string;
let count = 0;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "bitnet-tasks-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A folder with the files, each a list of lines. */
function folder(files: Record<string, string[]>): string {
  const target = path.join(directory, String(count++));
  mkdirSync(target);
  for (const [name, lines] of Object.entries(files)) writeFileSync(path.join(target, name), `${lines.join("\n")}\n`);
  return target;
}

const mine = [
  "task: mine",
  "output_type: multiple_choice",
  "test_split: test",
  'doc_to_text: "{{q}}"',
  "doc_to_target: a",
  'doc_to_choice: ["yes", "no"]',
  "metric_list:",
  "  - metric: acc",
];

const generating = [
  "task: mine",
  "test_split: test",
  'doc_to_text: "{{q}}"',
  "doc_to_target: a",
  "generation_kwargs: {do_sample: true, temperature: 1}",
  "metric_list: [{metric: exact_match}]",
];

function problem(lines: string[], name = "mine"): string {
  const target = folder({ "mine.yaml": lines });
  try {
    new TaskRegistry([target]).find(name);
  } catch (error) {
    expect(error).toBeInstanceOf(TaskFileError);
    return (error as Error).message.replaceAll(target, "DIR");
  }
  throw new Error("no problem");
}

describe("shipped tasks", () => {
  const { tasks, groups, tags } = shippedTasks().list();

  test("every one compiles, and has a version and a source", () => {
    for (const { task, metadata } of tasks) {
      const { name, version, source } = shippedTasks().find(task);
      expect(name).toBe(task);
      expect([task, metadata?.version]).toEqual([task, version]);
      expect(source).toMatch(/^(lm_eval 0\.4\.13|bitnet-lab)/);
    }
  });

  test("the 57 subjects of mmlu, in four groups", () => {
    const { tasks: chosen, groups: chosenGroups } = shippedTasks().select(["mmlu"]);
    expect(chosen).toHaveLength(57);
    expect(chosenGroups.map(({ name, children }) => [name, children.length])).toEqual([
      ["mmlu_stem", 19],
      ["mmlu_other", 13],
      ["mmlu_social_sciences", 12],
      ["mmlu_humanities", 13],
      ["mmlu", 4],
    ]);
    expect(groups).toHaveLength(5);
  });

  test("names, tags and patterns; each task once", () => {
    const names = (...asked: string[]) =>
      shippedTasks()
        .select(asked)
        .tasks.map(({ name }) => name);
    expect(names("piqa", "ai2_arc", "arc_easy")).toEqual(["piqa", "arc_challenge", "arc_easy"]);
    expect(names("truthfulqa_*")).toEqual(["truthfulqa_mc1", "truthfulqa_mc2"]);
    expect(tags).toContain("mmlu_stem_tasks");
    expect(() => names("no_*")).toThrow("no task matches no_*");
    expect(() => names("mmlu_stm")).toThrow(UnknownTaskError);
  });
});

describe("a task file of one's own", () => {
  test("is found, may take keys from another, may come with others, and may replace a shipped task", () => {
    const target = folder({
      "base.yaml": mine.slice(1),
      "all.yaml": [
        "include: base.yaml",
        "task: first",
        "---",
        "include: base.yaml",
        "task: piqa",
        "tag: ours",
        "---",
        "group: both",
        "task: [first, ours]",
      ],
    });
    const { tasks, groups } = new TaskRegistry([target]).select(["both"]);
    expect(tasks.map(({ name, file }) => [name, path.dirname(file)])).toEqual([
      ["first", target],
      ["piqa", target],
    ]);
    expect(groups[0].children).toEqual(["first", "piqa"]);
  });

  test("has lm-evaluation-harness's defaults", () => {
    const target = folder({
      "a.yaml": ["task: text", "test_split: test", 'doc_to_text: "{{q}}"', "doc_to_target: a", "dataset_kwargs: null"],
      "b.yaml": mine.slice(0, -2),
      "c.yaml": ["group: both", "task: [text, mine]", "aggregate_metric_list:", "  metric: acc"],
    });
    const { tasks, groups } = new TaskRegistry([target]).select(["both"]);
    const metrics = tasks.map(({ outputType, metrics }) => [outputType, ...metrics.map(({ name }) => name)]);
    expect(metrics).toEqual([
      ["generate_until", "exact_match"],
      ["multiple_choice", "acc", "acc_norm"],
    ]);
    expect(groups[0].config.aggregate_metric_list).toEqual([{ metric: "acc" }]);
  });

  test("may leave out what has a default, and hears what has no effect", () => {
    const target = folder({
      "mine.yaml": ["task: mine", "test_split: test", "doc_to_text: q", "doc_to_target: a", "fewshot_config:"].concat([
        "  split: test",
        "  samples: [{q: x, a: y}]",
        "  fewshot_indices: [0]",
      ]),
    });
    const { outputType, metrics, repeats, warnings } = new TaskRegistry([target]).find("mine");
    expect([outputType, metrics.map(({ name }) => name), repeats]).toEqual(["generate_until", ["exact_match"], 1]);
    expect(warnings.map((line) => line.replace(target, "DIR"))).toEqual([
      expect.stringMatching(/^DIR\/mine\.yaml:5: examples come from the split/),
      expect.stringMatching(/^DIR\/mine\.yaml:5: fewshot_indices has no effect/),
    ]);
  });

  test("may leave its examples as they are, whatever it makes of its documents", () => {
    const processed = [...mine, "process_docs: !function hellaswag.process_docs"];
    const examples = (lines: string[]) => new TaskRegistry([folder({ "mine.yaml": lines })]).find("mine").fewshot;
    expect(examples(processed).processDocs).toBeTypeOf("function");
    expect(examples([...processed, "fewshot_config: {split: dev, process_docs: null}"]).processDocs).toBeNull();
  });

  test("may name its data files, beside it", async () => {
    const target = folder({
      "mine.yaml": [...mine, "dataset_path: json", "dataset_kwargs:", "  data_files:", "    test: questions.jsonl"],
      "questions.jsonl": ['{"q": "Is it?", "a": 1}'],
    });
    const task = new TaskRegistry([path.join(target, "mine.yaml")]).find("mine");
    const [result] = await evaluate(fakeLanguageModel({}), [task], new TaskData());
    expect(result.samples[0]).toMatchObject({
      target: 1,
      arguments: [
        ["Is it?", " yes"],
        ["Is it?", " no"],
      ],
    });
  });
});

describe("problems", () => {
  test("an unknown key, with the nearest; also below another", () => {
    expect(problem([...mine, "test_splt: x"])).toBe(
      "DIR/mine.yaml:9: unknown key test_splt; the nearest is test_split",
    );
    expect(problem([...mine, "    higher_is_beter: true"])).toBe(
      "DIR/mine.yaml:9: unknown key metric_list.0.higher_is_beter; the nearest is higher_is_better",
    );
    expect(problem([...mine, "generation_kwargs:", "  max_gen_tokens: 3"])).toBe(
      "DIR/mine.yaml:10: unknown key generation_kwargs.max_gen_tokens; the nearest is max_gen_toks",
    );
  });

  test.each<[string, string[], string]>([
    [
      "a missing key",
      mine.filter((line) => !line.startsWith("doc_to_target")),
      "DIR/mine.yaml:1: doc_to_target is missing",
    ],
    [
      "a wrong type",
      [...mine, "num_fewshot: many"],
      "DIR/mine.yaml:9: num_fewshot - Invalid input: expected number, received string",
    ],
    [
      "a wrong output type",
      mine.map((line) => line.replace("multiple_choice", "choice")),
      "DIR/mine.yaml:2: output_type - Invalid option",
    ],
    [
      "no choices",
      mine.filter((line) => !line.startsWith("doc_to_choice")),
      "DIR/mine.yaml:2: multiple_choice needs doc_to_choice",
    ],
    [
      "a metric of another type",
      mine.map((line) => line.replace("metric: acc", "metric: perplexity")),
      'DIR/mine.yaml:7: metric_list: unknown metric "perplexity" (multiple_choice has acc',
    ],
    [
      "an aggregation",
      [...mine, "    aggregation: meen"],
      'DIR/mine.yaml:7: metric_list: unknown aggregation "meen"; the nearest is mean',
    ],
    [
      "a function",
      [...mine, "process_docs: !function utils.process_docs"],
      'DIR/mine.yaml:9: process_docs: unknown function "utils.process_docs"',
    ],
    [
      "a template",
      mine.map((line) => line.replace("{{q}}", "{{q")),
      "DIR/mine.yaml:4: doc_to_text: not a valid template",
    ],
    [
      "a pattern",
      [...generating, "filter_list:", "  - name: x", "    filter:", "      - {function: regex, regex_pattern: '('}"],
      "DIR/mine.yaml:7: filter_list: regular expression (: ",
    ],
    [
      "a filter after the one that leaves a single answer",
      [...generating, "filter_list:", "  - {name: x, filter: [{function: take_first}, {function: lowercase}]}"],
      "DIR/mine.yaml:7: filter_list: x: take_first leaves a single answer, so it must be the last filter",
    ],
    [
      "more answers than there are",
      [...generating, "repeats: 2", "filter_list:", "  - {name: x, filter: [{function: take_first_k, k: 3}]}"],
      "DIR/mine.yaml:8: filter_list: take_first_k: 3 answers of 2 (repeats: 2)",
    ],
    [
      "a filter of texts where there are none",
      [...mine, "filter_list:", "  - {name: x, filter: [{function: lowercase}, {function: take_first}]}"],
      "DIR/mine.yaml:9: filter_list: x: answers of multiple_choice are no texts",
    ],
    [
      "a metric that is not supported",
      generating.map((line) => line.replace("exact_match", "bleu")),
      'DIR/mine.yaml:6: metric_list: unknown metric "bleu" (generate_until has exact_match, f1, mcc, bypass)',
    ],
    [
      "an aggregation of other values",
      [...mine.slice(0, -1), "  - {metric: f1, aggregation: mean}"],
      "DIR/mine.yaml:7: metric_list: f1 cannot be aggregated by mean (but by f1)",
    ],
    [
      "a sampler",
      [...mine, "fewshot_config: {sampler: balanced}"],
      "DIR/mine.yaml:9: fewshot_config.sampler - expected default or first_n",
    ],
    [
      "a filter",
      [...mine, "filter_list:", "  - name: x", "    filter: [{function: regexp}]"],
      "DIR/mine.yaml:11: filter_list.0.filter.0.function - expected one of regex, multi_choice_regex, take_first, ",
    ],
    ["YAML", [...mine, "doc: [1"], "DIR/mine.yaml:10:1: not valid YAML: "],
    ["no map", ["- 1"], "DIR/mine.yaml: expected keys of a task"],
    [
      "an include",
      [...mine, "include: nowhere.yaml"],
      "DIR/nowhere.yaml: cannot be read: no such file or folder (included by DIR/mine.yaml)",
    ],
    ["itself", [...mine, "include: mine.yaml"], "DIR/mine.yaml: includes itself"],
    ["the same name twice", [...mine, "---", ...mine], "DIR/mine.yaml: mine is defined in DIR/mine.yaml too"],
  ])("%s", (_, lines, message) => {
    expect(problem(lines).startsWith(message) ? message : problem(lines)).toBe(message);
  });

  test("a key of an included file is reported there", () => {
    const target = folder({
      "base.yaml": [...mine.slice(1), "repeats: 0"],
      "mine.yaml": ["include: base.yaml", "task: mine"],
    });
    expect(() => new TaskRegistry([target])).toThrow(`${path.join(target, "base.yaml")}:8: repeats`);
  });

  test("a group of nothing, a group in itself, a path that is not there", () => {
    const target = folder({
      "a.yaml": ["group: a", "task: b", "---", "group: b", "task: [a]", "---", "group: c", "task: [nothing]"],
    });
    expect(() => new TaskRegistry([target]).select(["a"])).toThrow("group a contains itself");
    expect(() => new TaskRegistry([target]).select(["c"])).toThrow('unknown task "nothing" in group c');
    expect(() => new TaskRegistry(["/no/such"])).toThrow("no such file or folder: /no/such (--include_path)");
  });
});
