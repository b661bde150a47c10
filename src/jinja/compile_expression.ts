/** Expressions as functions of the scope. */
import { append } from "../arrays/large_arrays.ts";
import { binary, unary } from "../python/arithmetic.ts";
import { dictArguments } from "../python/container_methods.ts";
import { PythonDict } from "../python/dict.ts";
import { isLess } from "../python/order.ts";
import { PythonObject } from "../python/python_object.ts";
import { contains, iterate } from "../python/sequences.ts";
import { type Callable, type Kwargs, noKwargs } from "../python/signature.ts";
import { isEqual, isTruthy, pythonStr, pythonTuple, textOf, typeName } from "../python/values.ts";
import { attributeOf, slice, subscript, undefinedOf } from "./attributes.ts";
import type { Environment } from "./environment.ts";
import { JinjaError } from "./jinja_error.ts";
import type { Names } from "./names.ts";
import type { Scope } from "./scope.ts";
import type { Arguments, CompareOperator, Expression, FilterExpression, SliceExpression } from "./syntax_tree.ts";

export type Evaluate = (scope: Scope) => unknown;
export type EvaluateArguments = (scope: Scope) => [args: unknown[], kwargs: Kwargs];

export interface CompileContext {
  environment: Environment;
  names: Names;
  /** Under an `if`: a filter that does not exist is an error only where it is used. */
  isConditional: boolean;
}

const comparisons: Record<CompareOperator, (a: unknown, b: unknown) => boolean> = {
  "==": isEqual,
  "!=": (a, b) => !isEqual(a, b),
  "<": isLess,
  ">": (a, b) => isLess(b, a),
  "<=": (a, b) => isLess(a, b) || isEqual(a, b),
  ">=": (a, b) => isLess(b, a) || isEqual(a, b),
  in: (a, b) => contains(b, a),
  "not in": (a, b) => !contains(b, a),
};

export function compare(operator: CompareOperator, a: unknown, b: unknown): boolean {
  return comparisons[operator](a, b);
}

/** @throws {JinjaError} if the value cannot be called */
export function callableOf(value: unknown): Callable {
  if (typeof value === "function") return value as Callable;
  const call = value instanceof PythonObject ? value.call : undefined;
  if (call === undefined) throw new JinjaError(`'${typeName(value)}' object is not callable`);
  return call;
}

export function compileArguments(args: Arguments, context: CompileContext): EvaluateArguments {
  const positional = args.positional.map((value) => compileExpression(value, context));
  const named = args.named.map(({ name, value }) => [name, compileExpression(value, context)] as const);
  const spread = args.spread && compileExpression(args.spread, context);
  const spreadNamed = args.spreadNamed && compileExpression(args.spreadNamed, context);
  return (scope) => {
    const values = positional.map((evaluate) => evaluate(scope));
    if (named.length === 0 && spread === null && spreadNamed === null) return [values, noKwargs];
    if (spread) append(values, iterate(spread(scope)));
    const kwargs = new Map(named.map(([name, evaluate]) => [name, evaluate(scope)]));
    if (spreadNamed)
      for (const [name, value] of dictArguments([spreadNamed(scope)], noKwargs)) kwargs.set(String(name), value);
    return [values, kwargs];
  };
}

/**
 * A filter as a function of what it filters.
 * @throws {JinjaError} if there is no such filter
 */
export function compileFilter(
  node: FilterExpression,
  context: CompileContext,
): (value: unknown, scope: Scope) => unknown {
  const { environment } = context;
  const inner =
    node.operand?.kind === "filter" && isBlockFilter(node.operand) ? compileFilter(node.operand, context) : null;
  const evaluateArguments = compileArguments(node.args, context);
  const filter = Object.hasOwn(environment.filters, node.name) ? environment.filters[node.name] : undefined;
  if (filter === undefined) {
    const message = `No filter named '${node.name}'.`;
    if (!context.isConditional) throw new JinjaError(message, node.line);
    return () => {
      throw new JinjaError(message);
    };
  }
  return (value, scope) => {
    const operand = inner ? inner(value, scope) : value;
    const [args, kwargs] = evaluateArguments(scope);
    return filter(environment, operand, args, kwargs);
  };
}

/** True for a chain of filters that begins with the text of a block. */
function isBlockFilter(node: FilterExpression): boolean {
  if (node.operand === null) return true;
  return node.operand.kind === "filter" && isBlockFilter(node.operand);
}

function compileTest(node: Expression & { kind: "test" }, context: CompileContext): Evaluate {
  const { environment } = context;
  const operand = compileExpression(node.operand, context);
  const evaluateArguments = compileArguments(node.args, context);
  const test = Object.hasOwn(environment.tests, node.name) ? environment.tests[node.name] : undefined;
  if (test === undefined) {
    const message = `No test named '${node.name}'.`;
    if (!context.isConditional) throw new JinjaError(message, node.line);
    return () => {
      throw new JinjaError(message);
    };
  }
  return (scope) => {
    const value = operand(scope);
    const [args, kwargs] = evaluateArguments(scope);
    return test(environment, value, args, kwargs);
  };
}

function compileSlice(object: Evaluate, key: SliceExpression, context: CompileContext): Evaluate {
  const [start, stop, step] = [key.start, key.stop, key.step].map((part) =>
    part === null ? () => null : compileExpression(part, context),
  );
  return (scope) => slice(object(scope), start(scope), stop(scope), step(scope));
}

function compileCondition(node: Expression & { kind: "condition" }, context: CompileContext): Evaluate {
  const inner = { ...context, isConditional: true };
  const [test, then] = [compileExpression(node.test, inner), compileExpression(node.then, inner)];
  // Without `else` the value is undefined, and prints as nothing even where undefined values are errors.
  const otherwise = node.otherwise
    ? compileExpression(node.otherwise, inner)
    : () =>
        undefinedOf(
          { ...context.environment, strictUndefined: false },
          "the inline if-expression evaluated to false and no else section was defined.",
        );
  return (scope) => (isTruthy(test(scope)) ? then(scope) : otherwise(scope));
}

/** @throws {JinjaError} for filters and tests that do not exist */
export function compileExpression(node: Expression, context: CompileContext): Evaluate {
  const { environment } = context;
  const compile = (inner: Expression) => compileExpression(inner, context);
  switch (node.kind) {
    case "constant": {
      const { value } = node;
      return () => value;
    }
    case "name": {
      const { name } = node;
      return (scope) => scope.get(name);
    }
    case "list": {
      const items = node.items.map(compile);
      return (scope) => items.map((item) => item(scope));
    }
    case "tuple": {
      const items = node.items.map(compile);
      return (scope) => pythonTuple(items.map((item) => item(scope)));
    }
    case "dict": {
      const pairs = node.pairs.map(({ key, value }) => [compile(key), compile(value)] as const);
      return (scope) => new PythonDict(pairs.map(([key, value]) => [key(scope), value(scope)] as const));
    }
    case "attribute": {
      const [object, { name }] = [compile(node.object), node];
      return (scope) => attributeOf(environment, object(scope), name);
    }
    case "item": {
      const object = compile(node.object);
      if (node.key.kind === "slice") return compileSlice(object, node.key, context);
      const key = compile(node.key);
      return (scope) => subscript(environment, object(scope), key(scope));
    }
    case "slice":
      throw new JinjaError("a slice stands only in brackets behind a value");
    case "call": {
      const [callee, evaluateArguments] = [compile(node.callee), compileArguments(node.args, context)];
      return (scope) => callableOf(callee(scope))(...evaluateArguments(scope));
    }
    case "filter": {
      const [operand, filter] = [compile(node.operand!), compileFilter({ ...node, operand: null }, context)];
      return (scope) => filter(operand(scope), scope);
    }
    case "test":
      return compileTest(node, context);
    case "not": {
      const operand = compile(node.operand);
      return (scope) => !isTruthy(operand(scope));
    }
    case "and":
    case "or": {
      const [left, right, stopsAt] = [compile(node.left), compile(node.right), node.kind === "or"];
      return (scope) => {
        const value = left(scope);
        return isTruthy(value) === stopsAt ? value : right(scope);
      };
    }
    case "compare": {
      const first = compile(node.first);
      const rest = node.rest.map(({ operator, operand }) => [comparisons[operator], compile(operand)] as const);
      return (scope) => {
        let left = first(scope);
        return rest.every(([holds, operand]) => {
          const right = operand(scope);
          const result = holds(left, right);
          left = right;
          return result;
        });
      };
    }
    case "binary": {
      const [left, right, { operator }] = [compile(node.left), compile(node.right), node];
      return (scope) => binary(operator, left(scope), right(scope));
    }
    case "unary": {
      const [operand, { operator }] = [compile(node.operand), node];
      return (scope) => unary(operator, operand(scope));
    }
    case "concat": {
      const parts = node.parts.map(compile);
      return (scope) => parts.map((part) => pythonStr(part(scope))).join("");
    }
    case "condition":
      return compileCondition(node, context);
  }
}

/** A value as the text that is printed. */
export function printed(value: unknown): string {
  return typeof value === "string" ? value : (textOf(value) ?? pythonStr(value));
}
