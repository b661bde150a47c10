/** What templates do that no other program defines: lines in messages, bounds, spans, values. */
import { describe, expect, test } from "vitest";
import { builtInTests } from "../../src/jinja/built_in_tests.ts";
import type { Environment } from "../../src/jinja/environment.ts";
import { builtInFilters } from "../../src/jinja/filters/built_in_filters.ts";
import { defaultGlobals } from "../../src/jinja/globals.ts";
import { JinjaError } from "../../src/jinja/jinja_error.ts";
import { JinjaTemplate } from "../../src/jinja/template.ts";
import { PythonFloat, pythonTuple } from "../../src/python/values.ts";

const environment: Environment = {
  trimBlocks: false,
  lstripBlocks: false,
  keepTrailingNewline: true,
  extensions: ["generation", "loop controls"],
  strictUndefined: true,
  sandboxed: false,
  filters: builtInFilters,
  tests: builtInTests,
  globals: defaultGlobals(false),
};
const template = (source: string) => new JinjaTemplate(source, environment);

describe("what is wrong is said in one line, with the line of a template that has several", () => {
  test.each([
    ["a\n{% if x %}\nb", "line 3: Unexpected end of template."],
    ["a\n{% for x in y %}{% endif %}", "line 2: Encountered unknown tag 'endif'."],
    ["{% for x in y %}\n{% if x %}\n{% endfor %}", "The innermost block that needs to be closed is 'if'"],
    ["a\n\n{{ 'x' y }}", "line 3: expected token 'end of print statement', got 'y'"],
    ["{{ a ? b }}", 'unexpected character "?"'],
    ["{{ (a] }}", "unexpected ']', expected ')'"],
    ["a\n{# b", "line 2: Missing end of comment tag"],
    ["a\n{% include 'x' %}", "line 2: {% include %} needs other templates, and there are none"],
    ["a {{ x|nosuch }}", "No filter named 'nosuch'."],
    ["{{ '\\x1' }}", "the escape sequence \\x in a string is not valid"],
  ])("%j", (source, message) => {
    expect(() => template(source)).toThrow(JinjaError);
    expect(() => template(source)).toThrow(message);
  });

  test.each([
    ["a\n{{ x }}", "line 2: 'x' is undefined"],
    ["{% macro m(v) %}\n\n{{ v.a.b }}{% endmacro %}\n{{ m({}) }}", "line 3: 'dict object' has no attribute 'a'"],
    ["\n{{ 'a' + 1 }}", 'line 2: can only concatenate str (not "int") to str'],
    ["{{ 1 / 0 }}", "division by zero"],
  ])("%j", (source, message) => {
    expect(() => template(source).render({})).toThrow(message);
  });
});

test("fields of formats are those of Python, with and without a sandbox", () => {
  const source = '{{ "{a.real} {f.imag} {c[0]}".format(a=n, f=6.0, c=["x"]) }}';
  for (const sandboxed of [false, true]) {
    expect(new JinjaTemplate(source, { ...environment, sandboxed }).render({ n: 3 })).toBe("3 0.0 x");
  }
  expect(() => template('{{ "{a.none}".format(a=3) }}').render({})).toThrow("'int' object has no attribute 'none'");
});

describe("a template comes to an end", () => {
  test.each([
    ["{{ range(100001) }}", "Range too big"],
    ["{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "the loops go on for more than"],
    ["{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "the template goes too far"],
    ["{{ 'a' * 2 ** 40 }}", "the template goes too far"],
    ["{{ 9 ** (9 ** 9) }}", "is too large"],
  ])("%s", (source, message) => {
    expect(() => template(source).render({})).toThrow(message);
  });
});

test("spans of generation blocks are those of the text", () => {
  const { text, generated } = template(
    "a{% for x in xs %}😀{% generation %}<{{ x }}>{% endgeneration %}{% endfor %}",
  ).renderWithSpans({
    xs: ["b", "😀c"],
  });
  expect(generated.map((span) => text.slice(...span))).toEqual(["<b>", "<😀c>"]);
});

test("a template that is one expression keeps its value; anything else is a text", () => {
  expect(template("{{ (1, x) }}").value({ x: 2.5 })).toEqual(pythonTuple([1, 2.5]));
  expect(template("{{ 6 / 2 }}").value({})).toEqual(new PythonFloat(3));
  expect(template("{{ x }}.").value({ x: 1 })).toBe("1.");
  expect(() => template("{{ x }}").value({})).toThrow("'x' is undefined");
});

test("a variable that is undefined in JavaScript is undefined, null is None", () => {
  expect(template("{{ x is defined }} {{ y is none }}").render({ x: undefined, y: null })).toBe("False True");
});

test("one template renders many documents without knowing of one another", () => {
  const counting = template("{% set n = n + 1 %}{{ n }}{% set seen = 1 %}");
  expect([1, 2, 3].map((n) => counting.render({ n }))).toEqual(["2", "3", "4"]);
});
