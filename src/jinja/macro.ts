/** `{% macro %}`, and the body of a call block as `caller`. */
import { PythonDict } from "../python/dict.ts";
import { PythonObject } from "../python/python_object.ts";
import type { Callable } from "../python/signature.ts";
import { pythonTuple } from "../python/values.ts";
import { undefinedOf } from "./attributes.ts";
import type { Environment } from "./environment.ts";
import { JinjaError } from "./jinja_error.ts";

export interface MacroShape {
  /** Null: `caller`. */
  name: string | null;
  parameters: readonly string[];
  /** Those of `caller`, `kwargs` and `varargs` that the body asks for. */
  special: ReadonlySet<string>;
}

export class Macro extends PythonObject {
  readonly typeName = "Macro";
  readonly #environment: Environment;
  readonly #shape: MacroShape;
  readonly #render: (values: Map<string, unknown>) => string;

  /** @param render with the values of the parameters that were given, and of the special names */
  constructor(environment: Environment, shape: MacroShape, render: (values: Map<string, unknown>) => string) {
    super();
    this.#environment = environment;
    this.#shape = shape;
    this.#render = render;
  }

  override get call(): Callable {
    return (args, kwargs) => {
      const { name, parameters, special } = this.#shape;
      const title = name === null ? "the caller" : `macro '${name}'`;
      const values = new Map(parameters.slice(0, args.length).map((parameter, i) => [parameter, args[i]]));
      const named = new Map(kwargs);
      for (const parameter of parameters.slice(args.length)) {
        if (named.has(parameter)) values.set(parameter, named.get(parameter));
        named.delete(parameter);
      }
      if (special.has("caller") && !parameters.includes("caller")) {
        values.set("caller", named.get("caller") ?? undefinedOf(this.#environment, "No caller defined"));
        named.delete("caller");
      }
      if (special.has("kwargs")) values.set("kwargs", new PythonDict(named));
      else if (named.size > 0) throw new JinjaError(`${title} takes no keyword argument '${[...named.keys()][0]}'`);
      if (special.has("varargs")) values.set("varargs", pythonTuple(args.slice(parameters.length)));
      else if (args.length > parameters.length) {
        throw new JinjaError(`${title} takes not more than ${parameters.length} argument(s)`);
      }
      return this.#render(values);
    };
  }

  override attribute(name: string): unknown {
    const { parameters, special } = this.#shape;
    if (name === "name") return this.#shape.name;
    if (name === "arguments") return pythonTuple(parameters);
    if (name === "catch_kwargs") return special.has("kwargs");
    if (name === "catch_varargs") return special.has("varargs");
    return name === "caller" ? special.has("caller") : undefined;
  }

  repr(): string {
    return this.#shape.name === null ? "<Macro anonymous>" : `<Macro '${this.#shape.name}'>`;
  }
}
