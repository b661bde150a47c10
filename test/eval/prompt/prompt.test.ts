/** How prompts are put together: one test for each rule of lm-evaluation-harness's. */
import { describe, expect, test } from "vitest";
import type { EvaluationOptions } from "../../../src/eval/evaluator.ts";
import { ChatPrompt } from "../../../src/eval/prompt/chat_prompt.ts";
import { findTask } from "../../../src/eval/task/task_registry.ts";
import { ChatTemplateError } from "../../../src/tokenizer/chat_template_error.ts";
import type { Tokenizer } from "../../../src/tokenizer/tokenizer.ts";
import { fakeLanguageModel, tinyTokenizer } from "../fake_language_model.ts";
import { evaluateTask, type Splits, taskOf } from "../task_fixture.ts";

const lines = (...extra: string[]) =>
  [
    "output_type: multiple_choice",
    "training_split: train",
    "test_split: test",
    'doc_to_text: "Q: {{q}}"',
    "doc_to_target: a",
    'doc_to_choice: ["yes", "no"]',
    "metric_list: [{metric: acc}]",
    ...extra,
  ].join("\n");
const splits: Splits = { train: [{ q: "one", a: 0 }], test: [{ q: "two", a: 1 }] };

/** Context and continuation of the first request. */
async function request(yaml: string, options: EvaluationOptions = {}, data = splits) {
  const { samples } = await evaluateTask(fakeLanguageModel({ maxLength: 1000 }), taskOf(yaml), data, {
    numFewshot: 1,
    ...options,
  });
  return samples[0].arguments[0];
}

describe("plain text", () => {
  test("shot, delimiter, answer, blank line, question; the delimiter goes to the choice", async () => {
    expect(await request(lines())).toEqual(["Q: one yes\n\nQ: two", " yes"]);
  });

  test("other delimiters, for examples apart from the question's", async () => {
    const yaml = lines(
      "target_delimiter: ' => '",
      "fewshot_delimiter: ' | '",
      "fewshot_config: {target_delimiter: ': '}",
    );
    expect(await request(yaml)).toEqual(["Q: one: yes | Q: two", " => yes"]);
  });

  test("the description is a template and stands first, after the system instruction", async () => {
    const yaml = lines('description: "About {{q}}.\\n\\n"');
    expect((await request(yaml))[0]).toBe("About two.\n\nQ: one yes\n\nQ: two");
    expect((await request(yaml, { systemInstruction: "Be brief." }))[0]).toBe(
      "Be brief.\n\nAbout two.\n\nQ: one yes\n\nQ: two",
    );
    // Whitespace at the seam takes the delimiter's place.
    expect((await request(yaml, { systemInstruction: "Be brief. " }))[0]).toContain("Be brief. About two.");
  });

  test("a given beginning of the answer", async () => {
    const yaml = lines('gen_prefix: "So:"');
    expect(await request(yaml)).toEqual(["Q: one So: yes\n\nQ: two So:", " yes"]);
  });

  test("examples of the task file itself, with prompts of their own", async () => {
    const yaml = lines(
      "fewshot_config:",
      "  samples: [{q: x, t: because}]",
      '  doc_to_text: "E: {{q}}"',
      '  doc_to_target: "{{t}}"',
    );
    expect((await request(yaml))[0]).toBe("E: x because\n\nQ: two");
  });

  test("a list of targets: the first one is the example's answer", async () => {
    const yaml = [
      "output_type: generate_until",
      "training_split: train",
      "test_split: test",
      "doc_to_text: q",
      'doc_to_target: "{{a}}"',
      "metric_list: [{metric: exact_match}]",
    ].join("\n");
    const data = { train: [{ q: "one", a: ["x", "y"] }], test: [{ q: "two", a: ["z"] }] };
    expect((await request(yaml, {}, data))[0]).toBe("one x\n\ntwo");
  });

  test("choices in the context: examples hold the right one, each choice has a context", async () => {
    const sentence = (answer: string) => ({ sentence: "A _ ran.", option1: "cat", option2: "dog", answer });
    const { samples } = await evaluateTask(
      fakeLanguageModel({}),
      findTask("winogrande"),
      { train: [sentence("2"), { ...sentence("1"), option1: "cow" }], validation: [sentence("1")] },
      { numFewshot: 1 },
    );
    expect(samples[0].target).toBe("ran.");
    expect(samples[0].arguments[1]).toEqual([expect.stringMatching(/^A (dog|cow) ran\.\n\nA dog$/), " ran."]);
  });

  test("the split of the test documents may be the examples' split: never the document itself", async () => {
    const yaml = lines("fewshot_split: test");
    const documents = Array.from({ length: 4 }, (_, i) => ({ q: `q${i}`, a: 0 }));
    const { samples } = await evaluateTask(fakeLanguageModel({}), taskOf(yaml), { test: documents }, { numFewshot: 3 });
    for (const { arguments: requests, document } of samples) {
      const questions = String(requests[0][0]).match(/q\d/g)!;
      expect(new Set(questions).size).toBe(4);
      expect(questions.at(-1)).toBe(document.q);
    }
  });

  test("a task that says num_fewshot: 0 stays without examples", async () => {
    expect((await request(lines("num_fewshot: 0"), { numFewshot: 1 }))[0]).toBe("Q: two");
    expect((await request(lines("num_fewshot: 1"), { numFewshot: undefined }))[0]).toBe("Q: one yes\n\nQ: two");
  });

  test("a broken example says where it is", async () => {
    await expect(request(lines(), {}, { ...splits, train: [{ q: "one" }] })).rejects.toThrow(
      /train\.jsonl:1: doc_to_target: field "a" is missing/,
    );
  });
});

const template =
  "{{bos_token}}{% for m in messages %}[{{m.role}}]{{m.content}}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";

function chat(source: unknown = template, name?: string): ChatPrompt {
  const config = { bos_token: { content: "<s>" }, chat_template: source };
  return new ChatPrompt({ ...tinyTokenizer(), config } as unknown as Tokenizer, name);
}

describe("chat template", () => {
  test("examples as turns; nothing stands between the assistant's turn and the choice", async () => {
    const options = { chatTemplate: chat(), fewshotAsMultiturn: true, systemInstruction: "Be brief." };
    expect(await request(lines(), options)).toEqual([
      "<s>[system]Be brief.\n[user]Q: one\n[assistant]yes\n[user]Q: two\n[assistant]",
      "yes",
    ]);
  });

  test("examples in one message with the question", async () => {
    expect((await request(lines(), { chatTemplate: chat() }))[0]).toBe("<s>[user]Q: one yes\n\nQ: two\n[assistant]");
  });

  test("a given beginning of the answer stays open, and keeps the delimiter", async () => {
    const yaml = lines('gen_prefix: "So:"');
    expect(await request(yaml, { chatTemplate: chat(), fewshotAsMultiturn: true })).toEqual([
      "<s>[user]Q: one\n[assistant]So: yes\n[user]Q: two\n[assistant]So:",
      " yes",
    ]);
  });

  test("a template that refuses system messages gets none", () => {
    const refusing = chat(
      "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}{{messages[0].content}}",
    );
    expect(
      refusing.apply([
        { role: "system", content: "s" },
        { role: "user", content: "u" },
      ]),
    ).toBe("u");
  });

  test("one of several, by name", () => {
    const several = [
      { name: "default", template: "d" },
      { name: "tools", template: "t" },
    ];
    expect([chat(several).source, chat(several, "tools").source]).toEqual(["d", "t"]);
    expect(() => chat(several, "rag")).toThrow('no chat template "rag" (it has default, tools)');
    expect(() => chat([several[1]])).toThrow("no default: name one of tools");
  });

  test("no template, a broken one, and one that drops the answer's beginning", () => {
    expect(() => chat(undefined)).not.toThrow();
    expect(() => chat(null)).toThrow(ChatTemplateError);
    expect(() => chat("{% if %}")).toThrow(/the chat template is not valid/);
    expect(() => chat("x").apply([{ role: "assistant", content: "So" }])).toThrow(/drops the beginning/);
  });
});
