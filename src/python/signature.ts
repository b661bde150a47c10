/** Arguments of a call, by position and by name, bound to the parameters of a function. */
import { PythonError } from "./python_error.ts";

export type Kwargs = ReadonlyMap<string, unknown>;
export type Callable = (args: readonly unknown[], kwargs: Kwargs) => unknown;

export const noKwargs: Kwargs = new Map();

/**
 * Binds arguments to parameters.
 * @param parameters names; those that end in `?` may be left out, and are then undefined
 * @throws {PythonError} as Python does if they do not fit
 */
export function bindArguments(
  name: string,
  parameters: readonly string[],
  args: readonly unknown[],
  kwargs: Kwargs,
): unknown[] {
  if (args.length > parameters.length) {
    throw new PythonError(`${name}() takes at most ${parameters.length} arguments (${args.length} given)`);
  }
  const bound = parameters.map((parameter, i) => {
    const isOptional = parameter.endsWith("?");
    const key = isOptional ? parameter.slice(0, -1) : parameter;
    if (i < args.length) {
      if (kwargs.has(key)) throw new PythonError(`${name}() got multiple values for argument '${key}'`);
      return args[i];
    }
    if (!kwargs.has(key) && !isOptional) throw new PythonError(`${name}() is missing the argument '${key}'`);
    return kwargs.get(key);
  });
  for (const key of kwargs.keys()) {
    if (!parameters.includes(key) && !parameters.includes(`${key}?`)) {
      throw new PythonError(`${name}() got an unexpected keyword argument '${key}'`);
    }
  }
  return bound;
}

/** A callable of the parameters in `spec`, written `"old new count?"`. */
export function callable(name: string, spec: string, run: (...bound: never[]) => unknown): Callable {
  const parameters = spec === "" ? [] : spec.split(" ");
  return (args, kwargs) => run(...(bindArguments(name, parameters, args, kwargs) as never[]));
}
