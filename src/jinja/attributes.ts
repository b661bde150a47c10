/** `value.name` and `value[key]`, as environments of Jinja2 look them up. */
import { containerMethod, mutatingMethods } from "../python/container_methods.ts";
import { dictGet, isDict } from "../python/dict.ts";
import { PythonRange } from "../python/iterators.ts";
import { PythonError } from "../python/python_error.ts";
import { PythonObject } from "../python/python_object.ts";
import { itemOf } from "../python/sequences.ts";
import { sliceOf } from "../python/slices.ts";
import type { FieldAccess } from "../python/str_format.ts";
import { plainAccess, textMethod } from "../python/text_methods.ts";
import { isFloat, isInteger, PythonFloat, PythonTuple, pythonRepr, typeName } from "../python/values.ts";
import type { Environment } from "./environment.ts";
import { Markup } from "./markup.ts";
import { missingMessage, Undefined } from "./undefined.ts";

/** `type(value)`. */
class PythonType extends PythonObject {
  readonly typeName = "type";
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  repr(): string {
    return `<class '${this.#name}'>`;
  }

  override equals(other: unknown): boolean {
    return other instanceof PythonType && other.#name === this.#name;
  }

  override attribute(name: string): unknown {
    return name === "__name__" ? this.#name : undefined;
  }
}

/** How fields of formats (`"{0.name}".format(...)`) are looked up: a sandbox does it by its own rules. */
function fieldAccess(environment: Environment): FieldAccess {
  if (!environment.sandboxed) {
    const attribute = (value: unknown, name: string) =>
      pythonAttribute(environment, value, name) ?? plainAccess.attribute(value, name);
    return { ...plainAccess, attribute };
  }
  return {
    attribute: (value, name) => attributeOf(environment, value, name),
    item: (value, key) => subscript(environment, value, key),
  };
}

function numberAttribute(value: unknown, name: string): unknown {
  if (name === "real") return value;
  if (name === "imag") return isFloat(value) ? new PythonFloat(0) : 0;
  if (name === "is_integer" && isFloat(value)) return () => Number.isInteger(Number(value));
  if (name === "bit_length" && isInteger(value)) {
    return () => (BigInt(value) === 0n ? 0 : BigInt(value).toString(2).replace("-", "").length);
  }
  return undefined;
}

/** `getattr(value, name)`; undefined if there is none. */
function pythonAttribute(environment: Environment, value: unknown, name: string): unknown {
  if (typeof value === "string") return textMethod(value, name, fieldAccess(environment));
  if (value instanceof Markup) return value.method(name, fieldAccess(environment));
  if (Array.isArray(value) || isDict(value)) {
    return containerMethod(value, name) ?? (value instanceof PythonTuple ? value.attribute(name) : undefined);
  }
  if (value instanceof PythonObject && typeName(value) !== "float") return value.attribute(name);
  return isInteger(value) || isFloat(value) ? numberAttribute(value, name) : undefined;
}

export function undefinedOf(environment: Environment, message: string): Undefined {
  return new Undefined(message, environment.strictUndefined);
}

function foundAttribute(environment: Environment, value: unknown, name: string): unknown {
  const isInternal = name.startsWith("__") && name.endsWith("__");
  if (value instanceof Undefined && !isInternal) value.fail();
  const found =
    isInternal && name === "__class__" ? new PythonType(typeName(value)) : pythonAttribute(environment, value, name);
  if (found === undefined || !environment.sandboxed) return found;
  const isMutating = (Array.isArray(value) || isDict(value)) && mutatingMethods.has(name);
  if (!isMutating && !name.startsWith("_")) return found;
  return new Undefined(
    `access to attribute '${name}' of '${typeName(value)}' object is unsafe.`,
    environment.strictUndefined,
  );
}

/** `value.name`: an attribute or a method; else the item of that name. */
export function attributeOf(environment: Environment, value: unknown, name: string): unknown {
  let found = foundAttribute(environment, value, name);
  if (found === undefined) found = itemOf(value, name);
  return found === undefined ? undefinedOf(environment, missingMessage(value, name)) : found;
}

/** `value|attr(name)`: never an item. */
export function onlyAttributeOf(environment: Environment, value: unknown, name: string): unknown {
  const found = foundAttribute(environment, value, name);
  return found === undefined ? undefinedOf(environment, missingMessage(value, name)) : found;
}

/** Keys of dicts must be hashable; a list or dict as a key finds nothing. */
function itemOrNothing(value: unknown, key: unknown): unknown {
  if (isDict(value) && (Array.isArray(key) || isDict(key))) {
    try {
      return dictGet(value, key);
    } catch {
      return undefined;
    }
  }
  return itemOf(value, key);
}

/** `value[key]`: an item; else, for a text as key, the attribute of that name. */
export function subscript(environment: Environment, value: unknown, key: unknown): unknown {
  const found = itemOrNothing(value, key);
  if (found !== undefined) return found;
  const attribute = typeof key === "string" ? foundAttribute(environment, value, key) : undefined;
  if (attribute !== undefined) return attribute;
  if (key instanceof Undefined)
    return undefinedOf(environment, `${typeName(value)} object has no element ${pythonRepr(key)}`);
  return undefinedOf(environment, missingMessage(value, key));
}

/** `value[start:stop:step]`. */
export function slice(value: unknown, start: unknown, stop: unknown, step: unknown): unknown {
  if (value instanceof Undefined) value.fail();
  if (value instanceof Markup || value instanceof PythonRange) return value.slice(start, stop, step);
  const part = sliceOf(value, start, stop, step);
  if (part === undefined) throw new PythonError(`'${typeName(value)}' object is not subscriptable`);
  return part;
}
