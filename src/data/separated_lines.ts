/**
 * The lines of a CSV or TSV text, by the rules of pandas' parser: a quote opens a field only at its start and is doubled
 * within; what follows the closing quote up to the separator belongs to the field, as it is. LF, CRLF and CR; lines with
 * nothing but blanks do not count.
 */
import { DataError } from "./data_error.ts";

export interface SeparatedLine {
  values: string[];
  /** `file:line` of its beginning. */
  place: string;
}

/** A longer line is taken for a quote that is not closed. */
const maxLineLength = 64 << 20;

const [lineFeed, carriageReturn, quote] = [10, 13, 34];

export class SeparatedLines {
  private readonly file: string;
  private readonly separator: number;
  private state: "start" | "plain" | "quoted" | "closing" = "start";
  private values: string[] = [];
  private field = "";
  private hasQuotes = false;
  private afterReturn = false;
  private line = 1;
  private startLine = 1;
  /** Of the line under way, in the chunks before. */
  private length = 0;

  constructor(file: string, separator: string) {
    this.file = file;
    this.separator = separator.charCodeAt(0);
  }

  /** @throws {DataError} if a line is longer than 64 Mi characters. */
  *push(chunk: string): Generator<SeparatedLine> {
    let begin = 0;
    for (let at = 0; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at);
      const isSecondOfBreak = code === lineFeed && this.afterReturn;
      const isBreak = code === lineFeed || code === carriageReturn;
      this.afterReturn = code === carriageReturn;
      if (isBreak && !isSecondOfBreak) this.line++;
      if (this.state === "quoted") {
        if (code !== quote) continue;
        this.field += chunk.slice(begin, at);
        begin = at + 1;
        this.state = "closing";
      } else if (isSecondOfBreak) {
        begin = at + 1;
      } else if (code === this.separator || isBreak) {
        this.endField(chunk.slice(begin, at));
        begin = at + 1;
        if (isBreak) yield* this.endLine();
      } else if (code === quote && this.state !== "plain") {
        // The opening quote is dropped, the second of two is kept.
        begin = this.state === "start" ? at + 1 : at;
        this.state = "quoted";
        this.hasQuotes = true;
      } else {
        this.state = "plain";
      }
    }
    this.field += chunk.slice(begin);
    this.length += chunk.length;
    if (this.length > maxLineLength) {
      throw new DataError(`${this.place}: a line is longer than 64 Mi characters: perhaps a quote is not closed`);
    }
  }

  /** @throws {DataError} if a quote is not closed. */
  *end(): Generator<SeparatedLine> {
    if (this.state === "quoted") throw new DataError(`${this.place}: not readable as CSV: a quote is not closed`);
    this.endField("");
    yield* this.endLine();
  }

  private get place(): string {
    return `${this.file}:${this.startLine}`;
  }

  private endField(rest: string): void {
    this.values.push(this.field + rest);
    this.field = "";
    this.state = "start";
  }

  private *endLine(): Generator<SeparatedLine> {
    const { values, place } = this;
    const isBlank = values.length === 1 && !this.hasQuotes && /^[ \t]*$/.test(values[0]);
    this.values = [];
    this.hasQuotes = false;
    this.length = 0;
    this.startLine = this.line;
    if (!isBlank) yield { values, place };
  }
}
