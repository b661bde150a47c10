/** Statements as functions that write. */

import { PythonIterator } from "../python/iterators.ts";
import { iterate } from "../python/sequences.ts";
import { isTruthy, pythonStr } from "../python/values.ts";
import { undefinedOf } from "./attributes.ts";
import {
  type CompileContext,
  callableOf,
  compileArguments,
  compileExpression,
  compileFilter,
  type Evaluate,
  printed,
} from "./compile_expression.ts";
import { JinjaError } from "./jinja_error.ts";
import { LoopContext } from "./loop_context.ts";
import { Macro } from "./macro.ts";
import { macroNames, Names, undeclaredNames } from "./names.ts";
import { Namespace } from "./namespace.ts";
import { Output } from "./output.ts";
import type { Scope } from "./scope.ts";
import type { CallStatement, ForStatement, MacroStatement, Parameter, Statement, Target } from "./syntax_tree.ts";

/** How a loop is left early. */
export type Signal = "break" | "continue" | undefined;
export type Run = (scope: Scope, output: Output) => Signal;

/** Statements one after the other. */
export function compileBody(statements: readonly Statement[], context: CompileContext): Run {
  const steps = statements.map((statement) => {
    const run = compileStatement(statement, context);
    const { line } = statement;
    return (scope: Scope, output: Output) => {
      scope.state.line = line;
      return run(scope, output);
    };
  });
  return (scope, output) => {
    for (const step of steps) {
      const signal = step(scope, output);
      if (signal !== undefined) return signal;
    }
    return undefined;
  };
}

/** The text of a body in a scope. */
function textIn(run: Run, scope: Scope): string {
  const output = new Output();
  run(scope, output);
  return output.text();
}

/** A body that is a scope of its own. */
function compileScoped(body: readonly Statement[], names: Names, context: CompileContext): Run {
  const run = compileBody(body, { ...context, names, isConditional: false });
  const { missing } = names;
  return (scope, output) => run(scope.inner(missing), output);
}

type Assign = (scope: Scope, value: unknown) => void;

function compileTarget(target: Target): Assign {
  if (target.kind === "target") return (scope, value) => scope.set(target.name, value);
  if (target.kind === "namespace") {
    return (scope, value) => {
      const namespace = scope.get(target.name);
      if (!(namespace instanceof Namespace)) throw new JinjaError("cannot assign attribute on non-namespace object");
      namespace.set(target.attribute, value);
    };
  }
  const items = target.items.map(compileTarget);
  return (scope, value) => {
    const values = [...iterate(value)];
    if (values.length !== items.length) {
      const problem = values.length < items.length ? "not enough values" : "too many values";
      throw new JinjaError(`${problem} to unpack (expected ${items.length}, got ${values.length})`);
    }
    for (const [i, assign] of items.entries()) assign(scope, values[i]);
  };
}

function compileOutput({ parts }: Statement & { kind: "output" }, context: CompileContext): Run {
  const writers = parts.map((part): Run => {
    if (typeof part === "string") return (_scope, output) => void output.write(part);
    const evaluate = compileExpression(part, context);
    return (scope, output) => void output.write(printed(evaluate(scope)));
  });
  return (scope, output) => {
    for (const write of writers) write(scope, output);
    return undefined;
  };
}

function compileIf({ test, body, otherwise }: Statement & { kind: "if" }, context: CompileContext): Run {
  const inner = { ...context, isConditional: true };
  const [condition, then, other] = [
    compileExpression(test, inner),
    compileBody(body, inner),
    compileBody(otherwise, inner),
  ];
  return (scope, output) => (isTruthy(condition(scope)) ? then : other)(scope, output);
}

/** The items for which the test of a loop holds, one by one. */
function compileLoopTest(statement: ForStatement, context: CompileContext): (items: unknown, scope: Scope) => unknown {
  if (statement.test === null) return (items) => items;
  const assign = compileTarget(statement.target);
  const names = new Names(context.names).declareTarget(statement.target).visitAll([statement.test]);
  const test = compileExpression(statement.test, { ...context, names, isConditional: false });
  return (items, scope) => {
    const inner = scope.inner(["loop"]);
    const kept = function* () {
      for (const item of iterate(items)) {
        assign(inner, item);
        if (isTruthy(test(inner))) yield item;
      }
    };
    return new PythonIterator(kept());
  };
}

function compileFor(statement: ForStatement, context: CompileContext): Run {
  const names = new Names(context.names);
  names.declare("loop");
  names.declareTarget(statement.target).visitAll(statement.body);
  const { missing } = names;
  const items = compileExpression(statement.items, context);
  const assign = compileTarget(statement.target);
  const select = compileLoopTest(statement, context);
  const body = compileBody(statement.body, { ...context, names, isConditional: false });
  const otherwise = compileScoped(statement.otherwise, new Names(context.names).visitAll(statement.otherwise), context);
  const loopOver = (values: unknown, scope: Scope, output: Output, depth: number): Signal => {
    const recurse = (inner: unknown, depth: number): string => {
      const text = new Output();
      loopOver(inner, scope, text, depth);
      return text.text();
    };
    const { state } = scope;
    const loop = new LoopContext(
      state.environment,
      select(values, scope),
      statement.isRecursive ? recurse : null,
      depth,
    );
    let isEmpty = true;
    while (loop.advance()) {
      isEmpty = false;
      state.countRound();
      const inner = scope.inner(missing);
      inner.set("loop", loop);
      assign(inner, loop.current);
      if (body(inner, output) === "break") break;
    }
    if (isEmpty) return otherwise(scope, output);
    return undefined;
  };
  return (scope, output) => loopOver(items(scope), scope, output, 0);
}

function compileMacro(statement: MacroStatement | CallStatement, context: CompileContext): (scope: Scope) => Macro {
  const { parameters } = statement;
  const special = undeclaredNames(statement.body, ["caller", "kwargs", "varargs"]);
  const parameterNames = parameters.map(({ name }) => name);
  if (special.has("caller") && parameters.some(({ name, otherwise }) => name === "caller" && otherwise === null)) {
    throw new JinjaError('the parameter "caller" must be left out, or have a default', statement.line);
  }
  for (const name of parameterNames) special.delete(name);
  const names = macroNames(context.names, statement, special);
  const { missing } = names;
  const inner = { ...context, names, isConditional: false };
  const body = compileBody(statement.body, inner);
  const defaults = parameters.map((parameter) => compileDefault(parameter, inner));
  const name = statement.kind === "macro" ? statement.name : null;
  return (scope) =>
    new Macro(context.environment, { name, parameters: parameterNames, special }, (values) => {
      const { line } = scope.state;
      const own = scope.inner(missing);
      for (const [key, value] of values) own.set(key, value);
      parameterNames.forEach((parameter, i) => {
        if (!values.has(parameter)) own.set(parameter, defaults[i](own));
      });
      const text = textIn(body, own);
      scope.state.line = line;
      return text;
    });
}

function compileDefault({ name, otherwise }: Parameter, context: CompileContext): Evaluate {
  if (otherwise) return compileExpression(otherwise, context);
  return () => undefinedOf(context.environment, `parameter '${name}' was not provided`);
}

function compileCallBlock(statement: CallStatement, context: CompileContext): Run {
  const macro = compileMacro(statement, context);
  const callee = compileExpression(statement.call.callee, context);
  const evaluateArguments = compileArguments(statement.call.args, context);
  return (scope, output) => {
    const call = callableOf(callee(scope));
    const [args, kwargs] = evaluateArguments(scope);
    output.write(pythonStr(call(args, new Map([...kwargs, ["caller", macro(scope)]]))));
    return undefined;
  };
}

function compileSetBlock(statement: Statement & { kind: "set block" }, context: CompileContext): Run {
  const names = new Names(context.names).visitAll(statement.body);
  const body = compileBody(statement.body, { ...context, names, isConditional: false });
  const { missing } = names;
  const assign = compileTarget(statement.target);
  const filter = statement.filter && compileFilter(statement.filter, { ...context, names });
  return (scope) => {
    const inner = scope.inner(missing);
    const text = textIn(body, inner);
    assign(scope, filter ? filter(text, inner) : text);
    return undefined;
  };
}

function compileWith(statement: Statement & { kind: "with" }, context: CompileContext): Run {
  const names = new Names(context.names);
  for (const target of statement.targets) names.declareTarget(target);
  names.visitAll(statement.body);
  const values = statement.values.map((value) => compileExpression(value, context));
  const assigns = statement.targets.map(compileTarget);
  const body = compileBody(statement.body, { ...context, names, isConditional: false });
  const { missing } = names;
  return (scope, output) => {
    const inner = scope.inner(missing);
    for (const [i, assign] of assigns.entries()) assign(inner, values[i](scope));
    return body(inner, output);
  };
}

function compileFilterBlock(statement: Statement & { kind: "filter block" }, context: CompileContext): Run {
  const names = new Names(context.names).visitAll([...statement.body, statement.filter]);
  const body = compileBody(statement.body, { ...context, names, isConditional: false });
  const filter = compileFilter(statement.filter, { ...context, names });
  const { missing } = names;
  return (scope, output) => {
    const inner = scope.inner(missing);
    output.write(printed(filter(textIn(body, inner), inner)));
    return undefined;
  };
}

function compileGeneration({ body }: Statement & { kind: "generation" }, context: CompileContext): Run {
  const run = compileScoped(body, new Names(context.names).visitAll(body), context);
  return (scope, output) => {
    const start = output.length;
    run(scope, output);
    output.spans.push([start, output.length]);
    return undefined;
  };
}

function compileStatement(statement: Statement, context: CompileContext): Run {
  switch (statement.kind) {
    case "output":
      return compileOutput(statement, context);
    case "if":
      return compileIf(statement, context);
    case "for":
      return compileFor(statement, context);
    case "set": {
      const [value, assign] = [compileExpression(statement.value, context), compileTarget(statement.target)];
      return (scope) => void assign(scope, value(scope));
    }
    case "set block":
      return compileSetBlock(statement, context);
    case "macro": {
      const macro = compileMacro(statement, context);
      return (scope) => void scope.set(statement.name, macro(scope));
    }
    case "call block":
      return compileCallBlock(statement, context);
    case "filter block":
      return compileFilterBlock(statement, context);
    case "with":
      return compileWith(statement, context);
    case "block": {
      const run = compileScoped(statement.body, new Names(context.names).visitAll(statement.body), context);
      return (scope, output) => void run(scope, output);
    }
    case "generation":
      return compileGeneration(statement, context);
    case "break":
    case "continue": {
      const { kind } = statement;
      return () => kind;
    }
  }
}
