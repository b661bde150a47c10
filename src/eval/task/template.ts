/**
 * The Jinja templates of task files (`doc_to_text` and others), rendered as lm-evaluation-harness renders them: Python's
 * text of values, Python's methods, an error for a field that is missing (StrictUndefined), the final line break kept.
 *
 * @huggingface/jinja parses; values are computed here, because its own have JavaScript's text and methods.
 */
import { parse, tokenize } from "@huggingface/jinja";
import { UserError } from "../../errors/user_error.ts";
import { PythonError } from "../../python/python_error.ts";
import { pythonRegex } from "../../python/regex.ts";
import { methodOf } from "../../python/text_methods.ts";
import { isEqual, isTruthy, pythonRepr, pythonStr } from "../../python/values.ts";
import { strip } from "../../python/whitespace.ts";

/** The template cannot be parsed, or not be computed for a document. */
export class TemplateError extends UserError {
  override name = "TemplateError";
}

/** A node of the parser's tree; the fields depend on `type`. */
interface Node {
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the package does not export the types of its tree.
  [field: string]: any;
}

class Undefined {
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}

type Scope = Map<string, unknown>;
type Filter = (value: unknown, ...args: unknown[]) => unknown;

const filters: Record<string, Filter> = {
  join: (items, separator = "") => (items as unknown[]).map(pythonStr).join(String(separator)),
  trim: (value) => strip(pythonStr(value)),
  lower: (value) => pythonStr(value).toLowerCase(),
  upper: (value) => pythonStr(value).toUpperCase(),
  capitalize: (value) => methodOf(pythonStr(value), "capitalize")!(),
  title: (value) => methodOf(pythonStr(value), "title")!(),
  replace: (value, from, to) => pythonStr(value).replaceAll(String(from), () => String(to)),
  length: (value) => lengthOf(value),
  count: (value) => lengthOf(value),
  first: (value) => sequence(value)[0],
  last: (value) => sequence(value).at(-1),
  list: (value) => sequence(value),
  string: (value) => pythonStr(value),
  int: (value) => Math.trunc(Number(value)) || 0,
  tojson: (value) => JSON.stringify(value),
  regex_replace: (value, pattern, replacement) =>
    pythonStr(value).replace(pythonRegex(String(pattern)), String(replacement).replace(/\\(\d)/g, "$$$1")),
};

const tests: Record<string, (value: unknown) => boolean> = {
  defined: (value) => !(value instanceof Undefined),
  undefined: (value) => value instanceof Undefined,
  none: (value) => value === null,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  mapping: (value) => value !== null && typeof value === "object" && !Array.isArray(value),
};

function sequence(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "string") return [...value];
  if (value !== null && typeof value === "object") return Object.keys(value);
  throw new TemplateError(`${pythonRepr(value)} is no list`);
}

const lengthOf = (value: unknown) => sequence(value).length;

/** @throws {TemplateError} if the value stands for a field that is missing. */
function known(value: unknown): unknown {
  if (value instanceof Undefined) throw new TemplateError(`${value.what} is missing`);
  return value;
}

export class Template {
  private readonly body: readonly Node[];

  /** @throws {TemplateError} if `source` is not Jinja. */
  constructor(source: string) {
    try {
      // The tokenizer drops one line break at the end; lm-evaluation-harness keeps it.
      this.body = parse(tokenize(source.endsWith("\n") ? `${source}\n` : source)).body as unknown as Node[];
    } catch (error) {
      throw new TemplateError(`not a valid template: ${(error as Error).message}`);
    }
  }

  /** @throws {TemplateError} that names a field that is missing or what cannot be computed. */
  render(fields: Readonly<Record<string, unknown>>): string {
    return this.compute(() => renderBlock(this.body, new Map(Object.entries(fields))));
  }

  /**
   * The value itself if the template is one expression, `{{choices.text}}`; else the rendered text.
   * @throws {TemplateError}
   */
  value(fields: Readonly<Record<string, unknown>>): unknown {
    const [only] = this.body;
    if (this.body.length !== 1 || statements.has(only.type)) return this.render(fields);
    return this.compute(() => known(evaluate(only, new Map(Object.entries(fields)))));
  }

  private compute<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof PythonError) throw new TemplateError(error.message);
      throw error;
    }
  }
}

const statements = new Set(["Set", "If", "For", "Comment"]);

function renderBlock(body: readonly Node[], scope: Scope): string {
  return body.map((node) => renderNode(node, scope)).join("");
}

function renderNode(node: Node, scope: Scope): string {
  switch (node.type) {
    case "Comment":
      return "";
    case "Set":
      scope.set(node.assignee.value, node.value ? evaluate(node.value, scope) : renderBlock(node.body, scope));
      return "";
    case "If":
      return renderBlock(isTruthy(known(evaluate(node.test, scope))) ? node.body : node.alternate, scope);
    case "For": {
      const items = sequence(known(evaluate(node.iterable, scope)));
      return items
        .map((item, index) => {
          const inner: Scope = new Map(scope);
          const names: Node[] = node.loopvar.type === "Identifier" ? [node.loopvar] : node.loopvar.value;
          names.forEach((name, i) => {
            inner.set(name.value, names.length === 1 ? item : (item as unknown[])[i]);
          });
          const last = index === items.length - 1;
          inner.set("loop", { index: index + 1, index0: index, first: index === 0, last, length: items.length });
          return renderBlock(node.body, inner);
        })
        .join("");
    }
    default:
      return pythonStr(known(evaluate(node, scope)));
  }
}

function evaluate(node: Node, scope: Scope): unknown {
  switch (node.type) {
    case "StringLiteral":
    case "IntegerLiteral":
    case "FloatLiteral":
      return node.value;
    case "Identifier":
      return identifier(node.value, scope);
    case "ArrayLiteral":
    case "TupleLiteral":
      return node.value.map((item: Node) => known(evaluate(item, scope)));
    case "ObjectLiteral":
      return Object.fromEntries(
        [...node.value].map(([key, value]: [Node, Node]) => [pythonStr(evaluate(key, scope)), evaluate(value, scope)]),
      );
    case "MemberExpression":
      return member(node, scope);
    case "CallExpression":
      return call(node, scope);
    case "FilterExpression": {
      const name: string = node.filter.type === "Identifier" ? node.filter.value : node.filter.callee.value;
      const args = node.filter.type === "Identifier" ? [] : argumentsOf(node.filter, scope);
      const operand = evaluate(node.operand, scope);
      if (name === "default" || name === "d") return operand instanceof Undefined ? args[0] : operand;
      if (!Object.hasOwn(filters, name)) throw new TemplateError(`unknown filter ${name}`);
      return filters[name](known(operand), ...args);
    }
    case "TestExpression": {
      const name: string = node.test.value;
      if (!Object.hasOwn(tests, name)) throw new TemplateError(`unknown test ${name}`);
      return tests[name](evaluate(node.operand, scope)) !== node.negate;
    }
    case "UnaryExpression":
      return unary(node.operator.value, known(evaluate(node.argument, scope)));
    case "BinaryExpression":
      return binary(node, scope);
    case "Ternary":
      return evaluate(isTruthy(known(evaluate(node.condition, scope))) ? node.trueExpr : node.falseExpr, scope);
    default:
      throw new TemplateError(`${node.type} is not supported in task templates`);
  }
}

const constants: Record<string, unknown> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
};

function identifier(name: string, scope: Scope): unknown {
  if (scope.has(name)) return scope.get(name);
  return Object.hasOwn(constants, name) ? constants[name] : new Undefined(`field "${name}"`);
}

function member(node: Node, scope: Scope): unknown {
  const object = known(evaluate(node.object, scope));
  if (node.computed && node.property.type === "SliceExpression") {
    const at = (part: Node | undefined) => (part === undefined ? undefined : (evaluate(part, scope) as number));
    const { start, stop, step } = node.property;
    if (step !== undefined && at(step) !== 1) throw new TemplateError("slices with a step are not supported");
    const slice = sequence(object).slice(at(start), at(stop));
    return typeof object === "string" ? slice.join("") : slice;
  }
  const key = node.computed ? known(evaluate(node.property, scope)) : node.property.value;
  if (typeof key === "number") {
    const items = sequence(object);
    const index = key < 0 ? items.length + key : key;
    return index >= 0 && index < items.length ? items[index] : new Undefined(`entry ${key}`);
  }
  const isMapping = object !== null && typeof object === "object" && !Array.isArray(object);
  if (isMapping && Object.hasOwn(object, key as string)) return (object as Record<string, unknown>)[key as string];
  return methodOf(object, key as string) ?? new Undefined(`field "${key}"`);
}

function argumentsOf(node: Node, scope: Scope): unknown[] {
  return node.args.map((argument: Node) =>
    known(evaluate(argument.type === "KeywordArgumentExpression" ? argument.value : argument, scope)),
  );
}

function call(node: Node, scope: Scope): unknown {
  const { callee } = node;
  if (callee.type === "Identifier" && callee.value === "range" && !scope.has("range")) {
    const bounds = argumentsOf(node, scope) as number[];
    const [begin, end] = bounds.length === 1 ? [0, bounds[0]] : bounds;
    return Array.from({ length: Math.max(0, end - begin) }, (_, i) => begin + i);
  }
  // A method wins over a field of that name: `doc.items()`.
  const method =
    callee.type === "MemberExpression" && !callee.computed
      ? methodOf(known(evaluate(callee.object, scope)), callee.property.value)
      : known(evaluate(callee, scope));
  if (typeof method !== "function") {
    throw new TemplateError(`${callee.property?.value ?? callee.value ?? "the expression"} is no known function`);
  }
  return method(...argumentsOf(node, scope));
}

function unary(operator: string, value: unknown): unknown {
  if (operator === "not") return !isTruthy(value);
  if (operator === "-" && typeof value === "number") return -value;
  if (operator === "+" && typeof value === "number") return value;
  throw new TemplateError(`${operator} does not work on ${pythonRepr(value)}`);
}

function binary(node: Node, scope: Scope): unknown {
  const operator: string = node.operator.value;
  const left = known(evaluate(node.left, scope));
  if (operator === "and") return isTruthy(left) ? known(evaluate(node.right, scope)) : left;
  if (operator === "or") return isTruthy(left) ? left : known(evaluate(node.right, scope));
  const right = known(evaluate(node.right, scope));
  switch (operator) {
    case "~":
      return pythonStr(left) + pythonStr(right);
    case "==":
      return isEqual(left, right);
    case "!=":
      return !isEqual(left, right);
    case "in":
    case "not in": {
      const isIn =
        typeof right === "string" ? right.includes(String(left)) : sequence(right).some((item) => isEqual(item, left));
      return isIn === (operator === "in");
    }
    case "+":
      if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
      if (typeof left === "string" && typeof right === "string") return left + right;
  }
  if (typeof left === typeof right && (typeof left === "string" || typeof left === "number")) {
    if (operator === "<") return left < right!;
    if (operator === ">") return left > right!;
    if (operator === "<=") return left <= right!;
    if (operator === ">=") return left >= right!;
  }
  if (typeof left === "number" && typeof right === "number") {
    if (operator === "+") return left + right;
    if (operator === "-") return left - right;
    if (operator === "*") return left * right;
    if (operator === "/") return left / right;
    if (operator === "//") return Math.floor(left / right);
    if (operator === "%") return left - right * Math.floor(left / right);
  }
  throw new TemplateError(`${pythonRepr(left)} ${operator} ${pythonRepr(right)} cannot be computed`);
}
