/** `loop`, inside of a for loop. */
import { PythonObject } from "../python/python_object.ts";
import { iterate, tryLength } from "../python/sequences.ts";
import type { Callable } from "../python/signature.ts";
import { isEqual, type PythonTuple, pythonTuple } from "../python/values.ts";
import { undefinedOf } from "./attributes.ts";
import type { Environment } from "./environment.ts";
import { JinjaError } from "./jinja_error.ts";

const nothing = Symbol("nothing");

export class LoopContext extends PythonObject {
  readonly typeName = "LoopContext";
  readonly #environment: Environment;
  readonly #recurse: ((items: unknown, depth: number) => string) | null;
  readonly #depth0: number;
  #items: Iterator<unknown>;
  #length: number | undefined;
  #index0 = -1;
  #before: unknown = nothing;
  #current: unknown = nothing;
  /** The next item, if it has been asked for. */
  #after: unknown = nothing;
  #lastChanged: PythonTuple | undefined;

  /**
   * @param recurse renders the loop for inner items; null if it is not recursive
   * @param depth0 number of loops around it
   */
  constructor(
    environment: Environment,
    items: unknown,
    recurse: ((items: unknown, depth: number) => string) | null,
    depth0: number,
  ) {
    super();
    this.#environment = environment;
    this.#recurse = recurse;
    this.#depth0 = depth0;
    this.#items = iterate(items)[Symbol.iterator]();
    this.#length = tryLength(items);
  }

  /** Goes on to the next item; false after the last one. */
  advance(): boolean {
    const next = this.#peek();
    if (next === nothing) return false;
    this.#after = nothing;
    this.#index0++;
    this.#before = this.#current;
    this.#current = next;
    return true;
  }

  get current(): unknown {
    return this.#current;
  }

  #peek(): unknown {
    if (this.#after === nothing) {
      const { done, value } = this.#items.next();
      this.#after = done ? nothing : value;
    }
    return this.#after;
  }

  override length(): number {
    if (this.#length === undefined) {
      const rest: unknown[] = [];
      for (let next = this.#items.next(); !next.done; next = this.#items.next()) rest.push(next.value);
      this.#items = rest[Symbol.iterator]();
      this.#length = rest.length + this.#index0 + 1 + (this.#after === nothing ? 0 : 1);
    }
    return this.#length;
  }

  override attribute(name: string): unknown {
    switch (name) {
      case "index":
        return this.#index0 + 1;
      case "index0":
        return this.#index0;
      case "revindex":
        return this.length() - this.#index0;
      case "revindex0":
        return this.length() - this.#index0 - 1;
      case "first":
        return this.#index0 === 0;
      case "last":
        return this.#peek() === nothing;
      case "length":
        return this.length();
      case "depth":
        return this.#depth0 + 1;
      case "depth0":
        return this.#depth0;
      case "previtem":
        return this.#before === nothing ? undefinedOf(this.#environment, "there is no previous item") : this.#before;
      case "nextitem": {
        const next = this.#peek();
        return next === nothing ? undefinedOf(this.#environment, "there is no next item") : next;
      }
      case "cycle":
        return (args: readonly unknown[]) => {
          if (args.length === 0) throw new JinjaError("no items for cycling given");
          return args[this.#index0 % args.length];
        };
      case "changed":
        return (args: readonly unknown[]) => {
          const values = pythonTuple(args);
          if (this.#lastChanged && isEqual(this.#lastChanged, values)) return false;
          this.#lastChanged = values;
          return true;
        };
      default:
        return undefined;
    }
  }

  override get call(): Callable {
    return ([items]) => {
      if (this.#recurse === null) {
        throw new JinjaError("The loop must have the 'recursive' marker to be called recursively.");
      }
      return this.#recurse(items, this.#depth0 + 1);
    };
  }

  repr(): string {
    return `<LoopContext ${this.#index0 + 1}/${this.length()}>`;
  }
}
