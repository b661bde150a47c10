/** Expressions of Jinja2's grammar, by precedence, from the loosest. */
import type { BinaryOperator } from "../python/python_object.ts";
import { type Grammar, parsePostfix, parseSuffixes } from "./postfix_parser.ts";
import type { CompareOperator, Expression, Target } from "./syntax_tree.ts";
import { describeToken, type TokenStream } from "./token_stream.ts";

export const grammar: Grammar = { expression: (stream) => parseExpression(stream), primary: parsePrimary };

export interface TupleOptions {
  allowsCondition?: boolean;
  /** Names that end the tuple. */
  ends?: readonly string[];
  isInParentheses?: boolean;
}

function isTupleEnd(stream: TokenStream, ends: readonly string[]): boolean {
  if (stream.is("variable_end") || stream.is("block_end") || stream.isOperator(")")) return true;
  return ends.length > 0 && stream.isName(...ends);
}

/** An expression, or a tuple of several without parentheses. */
export function parseTuple(stream: TokenStream, options: TupleOptions = {}): Expression {
  const { allowsCondition = true, ends = [], isInParentheses = false } = options;
  const items: Expression[] = [];
  let isTuple = false;
  while (true) {
    if (items.length > 0) stream.expect("operator", ",");
    if (isTupleEnd(stream, ends)) break;
    items.push(parseExpression(stream, allowsCondition));
    if (!stream.isOperator(",")) break;
    isTuple = true;
  }
  if (!isTuple) {
    if (items.length > 0) return items[0];
    if (!isInParentheses) stream.fail(`Expected an expression, got '${describeToken(stream.current)}'`);
  }
  return { kind: "tuple", items };
}

export function parseExpression(stream: TokenStream, allowsCondition = true): Expression {
  return allowsCondition ? parseCondition(stream) : parseOr(stream);
}

function parseCondition(stream: TokenStream): Expression {
  let then = parseOr(stream);
  while (stream.skip("name", "if")) {
    const test = parseOr(stream);
    const otherwise = stream.skip("name", "else") ? parseCondition(stream) : null;
    then = { kind: "condition", test, then, otherwise };
  }
  return then;
}

function parseOr(stream: TokenStream): Expression {
  let left = parseAnd(stream);
  while (stream.skip("name", "or")) left = { kind: "or", left, right: parseAnd(stream) };
  return left;
}

function parseAnd(stream: TokenStream): Expression {
  let left = parseNot(stream);
  while (stream.skip("name", "and")) left = { kind: "and", left, right: parseNot(stream) };
  return left;
}

function parseNot(stream: TokenStream): Expression {
  return stream.skip("name", "not") ? { kind: "not", operand: parseNot(stream) } : parseComparison(stream);
}

function comparisonOperator(stream: TokenStream): CompareOperator | undefined {
  if (stream.isOperator("==", "!=", "<", "<=", ">", ">=")) return stream.next().value as CompareOperator;
  if (stream.skip("name", "in")) return "in";
  if (!stream.isName("not") || stream.following.type !== "name" || stream.following.value !== "in") return undefined;
  stream.next();
  stream.next();
  return "not in";
}

function parseComparison(stream: TokenStream): Expression {
  const first = parseSum(stream);
  const rest: { operator: CompareOperator; operand: Expression }[] = [];
  for (let operator = comparisonOperator(stream); operator; operator = comparisonOperator(stream)) {
    rest.push({ operator, operand: parseSum(stream) });
  }
  return rest.length === 0 ? first : { kind: "compare", first, rest };
}

/** Operators of one precedence, from the left. */
function parseBinary(stream: TokenStream, operators: string[], operand: (stream: TokenStream) => Expression) {
  let left = operand(stream);
  while (stream.isOperator(...operators)) {
    const operator = stream.next().value as BinaryOperator;
    left = { kind: "binary", operator, left, right: operand(stream) };
  }
  return left;
}

const parseSum = (stream: TokenStream) => parseBinary(stream, ["+", "-"], parseConcatenation);
const parseProduct = (stream: TokenStream) => parseBinary(stream, ["*", "/", "//", "%"], parsePower);
/** Jinja2 takes powers from the left: 2 ** 3 ** 2 is 64. */
const parsePower = (stream: TokenStream) => parseBinary(stream, ["**"], (inner) => parseUnary(inner, true));

function parseConcatenation(stream: TokenStream): Expression {
  const parts = [parseProduct(stream)];
  while (stream.skip("operator", "~")) parts.push(parseProduct(stream));
  return parts.length === 1 ? parts[0] : { kind: "concat", parts };
}

function parseUnary(stream: TokenStream, withFilters: boolean): Expression {
  let node: Expression;
  if (stream.isOperator("-", "+")) {
    const operator = stream.next().value as "-" | "+";
    node = { kind: "unary", operator, operand: parseUnary(stream, false) };
  } else node = parsePrimary(stream);
  node = parsePostfix(grammar, stream, node);
  return withFilters ? parseSuffixes(grammar, stream, node) : node;
}

const constants = new Map<unknown, unknown>([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["none", null],
  ["None", null],
]);

export function parsePrimary(stream: TokenStream): Expression {
  const token = stream.current;
  if (token.type === "name") {
    stream.next();
    if (constants.has(token.value)) return { kind: "constant", value: constants.get(token.value) };
    return { kind: "name", name: token.value as string };
  }
  if (token.type === "string") {
    let value = "";
    // Strings side by side are one.
    while (stream.is("string")) value += stream.next().value as string;
    return { kind: "constant", value };
  }
  if (token.type === "number") return { kind: "constant", value: stream.next().value };
  if (stream.skip("operator", "(")) {
    const node = parseTuple(stream, { isInParentheses: true });
    stream.expect("operator", ")");
    return node;
  }
  if (stream.skip("operator", "[")) return { kind: "list", items: parseItems(stream, "]", parseExpression) };
  if (stream.skip("operator", "{")) {
    const pair = () => {
      const key = parseExpression(stream);
      stream.expect("operator", ":");
      return { key, value: parseExpression(stream) };
    };
    return { kind: "dict", pairs: parseItems(stream, "}", pair) };
  }
  stream.fail(`unexpected '${describeToken(token)}'`, token.line);
}

function parseItems<T>(stream: TokenStream, close: string, item: (stream: TokenStream) => T): T[] {
  const items: T[] = [];
  while (!stream.isOperator(close)) {
    if (items.length > 0) stream.expect("operator", ",");
    if (stream.isOperator(close)) break;
    items.push(item(stream));
  }
  stream.expect("operator", close);
  return items;
}

/** @param withNamespace `ns.name` may be assigned to */
export function parseTarget(stream: TokenStream, withNamespace = false, ends: readonly string[] = []): Target {
  const items: Target[] = [];
  const { line } = stream.current;
  let isTuple = false;
  while (true) {
    if (items.length > 0) stream.expect("operator", ",");
    if (isTupleEnd(stream, ends)) break;
    items.push(parseOneTarget(stream, withNamespace));
    if (!stream.isOperator(",")) break;
    isTuple = true;
  }
  if (items.length === 0) stream.fail(`Expected an expression, got '${describeToken(stream.current)}'`, line);
  return isTuple ? { kind: "targets", items } : items[0];
}

function parseOneTarget(stream: TokenStream, withNamespace: boolean): Target {
  if (stream.skip("operator", "(")) {
    const inner = parseTarget(stream, withNamespace);
    stream.expect("operator", ")");
    return inner;
  }
  const { line } = stream.current;
  const node = parsePrimary(stream);
  if (node.kind !== "name") stream.fail(`can't assign to '${node.kind === "constant" ? "const" : node.kind}'`, line);
  if (withNamespace && stream.skip("operator", ".")) {
    return { kind: "namespace", name: node.name, attribute: stream.expect("name").value as string };
  }
  return { kind: "target", name: node.name };
}
