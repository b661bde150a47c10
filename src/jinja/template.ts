/** A Jinja template, compiled once and rendered often, with the values and the text that Python's Jinja2 gives. */
import { PythonError } from "../python/python_error.ts";
import { type CompileContext, compileExpression, type Evaluate } from "./compile_expression.ts";
import { compileBody, type Run } from "./compile_statement.ts";
import type { Environment } from "./environment.ts";
import { JinjaError, RaisedError } from "./jinja_error.ts";
import { Names } from "./names.ts";
import { Output, type Span } from "./output.ts";
import { parseTemplate } from "./parser.ts";
import { RenderState, Scope } from "./scope.ts";
import type { Expression, Statement } from "./syntax_tree.ts";
import { Undefined } from "./undefined.ts";

export type Variables = Readonly<Record<string, unknown>>;

export interface Rendering {
  text: string;
  /** What stood in `{% generation %}` blocks outside of macros. */
  generated: Span[];
}

export class JinjaTemplate {
  readonly #environment: Environment;
  readonly #hasLines: boolean;
  readonly #missing: string[];
  readonly #body: Run;
  /** The expression that is the whole template. */
  readonly #only: Evaluate | null;

  /** @throws {JinjaError} if it is not Jinja, with the line */
  constructor(source: string, environment: Environment) {
    this.#environment = environment;
    this.#hasLines = /\n|\r/.test(source);
    try {
      const statements = parseTemplate(source, environment);
      const names = new Names(null).visitAll(statements);
      const context: CompileContext = { environment, names, isConditional: false };
      this.#missing = names.missing;
      this.#body = compileBody(statements, context);
      const only = onlyExpression(statements);
      this.#only = only && compileExpression(only, context);
    } catch (error) {
      throw this.#located(error, 1);
    }
  }

  /**
   * The text for some variables; those that are undefined in JavaScript are undefined in the template.
   * @throws {JinjaError} with the line
   */
  render(variables: Variables): string {
    return this.renderWithSpans(variables).text;
  }

  /** @throws {JinjaError} */
  renderWithSpans(variables: Variables): Rendering {
    const output = new Output();
    this.#compute(variables, (scope) => this.#body(scope, output));
    return { text: output.text(), generated: output.spans };
  }

  /**
   * The value itself if the template is one expression, `{{ choices.text }}`; else the rendered text.
   * @throws {JinjaError} also if the value is undefined
   */
  value(variables: Variables): unknown {
    const only = this.#only;
    if (only === null) return this.render(variables);
    return this.#compute(variables, (scope) => {
      const value = only(scope);
      if (value instanceof Undefined) return value.str();
      return value;
    });
  }

  #compute<T>(variables: Variables, action: (scope: Scope) => T): T {
    const state = new RenderState(this.#environment);
    const given = new Scope(state, null);
    for (const [name, value] of Object.entries(variables)) if (value !== undefined) given.set(name, value);
    try {
      return action(given.inner(this.#missing));
    } catch (error) {
      throw this.#located(error, state.line);
    }
  }

  /** An error with its line, if there are several; mistakes of our own as they are. */
  #located(error: unknown, line: number): unknown {
    if (error instanceof RaisedError) return error;
    let reason: string;
    // The stack, or the longest text.
    if (error instanceof RangeError) reason = `the template goes too far (${error.message})`;
    else if (error instanceof JinjaError || error instanceof PythonError) reason = error.message;
    else return error;
    const where = error instanceof JinjaError ? (error.line ?? line) : line;
    return new JinjaError(this.#hasLines ? `line ${where}: ${reason}` : reason, where);
  }
}

function onlyExpression(statements: readonly Statement[]): Expression | null {
  const [statement] = statements;
  if (statements.length !== 1 || statement.kind !== "output" || statement.parts.length !== 1) return null;
  const [part] = statement.parts;
  return typeof part === "string" ? null : part;
}
