/** What can be iterated over and is no list: generators, views of dicts, ranges. */
import { type Dict, dictEntries, dictGet, dictSize } from "./dict.ts";
import { PythonObject } from "./python_object.ts";
import { sliceIndices } from "./slices.ts";
import { isEqual, isInteger, pythonRepr, pythonTuple } from "./values.ts";

/** Gives its items once, when they are asked for. */
export class PythonIterator extends PythonObject {
  readonly typeName: string;
  readonly #items: Iterator<unknown>;

  constructor(items: Iterable<unknown>, typeName = "generator") {
    super();
    this.typeName = typeName;
    this.#items = items[Symbol.iterator]();
  }

  repr(): string {
    return `<${this.typeName} object>`;
  }

  override iterate(): Iterable<unknown> {
    // Without `return`: a loop that is left early leaves the rest to the next one.
    return { [Symbol.iterator]: () => ({ next: () => this.#items.next() }) };
  }
}

/** `dict.keys()`, `.values()` or `.items()`. */
export class PythonView extends PythonObject {
  readonly typeName: string;
  readonly #dict: Dict;
  readonly #kind: "keys" | "values" | "items";

  constructor(dict: Dict, kind: "keys" | "values" | "items") {
    super();
    this.#dict = dict;
    this.#kind = kind;
    this.typeName = `dict_${kind}`;
  }

  override iterate(): unknown[] {
    const entries = dictEntries(this.#dict);
    if (this.#kind === "items") return entries.map(pythonTuple);
    return entries.map((entry) => entry[this.#kind === "keys" ? 0 : 1]);
  }

  override hash(): undefined {
    return undefined;
  }

  override length(): number {
    return dictSize(this.#dict);
  }

  override isTruthy(): boolean {
    return this.length() > 0;
  }

  override equals(other: unknown): boolean {
    if (this.#kind === "values" || !(other instanceof PythonView)) return this === other;
    if (other.#kind !== this.#kind || other.length() !== this.length()) return false;
    const theirs = other.iterate();
    return this.iterate().every((item) => theirs.some((candidate) => isEqual(item, candidate)));
  }

  hasKey(key: unknown): boolean | undefined {
    return this.#kind === "keys" ? dictGet(this.#dict, key) !== undefined : undefined;
  }

  repr(): string {
    return `${this.typeName}(${pythonRepr(this.iterate())})`;
  }
}

export class PythonRange extends PythonObject {
  readonly typeName = "range";
  readonly start: number;
  readonly stop: number;
  readonly step: number;

  constructor(start: number, stop: number, step: number) {
    super();
    [this.start, this.stop, this.step] = [start, stop, step];
  }

  override length(): number {
    return Math.max(0, Math.ceil((this.stop - this.start) / this.step));
  }

  override isTruthy(): boolean {
    return this.length() > 0;
  }

  override *iterate(): Generator<number> {
    const length = this.length();
    for (let i = 0; i < length; i++) yield this.start + i * this.step;
  }

  override item(key: unknown): unknown {
    if (typeof key !== "boolean" && !isInteger(key)) return undefined;
    const index = Number(key) < 0 ? this.length() + Number(key) : Number(key);
    return index >= 0 && index < this.length() ? this.start + index * this.step : undefined;
  }

  /** `range[start:stop:step]`. */
  slice(start: unknown, stop: unknown, step: unknown): PythonRange {
    const indices = [...sliceIndices(this.length(), start, stop, step)];
    const by = this.step * (step === null || step === undefined ? 1 : Number(step));
    const first = this.start + (indices[0] ?? 0) * this.step;
    return new PythonRange(first, first + indices.length * by, by);
  }

  override equals(other: unknown): boolean {
    return other instanceof PythonRange && String([...this.iterate()]) === String([...other.iterate()]);
  }

  repr(): string {
    const ends = `${this.start}, ${this.stop}`;
    return this.step === 1 ? `range(${ends})` : `range(${ends}, ${this.step})`;
  }
}
