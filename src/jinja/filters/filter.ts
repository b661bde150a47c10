/** How filters are written down, and what many of them share. */

import { bindArguments, noKwargs } from "../../python/signature.ts";
import { hasPairs } from "../../python/text.ts";
import { isNumeric, pythonStr, textOf, typeName } from "../../python/values.ts";
import { attributeOf, subscript } from "../attributes.ts";
import { callableOf } from "../compile_expression.ts";
import type { Environment, Filter } from "../environment.ts";
import { JinjaError } from "../jinja_error.ts";
import { Undefined } from "../undefined.ts";

/** A filter of the parameters in `spec`, written `"old new count?"`, behind the value. */
export function filter(
  name: string,
  spec: string,
  run: (environment: Environment, value: unknown, ...args: unknown[]) => unknown,
): Filter {
  const parameters = spec === "" ? [] : spec.split(" ");
  return (environment, value, args, kwargs) =>
    run(environment, value, ...bindArguments(name, parameters, args, kwargs));
}

/** A filter that is a method of texts; other values are made into texts first. */
export function textFilter(name: string, spec: string, method = name): Filter {
  return filter(name, spec, (environment, value, ...args) => {
    const given = args.filter((argument) => argument !== undefined);
    return callTextMethod(environment, value, method, given);
  });
}

export function callTextMethod(environment: Environment, value: unknown, method: string, args: readonly unknown[]) {
  const text = textOf(value) === undefined ? pythonStr(value) : value;
  return callableOf(attributeOf(environment, text, method))(args, noKwargs);
}

/** A number among the arguments of a filter; `otherwise` if it was left out. */
export function numberArgument(name: string, value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (isNumeric(value)) return Number(value);
  throw new JinjaError(`${name}: a number is needed, not ${typeName(value)}`);
}

/** Texts in lower case, everything else as it is. */
export function ignoreCase(value: unknown): unknown {
  return textOf(value)?.toLowerCase() ?? value;
}

const isDigits = (part: string) => /^\p{Nd}+$/u.test(part) && !hasPairs(part);

/** Looks up `a.b.0` in a value. @param otherwise for what is missing on the way */
export function attributeGetter(
  environment: Environment,
  attribute: unknown,
  {
    postprocess = (value: unknown) => value,
    otherwise,
  }: { postprocess?: (value: unknown) => unknown; otherwise?: unknown } = {},
): (item: unknown) => unknown {
  const path = textOf(attribute);
  const parts =
    attribute === undefined || attribute === null
      ? []
      : path === undefined
        ? [attribute]
        : path.split(".").map((part) => (isDigits(part) ? Number(part) : part));
  return (item) => {
    for (const part of parts) {
      item = subscript(environment, item, part);
      if (item instanceof Undefined && otherwise !== undefined && otherwise !== null) item = otherwise;
    }
    return postprocess(item);
  };
}
