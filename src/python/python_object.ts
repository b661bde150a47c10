/** Values of Python that have no counterpart in JavaScript say here how they behave. */

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

  /** `bool(value)`. */
  isTruthy(): boolean {
    return true;
  }

  /** `value == other`. */
  equals(other: unknown): boolean {
    return this === other;
  }

  /** `value < other`; undefined if the two have no order. */
  isLess(_other: unknown): boolean | undefined {
    return undefined;
  }

  /** `getattr(value, name)`; undefined if there is none. */
  attribute(_name: string): unknown {
    return undefined;
  }
}
