/**
 * The tree of a template. Fields that hold nodes stand in the order in which Jinja2 visits them: `names.ts` depends
 * on it.
 */
import type { BinaryOperator } from "../python/python_object.ts";

export interface Arguments {
  positional: Expression[];
  named: { name: string; value: Expression }[];
  /** `*args` and `**kwargs`. */
  spread: Expression | null;
  spreadNamed: Expression | null;
}

export type CompareOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in";

export interface CallExpression {
  kind: "call";
  callee: Expression;
  args: Arguments;
}

/** `operand` is null in a filter block: what is filtered is its text. */
export interface FilterExpression {
  kind: "filter";
  operand: Expression | null;
  name: string;
  args: Arguments;
  line: number;
}

export interface SliceExpression {
  kind: "slice";
  start: Expression | null;
  stop: Expression | null;
  step: Expression | null;
}

export type Expression =
  | { kind: "constant"; value: unknown }
  | { kind: "name"; name: string }
  | { kind: "list"; items: Expression[] }
  | { kind: "tuple"; items: Expression[] }
  | { kind: "dict"; pairs: { key: Expression; value: Expression }[] }
  | { kind: "attribute"; object: Expression; name: string }
  | { kind: "item"; object: Expression; key: Expression }
  | SliceExpression
  | CallExpression
  | FilterExpression
  | { kind: "test"; operand: Expression; name: string; args: Arguments; line: number }
  | { kind: "not"; operand: Expression }
  | { kind: "and"; left: Expression; right: Expression }
  | { kind: "or"; left: Expression; right: Expression }
  | { kind: "compare"; first: Expression; rest: { operator: CompareOperator; operand: Expression }[] }
  | { kind: "binary"; operator: BinaryOperator; left: Expression; right: Expression }
  | { kind: "unary"; operator: "-" | "+"; operand: Expression }
  | { kind: "concat"; parts: Expression[] }
  | { kind: "condition"; test: Expression; then: Expression; otherwise: Expression | null };

/** What is assigned to. */
export type Target =
  | { kind: "target"; name: string }
  | { kind: "targets"; items: Target[] }
  | { kind: "namespace"; name: string; attribute: string };

export interface Parameter {
  kind: "parameter";
  name: string;
  otherwise: Expression | null;
}

export interface ForStatement {
  kind: "for";
  line: number;
  target: Target;
  items: Expression;
  test: Expression | null;
  isRecursive: boolean;
  body: Statement[];
  otherwise: Statement[];
}

export interface MacroStatement {
  kind: "macro";
  line: number;
  name: string;
  parameters: Parameter[];
  body: Statement[];
}

export interface CallStatement {
  kind: "call block";
  line: number;
  call: CallExpression;
  parameters: Parameter[];
  body: Statement[];
}

export type Statement =
  | { kind: "output"; line: number; parts: (string | Expression)[] }
  | { kind: "if"; line: number; test: Expression; body: Statement[]; otherwise: Statement[] }
  | ForStatement
  | { kind: "set"; line: number; value: Expression; target: Target }
  | { kind: "set block"; line: number; target: Target; filter: FilterExpression | null; body: Statement[] }
  | MacroStatement
  | CallStatement
  | { kind: "filter block"; line: number; filter: FilterExpression; body: Statement[] }
  | { kind: "with"; line: number; targets: Target[]; values: Expression[]; body: Statement[] }
  | { kind: "block"; line: number; name: string; body: Statement[] }
  | { kind: "generation"; line: number; body: Statement[] }
  | { kind: "break" | "continue"; line: number };
