/** Synthetic probes as tasks: what is asked, and that right answers count. */
import { describe, expect, it } from "vitest";
import { TaskData } from "../../src/eval/data/task_data.ts";
import { evaluate } from "../../src/eval/evaluator.ts";
import { shippedTasks, TaskRegistry } from "../../src/eval/task/task_registry.ts";
import { parseProbe, probes } from "../../src/probes/registry.ts";
import { fakeLanguageModel } from "./fake_language_model.ts";

const data = new TaskData();
const taskOf = (name: string) => new TaskRegistry().select([name]).tasks[0];

it("every probe is a task, and all of them are the tag probe", () => {
  const names = shippedTasks()
    .select(["probe"])
    .tasks.map(({ name }) => name);
  expect(names.sort()).toEqual(probes.map(({ name }) => `probe_${name}`).sort());
});

describe("a probe's task", () => {
  it("asks held-out prompts, stops at the end of the line, and wants the very answer", async () => {
    const questions = parseProbe("addition?digits=2&questions=4").questions("test");
    const answers = new Map(questions.map(({ prompt, answer }) => [prompt, answer]));
    const contexts: string[] = [];
    const model = fakeLanguageModel({
      generate: (context, { until, maxTokens }) => {
        contexts.push(context);
        expect(maxTokens).toBeGreaterThanOrEqual(1 + answers.get(context)!.length);
        expect(until[0]).toBe("\n");
        // The last question gets a wrong answer.
        return contexts.length < 4 ? answers.get(context)! : `${answers.get(context)}0`;
      },
    });
    const [result] = await evaluate(model, [taskOf("probe_addition?digits=2&questions=4")], data);
    expect(contexts).toEqual(questions.map(({ prompt }) => prompt));
    expect(result.scores).toMatchObject([{ metric: "exact_match", value: 0.75 }]);
  });

  it("leaves room for the longest answer, and no more", () => {
    for (const { name } of probes.filter((each) => each.name !== "parity")) {
      const longest = parseProbe(name).longestAnswer();
      expect(taskOf(`probe_${name}`).generation?.max_gen_toks, name).toBeGreaterThan(longest);
    }
    const { length } = parseProbe("copy?length=60")
      .questions("test")
      .map(({ answer }) => answer)
      .sort((a, b) => b.length - a.length)[0];
    expect(taskOf("probe_copy?length=60").generation?.max_gen_toks).toBe(length + 1);
  });

  it("of parity weighs both answers", async () => {
    const model = fakeLanguageModel({ score: (_, continuation) => (continuation === "1" ? -1 : -2) });
    const [result] = await evaluate(model, [taskOf("probe_parity")], data, { limit: 200 });
    const ones = parseProbe("parity")
      .questions("test")
      .slice(0, 200)
      .filter(({ answer }) => answer === "1").length;
    expect(result.scores).toMatchObject([{ metric: "acc", value: ones / 200 }]);
    expect(result.chance).toBe(0.5);
  });

  it("shows solved training examples, a line each", async () => {
    const [result] = await evaluate(
      fakeLanguageModel({ generate: () => "" }),
      [taskOf("probe_copy?questions=5")],
      data,
      {
        numFewshot: 2,
      },
    );
    const lines = String(result.samples[0].arguments[0][0]).split("\n");
    expect(lines).toHaveLength(3);
    for (const line of lines.slice(0, 2)) expect(line).toMatch(/^copy ([a-z]+)=\1$/);
  });

  it("names an option that there is not", () => {
    expect(() => taskOf("probe_copy?digits=2")).toThrow(/copy has no option digits/);
    expect(() => taskOf("toy_arc?x=1")).toThrow(/unknown task "toy_arc\?x=1"/);
  });
});
