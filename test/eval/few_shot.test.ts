import { expect, test } from "vitest";
import { examplesSplit, FewShotSampler, fewShotPrefix, mayDrawTestDocument } from "../../src/eval/few_shot.ts";
import { findTask } from "../../src/eval/tasks/registry.ts";
import { unitVectors } from "./golden_lm_eval.ts";

const pool = (size: number) => Array.from({ length: size }, (_, id) => ({ document: { id }, text: `example ${id}` }));
const ids = (examples: { document: object }[]) => examples.map(({ document }) => (document as { id: number }).id);

test("tasks without a named test and few-shot split may draw the test document", () => {
  expect(mayDrawTestDocument(findTask("piqa").splits)).toBe(true);
  expect(mayDrawTestDocument(findTask("arc_easy").splits)).toBe(false);
  expect(mayDrawTestDocument(findTask("gsm8k").splits)).toBe(false);
  expect(examplesSplit({ validation: "validation" })).toBe("validation");
});

test("piqa draws one more than it keeps", () => {
  const { N, draws } = unitVectors.sample[0];
  const sampler = new FewShotSampler(pool(N), true);
  for (const draw of draws) expect(ids(sampler.draw({ id: -1 }, 5))).toEqual(draw.slice(0, 5));
});

test("the test document is dropped from the draw", () => {
  const { N, draws } = unitVectors.sample[0];
  const sampler = new FewShotSampler(pool(N), true);
  expect(ids(sampler.draw({ id: draws[0][2] }, 5))).toEqual(draws[0].filter((id) => id !== draws[0][2]));
});

test("copies of the test document are drawn again", () => {
  const copies = [...pool(4), ...Array.from({ length: 30 }, () => ({ document: { id: 99 }, text: "copy" }))];
  const drawn = new FewShotSampler(copies, true).draw({ id: 99 }, 3);
  expect(drawn).toHaveLength(3);
  expect(ids(drawn)).not.toContain(99);
});

test("a pool that is too small is an error", () => {
  expect(() => new FewShotSampler(pool(5), true).draw({}, 5)).toThrow("5 few-shot examples asked for");
  expect(ids(new FewShotSampler(pool(5), false).draw({}, 5)).sort()).toEqual([0, 1, 2, 3, 4]);
});

test("examples are followed by a blank line", () => {
  expect(fewShotPrefix(pool(2))).toBe("example 0\n\nexample 1\n\n");
  expect(fewShotPrefix([])).toBe("");
});
