/** The named functions of task files against lm-evaluation-harness's own. */
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/data/document.ts";
import { cleanText, processDocument as processHellaswag } from "../../../src/eval/functions/hellaswag.ts";
import { instructionLevelAccuracy, processDocument, processResults } from "../../../src/eval/functions/ifeval.ts";
import { namedFunction } from "../../../src/eval/functions/named_functions.ts";
import { processResultsMc2 } from "../../../src/eval/functions/truthfulqa.ts";
import { detokenize, processResults as processWikitext } from "../../../src/eval/functions/wikitext.ts";
import { docToChoice, docToTarget, docToText } from "../../../src/eval/functions/winogrande.ts";
import { unitVectors } from "../golden_lm_eval.ts";
import { taskVectors } from "../task_vectors.ts";

describe("ifeval", () => {
  const document = (id: string, args: object): JsonObject => ({
    prompt: "p",
    instruction_id_list: [id],
    kwargs: [args],
  });

  const cases = new Map<string, typeof taskVectors.ifeval>();
  for (const vector of taskVectors.ifeval) {
    const title = `${vector.id} ${JSON.stringify(vector.args)}`;
    cases.set(title, [...(cases.get(title) ?? []), vector]);
  }
  test.each([...cases.keys()])("%s", (title) => {
    const verdicts = cases.get(title)!;
    const ours = verdicts.map(({ id, args, response }) => {
      const metrics = processResults(document(id, args), [response]);
      return [response, metrics.prompt_level_strict_acc, metrics.prompt_level_loose_acc];
    });
    expect(ours).toEqual(verdicts.map(({ response, verdict }) => [response, ...verdict]));
  });

  test("documents with an instruction that needs a trained model, or that would be drawn, are left out", () => {
    const kept = (id: string, args: object = {}) => processDocument(document(id, args)) !== null;
    expect(kept("punctuation:no_comma", { num_bullets: null })).toBe(true);
    for (const id of [
      "language:response_language",
      "change_case:english_capital",
      "change_case:english_lowercase",
      "change_case:capital_word_frequency",
      "length_constraints:number_sentences",
    ]) {
      expect(kept(id, { language: "de", num_sentences: 3, relation: "at least" })).toBe(false);
    }
    expect(kept("detectable_format:number_bullet_lists", { num_bullets: null })).toBe(false);
    const letter = (letter: string) => ({ letter, let_frequency: 2, let_relation: "at least" });
    expect(kept("keywords:letter_frequency", letter("#"))).toBe(false);
    expect(kept("keywords:letter_frequency", letter("Q"))).toBe(true);
  });

  test("the instruction-level accuracy counts instructions, not documents", () => {
    expect(instructionLevelAccuracy([[true], [false, false, true]])).toBe(0.5);
  });

  test("a pattern that cannot be used names the field", () => {
    const broken = document("keywords:existence", { keywords: ["("] });
    expect(() => processResults(broken, ["x"])).toThrow(/field "kwargs": regular expression \(/);
  });
});

describe("hellaswag", () => {
  const { hellaswag_preprocess: preprocess, hellaswag_capitalize: capitalized } = unitVectors;
  test.each([...preprocess.map(({ in: text, out }) => ({ text, clean: out })), ...taskVectors.hellaswag])(
    "$text",
    ({ text, clean }) => expect(cleanText(text)).toBe(clean),
  );
  test("query, choices and gold; the second part starts with a capital, the rest in lower case", () => {
    for (const { in: ctx_b, out } of capitalized) {
      const raw = { activity_label: "Tea", ctx_a: "A.", ctx_b, endings: ["x [step] y", "z"], label: "1" };
      expect(processHellaswag(raw)).toEqual({
        ...raw,
        query: cleanText(`Tea: A. ${out}`),
        choices: ["x y", "z"],
        gold: 1,
      });
    }
  });
});

describe("wikitext", () => {
  test.each(taskVectors.wikitext)("page %#", ({ page, text, metrics }) => {
    expect(detokenize({ page })).toBe(text);
    expect(processWikitext({ page }, [-5])).toEqual(metrics);
  });
});

test("truthfulqa mc2 is the probability of the right answers", () => {
  const { doc, lls, acc } = taskVectors.mc2;
  const results = lls.map((value) => [value, false]);
  expect(processResultsMc2(doc, results).acc).toBeCloseTo(acc, 15);
  expect(() => processResultsMc2(doc, results.slice(1))).toThrow("2 choices, but 3 labels");
});

test("winogrande: the options stand in the contexts, what follows the blank is scored", () => {
  const document = { sentence: "Ann thanked _ for it. ", option1: "Bob", option2: "Eve", answer: "2" };
  expect([docToText(document), docToTarget(document), docToChoice(document)]).toEqual([
    1,
    "for it.",
    ["Ann thanked Bob", "Ann thanked Eve"],
  ]);
  expect(() => docToTarget({ ...document, sentence: "no blank" })).toThrow("there is no blank");
  expect(() => docToText({ ...document, answer: "" })).toThrow('must be 1 or 2, not ""');
});

test("an unknown function names the nearest", () => {
  expect(() => namedFunction("field", "winogrande.doc_to_txt")).toThrow(
    /unknown function "winogrande.doc_to_txt"; the nearest is winogrande.doc_to_text \(there are /,
  );
});
