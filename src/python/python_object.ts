/** Values of Python that have no counterpart in JavaScript say here how they behave. */
import type { Kwargs } from "./signature.ts";

export type BinaryOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**";

export abstract class PythonObject {
  /** `type(value).__name__`. */
  abstract readonly typeName: string;

  /** `repr(value)`. */
  abstract repr(): string;

  /** `str(value)`. */
  str(): string {
    return this.repr();
  }

  /** JavaScript's own conversions, template literals included, give Python's text. */
  toString(): string {
    return this.str();
  }

  /** The text, if this is a kind of `str`. */
  asText(): string | undefined {
    return undefined;
  }

  /** `bool(value)`. */
  isTruthy(): boolean {
    return true;
  }

  /** `hash(value)`, as a text that is the same for equal values; undefined if it has none. */
  hash(): string | undefined {
    return `${this.typeName} ${this.repr()}`;
  }

  /** `value == other`. */
  equals(other: unknown): boolean {
    return this === other;
  }

  /** `value < other`; undefined if the two have no order. */
  isLess(_other: unknown): boolean | undefined {
    return undefined;
  }

  /** `value <operator> other`, or the other way round; undefined if that cannot be computed. */
  binary(_operator: BinaryOperator, _other: unknown, _isLeft: boolean): unknown {
    return undefined;
  }

  /** `getattr(value, name)`; undefined if there is none. */
  attribute(_name: string): unknown {
    return undefined;
  }

  /** `value[key]`; undefined if there is none. */
  item(_key: unknown): unknown {
    return undefined;
  }

  /** `iter(value)`; undefined if it cannot be iterated over. */
  iterate(): Iterable<unknown> | undefined {
    return undefined;
  }

  /** `len(value)`; undefined if it has none. */
  length(): number | undefined {
    return undefined;
  }

  /** `value(*args, **kwargs)`; undefined if it cannot be called. */
  get call(): ((args: readonly unknown[], kwargs: Kwargs) => unknown) | undefined {
    return undefined;
  }
}
