/** Task templates against Jinja with lm-evaluation-harness's settings. */
import { describe, expect, test } from "vitest";
import { Template, TemplateError } from "../../../src/eval/task/template.ts";
import { taskVectors } from "../task_vectors.ts";

const { document, templates } = taskVectors;

test.each(templates)("renders $template", ({ template, text }) => {
  expect(new Template(template).render(document)).toBe(text);
});

test("a template of one expression keeps its value", () => {
  expect(new Template("{{choices.text}}").value(document)).toEqual((document.choices as { text: string[] }).text);
  expect(new Template("{{label}}").value(document)).toBe(1);
  expect(new Template("{{label}}.").value(document)).toBe("1.");
});

describe("what cannot be computed is an error that names it", () => {
  test.each([
    ["{{missing}}", "'missing' is undefined"],
    ["{{choices.missing}}", "'dict object' has no attribute 'missing'"],
    ["{{list[9]}}", "list object has no element 9"],
    ["{{missing.strip()}}", "'missing' is undefined"],
    ["{% if flag %}\n{{missing}}{% endif %}", "line 2: 'missing' is undefined"],
    ["{{choices.label.index('Z')}}", "'Z' is not in list"],
    ["{{text.shout()}}", "'str object' has no attribute 'shout'"],
    ["{{text|shout}}", "No filter named 'shout'"],
    ["{{label + text}}", "unsupported operand type(s) for +: 'int' and 'str'"],
    ["{{1.strip()}}", "'int object' has no attribute 'strip'"],
  ])("%s", (template, message) => {
    expect(() => new Template(template).render(document)).toThrow(message);
    expect(() => new Template(template).render(document)).toThrow(TemplateError);
  });

  test("a template that is not Jinja", () => {
    expect(() => new Template("{{question")).toThrow(TemplateError);
    expect(() => new Template("{% if x %}")).toThrow(/not a valid template/);
  });
});
