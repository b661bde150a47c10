/**
 * The values of a JSON text that is no JSON Lines, one after the other, however large the whole is: the elements of an
 * array, objects that follow one another (pretty-printed or not), the rows of `{"data": [...]}`.
 */
import { DataError } from "./data_error.ts";

export interface JsonElement {
  text: string;
  /** Where it begins, from 1. */
  line: number;
}

/** Keys whose list of objects is taken for the rows of a file that is one object. */
const wrapperKey = /"(?:data|rows|examples|records|instances|documents)"\s*:\s*$/;

/** A longer value is taken for a file that is not JSON. */
const maxElementLength = 64 << 20;

const [lineBreak, quote, comma, backslash] = [10, 34, 44, 92];
const opens = (code: number) => code === 123 || code === 91;
const closes = (code: number) => code === 125 || code === 93;
const isSpace = (code: number) => code === 32 || (code >= 9 && code <= 13);

export class JsonElements {
  private readonly file: string;
  /** A wanted field: an object that has it is a row, whatever else is in it. */
  private readonly field: string | undefined;
  private readonly unwraps: boolean;
  private buffer = "";
  private at = 0;
  private line = 1;
  /** Of the value under way; -1 between values. */
  private start = -1;
  private startLine = 1;
  private depth = 0;
  private inString = false;
  private escaped = false;
  /** Open arrays and wrappers around the values. */
  private containers: ("array" | "wrapper")[] = [];
  private maybeWrapper = false;
  private isFirst = true;
  /** What follows the rows in a wrapper is passed over. */
  private skipping = false;

  constructor(file: string, options: { field?: string; unwraps?: boolean } = {}) {
    this.file = file;
    this.field = options.field;
    this.unwraps = options.unwraps ?? false;
  }

  /** The values are elements of the file's own array. */
  get isList(): boolean {
    return this.containers[0] === "array";
  }

  *push(chunk: string): Generator<JsonElement> {
    this.buffer += chunk;
    for (; this.at < this.buffer.length; this.at++) {
      const element = this.step(this.buffer.charCodeAt(this.at));
      if (element !== undefined) yield element;
    }
    const kept = this.start < 0 || this.skipping ? this.buffer.length : this.start;
    this.buffer = this.buffer.slice(kept);
    this.at -= kept;
    if (this.start >= 0) this.start = 0;
    if (this.buffer.length > maxElementLength) {
      throw new DataError(`${this.file}:${this.startLine}: a JSON value is longer than 64 Mi characters`);
    }
  }

  /** @throws {DataError} if a value or a list is not closed. */
  *end(): Generator<JsonElement> {
    const last = this.inString ? undefined : this.endScalar();
    if (last !== undefined) yield last;
    if (this.start < 0 && this.containers.length === 0) return;
    throw new DataError(
      `${this.file}:${this.start < 0 ? this.line : this.startLine}: not valid JSON: the file ends within a value (cut short?)`,
    );
  }

  private step(code: number): JsonElement | undefined {
    if (code === lineBreak) this.line++;
    if (this.inString) return this.inText(code);
    if (isSpace(code)) return this.endScalar();
    if (this.maybeWrapper) this.enterWrapper(code);
    if (code === quote) {
      if (this.start < 0) this.begin();
      this.inString = true;
    } else if (opens(code)) this.open(code);
    else if (closes(code)) return this.close();
    else if (code === comma) return this.endScalar();
    else if (this.start < 0) this.begin();
    return undefined;
  }

  private inText(code: number): JsonElement | undefined {
    if (this.escaped) this.escaped = false;
    else if (code === backslash) this.escaped = true;
    else if (code === quote) {
      this.inString = false;
      if (this.depth === 0) return this.take(this.at + 1);
    }
    return undefined;
  }

  private begin(): void {
    this.start = this.at;
    this.startLine = this.line;
    this.depth = 0;
  }

  private take(end: number): JsonElement | undefined {
    const element = { text: this.buffer.slice(this.start, end), line: this.startLine };
    this.start = -1;
    const wasSkipped = this.skipping;
    this.skipping = false;
    this.isFirst = false;
    return wasSkipped ? undefined : element;
  }

  /** A number or word at the top ends where white space or a comma is. */
  private endScalar(): JsonElement | undefined {
    return this.start >= 0 && this.depth === 0 ? this.take(this.at) : undefined;
  }

  private open(code: number): void {
    const isArray = code === 91;
    if (this.start < 0 && isArray && this.containers.length === 0) {
      this.containers.push("array");
      this.isFirst = false;
      return;
    }
    if (this.start < 0) this.begin();
    this.depth++;
    this.maybeWrapper = isArray && this.isWrapper();
  }

  /** The list that begins here belongs to a key for rows, in the only object of the file so far. */
  private isWrapper(): boolean {
    if (!this.unwraps || !this.isFirst || this.containers.length > 0 || this.depth !== 2) return false;
    const before = this.buffer.slice(this.start, this.at);
    return wrapperKey.test(before.slice(-100)) && !(this.field !== undefined && before.includes(`"${this.field}"`));
  }

  /** The rows begin, if what the list begins with is an object. */
  private enterWrapper(code: number): void {
    this.maybeWrapper = false;
    if (code !== 123) return;
    this.containers.push("wrapper");
    this.isFirst = false;
    this.start = -1;
  }

  private close(): JsonElement | undefined {
    if (this.start >= 0 && this.depth > 0) {
      this.depth--;
      return this.depth === 0 ? this.take(this.at + 1) : undefined;
    }
    const last = this.endScalar();
    const container = this.containers.pop();
    if (container === undefined) {
      throw new DataError(`${this.file}:${this.line}: not valid JSON: a bracket closes nothing`);
    }
    if (container === "wrapper") {
      // The rest of the object around the list.
      this.begin();
      this.depth = 1;
      this.skipping = true;
    }
    return last;
  }
}
