/** Keys of a GGUF file as they are asked for: with their type, and an error that names file and key. */
import type { GgufFile } from "../../gguf/gguf_reader.ts";
import { GgufError } from "../../gguf/gguf_types.ts";

export class MetadataKeys {
  /** `general.architecture`. */
  readonly architecture: string;
  private readonly file: GgufFile;

  /** @throws {GgufError} if the file does not name its architecture. */
  constructor(file: GgufFile) {
    this.file = file;
    this.architecture = this.word("general.architecture") ?? this.fail("general.architecture", "is missing");
  }

  fail(key: string, reason: string): never {
    throw new GgufError(`${this.file.path}: metadata ${key} ${reason}`);
  }

  /** The full key of one below the architecture. */
  own(key: string): string {
    return `${this.architecture}.${key}`;
  }

  word(key: string): string | undefined {
    const value = this.file.scalar(key);
    if (value === undefined || typeof value === "string") return value;
    return this.fail(key, `is ${value}, no word`);
  }

  flag(key: string): boolean | undefined {
    const value = this.file.scalar(key);
    if (value === undefined || typeof value === "boolean") return value;
    return this.fail(key, `is ${value}, neither true nor false`);
  }

  number(key: string): number | undefined {
    const value = this.file.scalar(key);
    if (value === undefined || typeof value === "number") return value;
    return this.fail(key, `is ${value}, no number`);
  }

  required(key: string): number {
    return this.number(key) ?? this.fail(key, "is missing");
  }

  /** A float32 as the shortest decimal that is rounded to it: 1e-5, not 0.000009999999747378752. */
  decimal(key: string): number | undefined {
    const value = this.number(key);
    return value === undefined ? undefined : shortestDecimal(value);
  }
}

function shortestDecimal(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === Math.fround(value)) return decimal;
  }
  return value;
}
