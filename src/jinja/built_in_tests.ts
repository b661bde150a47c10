/** The tests that every template has: what may stand behind `is`. */
import { binary } from "../python/arithmetic.ts";
import { hashKey, isDict } from "../python/dict.ts";
import { PythonView } from "../python/iterators.ts";
import { PythonObject } from "../python/python_object.ts";
import { isIterable, tryLength } from "../python/sequences.ts";
import { bindArguments } from "../python/signature.ts";
import { isLower, isUpper } from "../python/text_case.ts";
import { isEqual, isFloat, isInteger, isNumeric, pythonStr, textOf } from "../python/values.ts";
import { compare } from "./compile_expression.ts";
import type { Environment, Test } from "./environment.ts";
import { Markup } from "./markup.ts";
import type { CompareOperator } from "./syntax_tree.ts";
import { Undefined } from "./undefined.ts";

function plain(name: string, run: (value: unknown, environment: Environment) => boolean): Test {
  return (environment, value, args, kwargs) => {
    bindArguments(name, [], args, kwargs);
    return run(value, environment);
  };
}

function withOther(name: string, run: (value: unknown, other: unknown) => boolean): Test {
  return (_, value, args, kwargs) => run(value, bindArguments(name, ["other"], args, kwargs)[0]);
}

const hasRest = (value: unknown, divisor: unknown, rest: number) => isEqual(binary("%", value, divisor), rest);

/** `value is other`. */
function isSame(value: unknown, other: unknown): boolean {
  if (isNumeric(value) && isNumeric(other)) return typeof value === typeof other && isEqual(value, other);
  return value === other;
}

/** `value in names`. */
function isName(names: object, value: unknown): boolean {
  hashKey(value);
  return Object.hasOwn(names, textOf(value) ?? "");
}

/** Has a length, and items by position or key. */
function isSequence(value: unknown): boolean {
  if (value instanceof PythonView) return false;
  if (value instanceof Undefined) return !value.isStrict;
  return tryLength(value) !== undefined;
}

const comparisons: [CompareOperator, ...names: string[]][] = [
  ["==", "eq", "equalto"],
  ["!=", "ne"],
  [">", "gt", "greaterthan"],
  [">=", "ge"],
  ["<", "lt", "lessthan"],
  ["<=", "le"],
  ["in"],
];

export const builtInTests: Readonly<Record<string, Test>> = {
  odd: plain("odd", (value) => hasRest(value, 2, 1)),
  even: plain("even", (value) => hasRest(value, 2, 0)),
  divisibleby: withOther("divisibleby", (value, divisor) => hasRest(value, divisor, 0)),
  defined: plain("defined", (value) => !(value instanceof Undefined)),
  undefined: plain("undefined", (value) => value instanceof Undefined),
  filter: plain("filter", (name, { filters }) => isName(filters, name)),
  test: plain("test", (name, { tests }) => isName(tests, name)),
  none: plain("none", (value) => value === null),
  boolean: plain("boolean", (value) => typeof value === "boolean"),
  false: plain("false", (value) => value === false),
  true: plain("true", (value) => value === true),
  integer: plain("integer", isInteger),
  float: plain("float", isFloat),
  number: plain("number", isNumeric),
  string: plain("string", (value) => textOf(value) !== undefined),
  mapping: plain("mapping", isDict),
  sequence: plain("sequence", (value) => isSequence(value)),
  iterable: plain("iterable", isIterable),
  callable: plain(
    "callable",
    (value) => typeof value === "function" || (value instanceof PythonObject && value.call !== undefined),
  ),
  escaped: plain("escaped", (value) => value instanceof Markup),
  lower: plain("lower", (value) => isLower(pythonStr(value))),
  upper: plain("upper", (value) => isUpper(pythonStr(value))),
  sameas: withOther("sameas", isSame),
  ...Object.fromEntries(
    comparisons.flatMap(([operator, ...names]) =>
      [operator, ...names].map((name) => [name, withOther(name, (a, b) => compare(operator, a, b))]),
    ),
  ),
};
