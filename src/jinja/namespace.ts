/** `namespace(...)`: a value whose attributes a template may set, from inside of loops too. */
import { PythonDict } from "../python/dict.ts";
import { PythonObject } from "../python/python_object.ts";
import { JinjaError } from "./jinja_error.ts";

export class Namespace extends PythonObject {
  readonly typeName = "Namespace";
  readonly #attributes: PythonDict;
  readonly #isGuarded: boolean;

  /** @param isGuarded names that begin with an underscore are refused */
  constructor(entries: readonly [unknown, unknown][], isGuarded: boolean) {
    super();
    this.#isGuarded = isGuarded;
    this.#attributes = new PythonDict();
    for (const [name, value] of entries) this.set(String(name), value);
  }

  set(name: string, value: unknown): void {
    if (this.#isGuarded && name.startsWith("_")) {
      throw new JinjaError(`a namespace takes no names that begin with an underscore: ${name}`);
    }
    this.#attributes.set(name, value);
  }

  override attribute(name: string): unknown {
    return this.#attributes.item(name);
  }

  repr(): string {
    return `<Namespace ${this.#attributes.repr()}>`;
  }
}
