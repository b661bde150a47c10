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
    ["{{missing}}", 'field "missing" is missing'],
    ["{{choices.missing}}", 'field "missing" is missing'],
    ["{{list[9]}}", "entry 9 is missing"],
    ["{{missing.strip()}}", 'field "missing" is missing'],
    ["{% if flag %}{{missing}}{% endif %}", 'field "missing" is missing'],
    ["{{choices.label.index('Z')}}", "'Z' is not in the list ['A', 'B']"],
    ["{{text.shout()}}", "shout is no known function"],
    ["{{text|shout}}", "unknown filter shout"],
    ["{{label + text}}", "1 + 'the  cat"],
    ["{{1.strip()}}", "strip is no known function"],
  ])("%s", (template, message) => {
    expect(() => new Template(template).render(document)).toThrow(message);
    expect(() => new Template(template).render(document)).toThrow(TemplateError);
  });

  test("a template that is not Jinja", () => {
    expect(() => new Template("{{question")).toThrow(TemplateError);
    expect(() => new Template("{% if x %}")).toThrow(/not a valid template/);
  });
});
