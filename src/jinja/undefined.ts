/** What stands for a value that is not there. */
import { type BinaryOperator, PythonObject } from "../python/python_object.ts";
import type { Callable } from "../python/signature.ts";
import { pythonRepr, typeName } from "../python/values.ts";
import { JinjaError } from "./jinja_error.ts";

/**
 * Jinja2's `Undefined`: empty where it is printed, iterated over or tested; anything else fails with its message. A
 * strict one (`StrictUndefined`) fails there too.
 */
export class Undefined extends PythonObject {
  readonly typeName: string;
  readonly message: string;
  readonly isStrict: boolean;

  constructor(message: string, isStrict: boolean) {
    super();
    this.message = message;
    this.isStrict = isStrict;
    this.typeName = isStrict ? "StrictUndefined" : "Undefined";
  }

  fail(): never {
    throw new JinjaError(this.message);
  }

  #lenient<T>(value: T): T {
    return this.isStrict ? this.fail() : value;
  }

  repr(): string {
    return "Undefined";
  }

  override str(): string {
    return this.#lenient("");
  }

  override isTruthy(): boolean {
    return this.#lenient(false);
  }

  override hash(): string {
    return this.#lenient("undefined");
  }

  override equals(other: unknown): boolean {
    return this.#lenient(other instanceof Undefined);
  }

  override iterate(): unknown[] {
    return this.#lenient([]);
  }

  override length(): number {
    return this.#lenient(0);
  }

  override isLess(): boolean {
    return this.fail();
  }

  override binary(_operator: BinaryOperator): unknown {
    return this.fail();
  }

  override attribute(): unknown {
    return this.fail();
  }

  override item(): unknown {
    return this.fail();
  }

  override get call(): Callable {
    return () => this.fail();
  }
}

/** `'dict object'`, `None`: as messages name the value whose attribute is missing. */
function objectName(value: unknown): string {
  return value === null ? "None" : `${typeName(value)} object`;
}

/** What is said of a missing attribute or item. */
export function missingMessage(object: unknown, key: unknown): string {
  if (typeof key !== "string") return `${objectName(object)} has no element ${pythonRepr(key)}`;
  return `'${objectName(object)}' has no attribute '${key}'`;
}
