import { expect, test } from "vitest";
import { fitFields, wrapFields } from "../../../cli/terminal/fit_fields.ts";

const fields = [
  { text: "step 7", rank: 1 },
  { text: "zeros 31.0%", rank: 3 },
  { text: "ETA 0:10", rank: 2 },
];

test.each([
  [29, "step 7  zeros 31.0%  ETA 0:10", 0],
  [28, "step 7  ETA 0:10", 12],
  [15, "step 7", 9],
  [5, "", 5],
])("in %i columns: %s", (columns, line, left) => {
  const fitted = fitFields(fields, columns);
  expect(fitted.fitting.map(({ text }) => text).join("  ")).toBe(line);
  expect(fitted.left).toBe(left);
});

test("wide characters count as two columns, empty fields as nothing", () => {
  const wide = [
    { text: "模型", rank: 1 },
    { text: "", rank: 2 },
    { text: "ab", rank: 3 },
  ];
  expect(fitFields(wide, 8).fitting).toEqual([wide[0], wide[2]]);
  expect(fitFields(wide, 7).fitting).toEqual([wide[0]]);
});

test("lines are broken between fields", () => {
  const texts = ["step 7", "zeros 31.0%", "ETA 0:10"];
  expect(wrapFields(texts, 29)).toEqual(["step 7  zeros 31.0%  ETA 0:10"]);
  expect(wrapFields(texts, 20)).toEqual(["step 7  zeros 31.0%", "  ETA 0:10"]);
  expect(wrapFields(texts, 4)).toEqual(["step 7", "  zeros 31.0%", "  ETA 0:10"]);
});
