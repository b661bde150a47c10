/**
 * Escapes of JSON that are half a character (`\ud83d` without its second half, as a text cut within an emoji leaves it):
 * no text has them, so they are counted and let through, or refused, as bytes are that are not UTF-8.
 */
import { counted } from "../errors/counted.ts";
import { DataError } from "./data_error.ts";
import { areFew } from "./few_faults.ts";

const surrogate = /\\u[dD][89a-fA-F]/;
/** Every escape, so that a backslash that is escaped begins none; only half a character is in a group. */
const escapes = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(\\u[dD][89a-fA-F][\da-fA-F]{2})|\\./gs;

export class LoneSurrogates {
  private readonly file: string;
  private readonly fileBytes: number;
  private seen = 0;
  private faults = 0;
  private first = "";

  /** @param fileBytes on disk: how many faults are a few */
  constructor(file: string, fileBytes: number) {
    this.file = file;
    this.fileBytes = fileBytes;
  }

  /**
   * The JSON text with U+FFFD for each.
   * @throws {DataError} with the place of the first, if there are more than a few.
   */
  replace(json: string, place: string): string {
    this.seen += json.length;
    if (!surrogate.test(json)) return json;
    return json.replace(escapes, (found: string, lone: string | undefined) => {
      if (lone === undefined) return found;
      this.count(`${place}: ${lone} is half a character (a surrogate without the other half)`);
      return "\ufffd";
    });
  }

  /** What was let through, for people; undefined if there was none. */
  remark(): string | undefined {
    if (this.faults === 0) return undefined;
    const times = counted(this.faults, "fault");
    return `${this.file}: ${times} in the text (read as U+FFFD), the first at ${this.first}`;
  }

  private count(fault: string): void {
    this.faults++;
    this.first ||= fault;
    if (!areFew(this.faults, Math.max(this.fileBytes, this.seen))) throw new DataError(this.first);
  }
}
