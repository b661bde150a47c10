/** Names that every template has: `range`, `dict`, `namespace`, `cycler`, `joiner`. */
import { dictArguments } from "../python/container_methods.ts";
import { PythonDict } from "../python/dict.ts";
import { PythonRange } from "../python/iterators.ts";
import { PythonError } from "../python/python_error.ts";
import { PythonObject } from "../python/python_object.ts";
import type { Callable } from "../python/signature.ts";
import { isInteger, typeName } from "../python/values.ts";
import { JinjaError } from "./jinja_error.ts";
import { Namespace } from "./namespace.ts";

/** The sandbox of Jinja2 has this bound; here all templates do. */
const longestRange = 100_000;

const range: Callable = (args) => {
  const numbers = args.map((value) => {
    if (typeof value === "boolean" || isInteger(value)) return Number(value);
    throw new PythonError(`'${typeName(value)}' object cannot be interpreted as an integer`);
  });
  if (numbers.length < 1 || numbers.length > 3)
    throw new PythonError(`range expected 1 to 3 arguments, got ${numbers.length}`);
  const [start, stop, step = 1] = numbers.length === 1 ? [0, numbers[0]] : numbers;
  if (step === 0) throw new PythonError("range() arg 3 must not be zero");
  const result = new PythonRange(start, stop, step);
  if (result.length() > longestRange) throw new JinjaError(`Range too big: more than ${longestRange} items.`);
  return result;
};

class Cycler extends PythonObject {
  readonly typeName = "Cycler";
  readonly #items: readonly unknown[];
  #at = 0;

  constructor(items: readonly unknown[]) {
    super();
    if (items.length === 0) throw new JinjaError("at least one item has to be provided");
    this.#items = items;
  }

  override attribute(name: string): unknown {
    if (name === "current") return this.#items[this.#at];
    if (name === "reset") {
      return () => {
        this.#at = 0;
        return null;
      };
    }
    if (name !== "next") return undefined;
    return () => {
      const item = this.#items[this.#at];
      this.#at = (this.#at + 1) % this.#items.length;
      return item;
    };
  }

  repr(): string {
    return "<Cycler>";
  }
}

const joiner: Callable = ([separator = ", "]) => {
  let isUsed = false;
  return () => {
    if (isUsed) return separator;
    isUsed = true;
    return "";
  };
};

/** @param isSandboxed namespaces take no names that begin with an underscore, as in transformers */
export function defaultGlobals(isSandboxed: boolean): Map<string, unknown> {
  const lipsum: Callable = () => {
    throw new JinjaError("lipsum is not supported: renderings would differ");
  };
  const namespace: Callable = (args, kwargs) => new Namespace(dictArguments(args, kwargs), isSandboxed);
  return new Map<string, unknown>([
    ["range", range],
    ["dict", ((args, kwargs) => new PythonDict(dictArguments(args, kwargs))) satisfies Callable],
    ["namespace", namespace],
    ["cycler", ((args) => new Cycler(args)) satisfies Callable],
    ["joiner", joiner],
    ["lipsum", lipsum],
  ]);
}
