import { expect, test } from "vitest";
import { examplesSplit, FewShotSampler, mayDrawTestDocument } from "../../../src/eval/prompt/few_shot.ts";
import { findTask } from "../../../src/eval/task/task_registry.ts";
import { unitVectors } from "../golden_lm_eval.ts";

const pool = (size: number) => Array.from({ length: size }, (_, id) => ({ document: { id }, place: `pool:${id}` }));
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
  const copies = [...pool(4), ...Array.from({ length: 30 }, () => ({ document: { id: 99 }, place: "copy" }))];
  const drawn = new FewShotSampler(copies, true).draw({ id: 99 }, 3);
  expect(drawn).toHaveLength(3);
  expect(ids(drawn)).not.toContain(99);
});

test("a pool that is too small is an error", () => {
  expect(() => new FewShotSampler(pool(5), true, { task: "arc" }).draw({}, 5)).toThrow(
    "task arc: 5 few-shot examples asked for, but there are only 5 documents",
  );
  expect(ids(new FewShotSampler(pool(5), false).draw({}, 5)).sort()).toEqual([0, 1, 2, 3, 4]);
});

test("first_n takes the first documents, never the test document", () => {
  const first = (excludes: boolean) => new FewShotSampler(pool(5), excludes, { sampler: "first_n" });
  expect(ids(first(false).draw({ id: 1 }, 3))).toEqual([0, 1, 2]);
  expect(ids(first(true).draw({ id: 1 }, 3))).toEqual([0, 2, 3]);
  expect(() => first(true).draw({ id: 1 }, 5)).toThrow("5 few-shot examples asked for");
});

test("the seed changes the draw", () => {
  const draw = (seed?: number) => ids(new FewShotSampler(pool(100), false, { seed }).draw({}, 5));
  expect(draw(1234)).toEqual(draw());
  expect(draw(7)).not.toEqual(draw());
});
