/** What follows an operand: attributes, subscripts, calls, filters, tests. */
import type { Arguments, CallExpression, Expression, FilterExpression } from "./syntax_tree.ts";
import type { TokenStream } from "./token_stream.ts";

/** The parts of the grammar around it. */
export interface Grammar {
  expression(stream: TokenStream): Expression;
  primary(stream: TokenStream): Expression;
}

export const noArguments: Arguments = { positional: [], named: [], spread: null, spreadNamed: null };

/** `.name`, `[key]` and `(...)`, as many as there are. */
export function parsePostfix(grammar: Grammar, stream: TokenStream, node: Expression): Expression {
  while (true) {
    if (stream.isOperator(".", "[")) node = parseSubscript(grammar, stream, node);
    else if (stream.isOperator("(")) node = parseCall(grammar, stream, node);
    else return node;
  }
}

/** Filters, tests, and calls of what they give. */
export function parseSuffixes(grammar: Grammar, stream: TokenStream, node: Expression): Expression {
  while (true) {
    if (stream.isOperator("|")) {
      stream.next();
      node = parseFilter(grammar, stream, node);
    } else if (stream.isName("is")) node = parseTest(grammar, stream, node);
    else if (stream.isOperator("(")) node = parseCall(grammar, stream, node);
    else return node;
  }
}

function parseCall(grammar: Grammar, stream: TokenStream, callee: Expression): CallExpression {
  return { kind: "call", callee, args: parseArguments(grammar, stream) };
}

function parseSubscript(grammar: Grammar, stream: TokenStream, object: Expression): Expression {
  if (stream.skip("operator", ".")) {
    const token = stream.next();
    if (token.type === "name") return { kind: "attribute", object, name: token.value as string };
    if (token.type !== "number") stream.fail("expected name or number", token.line);
    return { kind: "item", object, key: { kind: "constant", value: token.value } };
  }
  stream.expect("operator", "[");
  const keys: Expression[] = [];
  while (!stream.isOperator("]")) {
    if (keys.length > 0) stream.expect("operator", ",");
    keys.push(parseKey(grammar, stream));
  }
  stream.expect("operator", "]");
  return { kind: "item", object, key: keys.length === 1 ? keys[0] : { kind: "tuple", items: keys } };
}

function parseKey(grammar: Grammar, stream: TokenStream): Expression {
  const part = () => (stream.isOperator(":", "]", ",") ? null : grammar.expression(stream));
  const start = part();
  if (!stream.skip("operator", ":")) return start ?? stream.fail("expected subscript expression");
  const stop = part();
  return { kind: "slice", start, stop, step: stream.skip("operator", ":") ? part() : null };
}

function parseArguments(grammar: Grammar, stream: TokenStream): Arguments {
  const { line } = stream.expect("operator", "(");
  const args: Arguments = { positional: [], named: [], spread: null, spreadNamed: null };
  const check = (isValid: boolean) => {
    if (!isValid) stream.fail("invalid syntax for function call expression", line);
  };
  for (let isFirst = true; !stream.isOperator(")"); isFirst = false) {
    if (!isFirst) {
      stream.expect("operator", ",");
      if (stream.isOperator(")")) break;
    }
    if (stream.skip("operator", "*")) {
      check(args.spread === null && args.spreadNamed === null);
      args.spread = grammar.expression(stream);
    } else if (stream.skip("operator", "**")) {
      check(args.spreadNamed === null);
      args.spreadNamed = grammar.expression(stream);
    } else if (stream.is("name") && stream.following.type === "operator" && stream.following.value === "=") {
      check(args.spreadNamed === null);
      const name = stream.next().value as string;
      stream.next();
      args.named.push({ name, value: grammar.expression(stream) });
    } else {
      check(args.spread === null && args.spreadNamed === null && args.named.length === 0);
      args.positional.push(grammar.expression(stream));
    }
  }
  stream.expect("operator", ")");
  return args;
}

function dottedName(stream: TokenStream): string {
  let name = stream.expect("name").value as string;
  while (stream.skip("operator", ".")) name += `.${stream.expect("name").value}`;
  return name;
}

/** The filter behind a `|` that has been read. */
export function parseFilter(grammar: Grammar, stream: TokenStream, operand: Expression | null): FilterExpression {
  const { line } = stream.current;
  const name = dottedName(stream);
  const args = stream.isOperator("(") ? parseArguments(grammar, stream) : noArguments;
  return { kind: "filter", operand, name, args, line };
}

function parseTest(grammar: Grammar, stream: TokenStream, operand: Expression): Expression {
  const { line } = stream.expect("name", "is");
  const isNegated = stream.skip("name", "not");
  const name = dottedName(stream);
  let args = noArguments;
  if (stream.isOperator("(")) args = parseArguments(grammar, stream);
  else if (
    stream.is("string") ||
    stream.is("number") ||
    stream.isOperator("[", "{") ||
    (stream.is("name") && !stream.isName("else", "or", "and"))
  ) {
    if (stream.isName("is")) stream.fail("You cannot chain multiple tests with is");
    args = { ...noArguments, positional: [parsePostfix(grammar, stream, grammar.primary(stream))] };
  }
  const test: Expression = { kind: "test", operand, name, args, line };
  return isNegated ? { kind: "not", operand: test } : test;
}
