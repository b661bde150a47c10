/** Statements of Jinja2's grammar; the loop controls, and the `generation` blocks of transformers' chat templates. */
import { grammar, parseExpression, parseTarget, parseTuple } from "./expression_parser.ts";
import { tokenize } from "./lexer.ts";
import { parseFilter } from "./postfix_parser.ts";
import type { Expression, FilterExpression, Parameter, Statement, Target } from "./syntax_tree.ts";
import { TokenStream } from "./token_stream.ts";
import type { LexerOptions } from "./tokens.ts";

export interface ParserOptions extends LexerOptions {
  /** Tags beyond Jinja2's own: `break` and `continue`, `generation`. */
  extensions: readonly ("loop controls" | "generation")[];
}

class Parser {
  readonly #stream: TokenStream;
  readonly #options: ParserOptions;
  readonly #open: { tag: string; ends: readonly string[] }[] = [];

  constructor(source: string, options: ParserOptions) {
    this.#stream = new TokenStream(tokenize(source, options));
    this.#options = options;
  }

  template(): Statement[] {
    return this.#statements([]);
  }

  /** Up to one of the tags `ends`, which is left to be read; without any, to the end. */
  #statements(ends: readonly string[]): Statement[] {
    const stream = this.#stream;
    const statements: Statement[] = [];
    let parts: (string | Expression)[] = [];
    let { line } = stream.current;
    const flush = () => {
      if (parts.length > 0) statements.push({ kind: "output", line, parts });
      parts = [];
    };
    while (!stream.is("end")) {
      if (parts.length === 0) line = stream.current.line;
      if (stream.is("data")) parts.push(stream.next().value as string);
      else if (stream.is("variable_begin")) {
        // An error in it shall name its own line.
        if (parts.length > 0 && stream.current.line !== line) flush();
        line = stream.next().line;
        parts.push(parseTuple(stream));
        stream.expect("variable_end");
      } else {
        flush();
        stream.expect("block_begin");
        if (ends.length > 0 && stream.isName(...ends)) return statements;
        statements.push(this.#statement());
        stream.expect("block_end");
      }
    }
    if (ends.length > 0) this.#failOnTag(null);
    flush();
    return statements;
  }

  /** The body of a block, to the tag that ends it, which is read. */
  #body(tag: string, ...ends: string[]): { body: Statement[]; end: string } {
    const stream = this.#stream;
    stream.skip("operator", ":");
    stream.expect("block_end");
    this.#open.push({ tag, ends });
    const body = this.#statements(ends);
    this.#open.pop();
    return { body, end: stream.next().value as string };
  }

  #failOnTag(name: string | null): never {
    const open = this.#open.at(-1);
    let message = name === null ? "Unexpected end of template." : `Encountered unknown tag '${name}'.`;
    if (open) {
      const wanted = open.ends.map((end) => `'${end}'`).join(" or ");
      const isKnown = name !== null && this.#open.some(({ ends }) => ends.includes(name));
      message += isKnown
        ? ` You probably made a nesting mistake: the template needs ${wanted} first.`
        : ` It needs one of the following tags: ${wanted}.`;
      message += ` The innermost block that needs to be closed is '${open.tag}'.`;
    }
    this.#stream.fail(message);
  }

  #statement(): Statement {
    const stream = this.#stream;
    const { line } = stream.current;
    if (!stream.is("name")) stream.fail("tag name expected");
    const tag = stream.current.value as string;
    const has = (extension: "loop controls" | "generation") => this.#options.extensions.includes(extension);
    switch (tag) {
      case "if":
        stream.next();
        return this.#if(line);
      case "for":
        stream.next();
        return this.#for(line);
      case "set":
        stream.next();
        return this.#set(line);
      case "macro": {
        stream.next();
        const name = stream.expect("name").value as string;
        const parameters = this.#parameters();
        return { kind: "macro", line, name, parameters, body: this.#body("macro", "endmacro").body };
      }
      case "call": {
        stream.next();
        const parameters = stream.isOperator("(") ? this.#parameters() : [];
        const call = parseExpression(stream);
        if (call.kind !== "call") return stream.fail("expected call", line);
        return { kind: "call block", line, call, parameters, body: this.#body("call", "endcall").body };
      }
      case "filter": {
        stream.next();
        const filter = this.#filters(parseFilter(grammar, stream, null))!;
        return { kind: "filter block", line, filter, body: this.#body("filter", "endfilter").body };
      }
      case "with":
        stream.next();
        return this.#with(line);
      case "print": {
        stream.next();
        const parts = [parseExpression(stream)];
        while (stream.skip("operator", ",")) parts.push(parseExpression(stream));
        return { kind: "output", line, parts };
      }
      case "block": {
        stream.next();
        const name = stream.expect("name").value as string;
        while (stream.isName("scoped", "required")) stream.next();
        const { body } = this.#body("block", "endblock");
        stream.skip("name", name);
        return { kind: "block", line, name, body };
      }
      case "extends":
      case "include":
      case "import":
      case "from":
        return stream.fail(`{% ${tag} %} needs other templates, and there are none`);
      case "autoescape":
        return stream.fail("{% autoescape %} is not supported");
    }
    if ((tag === "break" || tag === "continue") && has("loop controls")) {
      stream.next();
      return { kind: tag, line };
    }
    if (tag === "generation" && has("generation")) {
      stream.next();
      return { kind: "generation", line, body: this.#body("generation", "endgeneration").body };
    }
    this.#failOnTag(tag);
  }

  #if(line: number): Statement {
    const test = parseTuple(this.#stream, { allowsCondition: false });
    const { body, end } = this.#body("if", "elif", "else", "endif");
    const elseLine = this.#stream.current.line;
    if (end === "elif") return { kind: "if", line, test, body, otherwise: [this.#if(elseLine)] };
    return { kind: "if", line, test, body, otherwise: end === "else" ? this.#body("if", "endif").body : [] };
  }

  #for(line: number): Statement {
    const stream = this.#stream;
    const target = parseTarget(stream, false, ["in"]);
    stream.expect("name", "in");
    const items = parseTuple(stream, { allowsCondition: false, ends: ["recursive"] });
    const test = stream.skip("name", "if") ? parseExpression(stream) : null;
    const isRecursive = stream.skip("name", "recursive");
    const { body, end } = this.#body("for", "endfor", "else");
    const otherwise = end === "else" ? this.#body("for", "endfor").body : [];
    return { kind: "for", line, target, items, test, isRecursive, body, otherwise };
  }

  #set(line: number): Statement {
    const stream = this.#stream;
    const target = parseTarget(stream, true);
    if (stream.skip("operator", "=")) return { kind: "set", line, value: parseTuple(stream), target };
    const filter = this.#filters(null);
    return { kind: "set block", line, target, filter, body: this.#body("set", "endset").body };
  }

  /** Filters behind `filter`, each behind a `|`. */
  #filters(filter: FilterExpression | null): FilterExpression | null {
    while (this.#stream.skip("operator", "|")) filter = parseFilter(grammar, this.#stream, filter);
    return filter;
  }

  #with(line: number): Statement {
    const stream = this.#stream;
    const [targets, values]: [Target[], Expression[]] = [[], []];
    while (!stream.is("block_end")) {
      if (targets.length > 0) stream.expect("operator", ",");
      targets.push(parseTarget(stream));
      stream.expect("operator", "=");
      values.push(parseExpression(stream));
    }
    return { kind: "with", line, targets, values, body: this.#body("with", "endwith").body };
  }

  #parameters(): Parameter[] {
    const stream = this.#stream;
    const parameters: Parameter[] = [];
    stream.expect("operator", "(");
    while (!stream.isOperator(")")) {
      if (parameters.length > 0) stream.expect("operator", ",");
      const name = stream.expect("name").value as string;
      const otherwise = stream.skip("operator", "=") ? parseExpression(stream) : null;
      if (otherwise === null && parameters.at(-1)?.otherwise) {
        stream.fail("non-default argument follows default argument");
      }
      parameters.push({ kind: "parameter", name, otherwise });
    }
    stream.expect("operator", ")");
    return parameters;
  }
}

/** @throws {JinjaError} with the line */
export function parseTemplate(source: string, options: ParserOptions): Statement[] {
  return new Parser(source, options).template();
}
