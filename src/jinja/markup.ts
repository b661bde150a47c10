/** Text that counts as HTML (`escape`, `safe`, `tojson` of Jinja2): what is added to it is escaped. (MarkupSafe.) */
import { binary } from "../python/arithmetic.ts";
import { isDict } from "../python/dict.ts";
import { isLess } from "../python/order.ts";
import { type BinaryOperator, PythonObject } from "../python/python_object.ts";
import { itemOf } from "../python/sequences.ts";
import type { Callable } from "../python/signature.ts";
import { sliceOf } from "../python/slices.ts";
import { type FieldAccess, formatText } from "../python/str_format.ts";
import { plainAccess, textMethod } from "../python/text_methods.ts";
import { isNumeric, PythonTuple, pythonRepr, pythonStr, pythonTuple, textOf } from "../python/values.ts";

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&#34;" };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>'"]/g, (character) => entities[character]);
}

/** Methods whose arguments are escaped, by the position of the one that is. */
const escapedAt: Record<string, number> = { replace: 1, ljust: 1, rjust: 1, center: 1 };

export class Markup extends PythonObject {
  readonly typeName = "Markup";
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  override asText(): string {
    return this.text;
  }

  override str(): string {
    return this.text;
  }

  repr(): string {
    return `Markup(${pythonRepr(this.text)})`;
  }

  override isTruthy(): boolean {
    return this.text !== "";
  }

  override equals(other: unknown): boolean {
    return textOf(other) === this.text;
  }

  override isLess(other: unknown): boolean | undefined {
    const text = textOf(other);
    return text === undefined ? undefined : isLess(this.text, text);
  }

  override item(key: unknown): unknown {
    const item = itemOf(this.text, key);
    return item === undefined ? undefined : new Markup(item as string);
  }

  slice(start: unknown, stop: unknown, step: unknown): Markup {
    return new Markup(sliceOf(this.text, start, stop, step) as string);
  }

  override binary(operator: BinaryOperator, other: unknown, isLeft: boolean): unknown {
    if (operator === "+" && textOf(other) !== undefined) {
      const added = escapeValue(other).text;
      return new Markup(isLeft ? this.text + added : added + this.text);
    }
    if (operator === "*" && isNumeric(other)) return new Markup(binary("*", this.text, other) as string);
    if (operator !== "%" || !isLeft) return undefined;
    return new Markup(binary("%", this.text, escapedArguments(other)) as string);
  }

  method(name: string, access: FieldAccess = plainAccess): Callable | undefined {
    if (name === "format") {
      const keep = (formatted: string, value: unknown) => (value instanceof Markup ? formatted : escapeHtml(formatted));
      return (args, kwargs) => new Markup(formatText(this.text, args, kwargs, access, keep));
    }
    const method = textMethod(this.text, name, access);
    if (method === undefined) return undefined;
    return (args, kwargs) => {
      const given = args.map((value, i) => (i === escapedAt[name] ? escapeValue(value).text : value));
      if (name === "join") return new Markup(method([escapedList(args[0])], kwargs) as string);
      return marked(method(given, kwargs));
    };
  }
}

/** `escape(value)`. */
export function escapeValue(value: unknown): Markup {
  return value instanceof Markup ? value : new Markup(escapeHtml(pythonStr(value)));
}

function escapedList(items: unknown): unknown {
  return Array.isArray(items) ? items.map((item) => escapeValue(item).text) : items;
}

function escapedArguments(values: unknown): unknown {
  const escaped = (value: unknown) => (isNumeric(value) ? value : escapeValue(value).text);
  if (values instanceof PythonTuple) return pythonTuple(values.map(escaped));
  if (isDict(values)) return values;
  return escaped(values);
}

function marked(value: unknown): unknown {
  if (typeof value === "string") return new Markup(value);
  if (value instanceof PythonTuple) return pythonTuple(value.map(marked));
  return Array.isArray(value) ? value.map(marked) : value;
}
