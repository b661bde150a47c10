/**
 * UTF-8 to text, chunk by chunk, keeping count of what is no text: sequences of bytes that are not UTF-8, and zero
 * bytes. A few in a large file are let through (U+FFFD stands in their place) and counted; more are an error, at the
 * first of them, with a hint at the encoding.
 */
import { isUtf8 } from "node:buffer";
import { counted } from "../errors/counted.ts";
import { DataError } from "./data_error.ts";
import { areFew } from "./few_faults.ts";
import { encodingHint, encodingOfMark, type TextFault } from "./text_encoding.ts";

const cutShort = "the file ends within a character: it was cut short";

const hex = (byte: number) => `0x${byte.toString(16).padStart(2, "0")}`;

/** Bytes that a sequence takes, by its first byte; 1 where none can begin. */
function sequenceLength(lead: number): number {
  return lead >= 0xf0 && lead < 0xf8 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
}

/** How many bytes at the end begin a character that the next chunk must finish. */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte >= 0xc0) return sequenceLength(byte) > back ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

interface Fault extends TextFault {
  /** In the file as it is unpacked, from 0. */
  offset: number;
  what: string;
}

export class Utf8Decoder {
  private readonly file: string;
  private readonly fileBytes: number;
  private readonly lenient = new TextDecoder("utf-8", { ignoreBOM: true });
  private rest: Uint8Array = new Uint8Array(0);
  /** Bytes before `rest`. */
  private offset = 0;
  private faults = 0;
  private first: Fault | undefined;

  /** @param fileBytes on disk: how many faults are a few */
  constructor(file: string, fileBytes: number) {
    this.file = file;
    this.fileBytes = fileBytes;
  }

  /** @throws {DataError} if there are too many faults. */
  push(chunk: Uint8Array): string {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    if (this.offset === 0 && bytes.length < 4) {
      this.rest = bytes;
      return "";
    }
    const isStart = this.offset === 0;
    if (isStart && encodingOfMark(bytes)) {
      throw new DataError(`${this.file}: byte 0: not UTF-8: ${encodingHint(this.file, { bytes })}`);
    }
    const tail = incompleteTail(bytes);
    this.rest = Uint8Array.from(bytes.subarray(bytes.length - tail));
    const whole = bytes.subarray(0, bytes.length - tail);
    const text = this.decode(whole);
    this.offset += whole.length;
    return isStart && text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  /** @throws {DataError} the same; a file that ends within a character is one that was cut. */
  end(): string {
    const { rest } = this;
    this.rest = new Uint8Array(0);
    if (rest.length === 0) return "";
    const tail = incompleteTail(rest);
    const text = this.decode(rest.subarray(0, rest.length - tail));
    if (tail === 0) return text;
    const read = this.offset + rest.length;
    this.count(1, { offset: read - tail, what: cutShort, bytes: rest }, read);
    return `${text}\ufffd`;
  }

  /** What was let through, for people; undefined if it was all text. */
  remark(): string | undefined {
    if (this.first === undefined) return undefined;
    const times = counted(this.faults, "fault");
    return `${this.file}: ${times} in the text (bytes that are not UTF-8, read as U+FFFD, or zero bytes), the first at byte ${this.first.offset}: ${this.first.what}`;
  }

  private decode(bytes: Uint8Array): string {
    const hasZero = bytes.includes(0);
    if (!hasZero && isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
    this.countFaults(bytes);
    return this.lenient.decode(bytes);
  }

  private countFaults(bytes: Uint8Array): void {
    let count = 0;
    let first: Fault | undefined;
    const note = (at: number, what: string) => {
      count++;
      first ??= { offset: this.offset + at, what, ...this.around(bytes, at) };
    };
    for (let at = 0; at < bytes.length; ) {
      const length = sequenceLength(bytes[at]);
      if (bytes[at] === 0) note(at, "a zero byte");
      if (bytes[at] < 0x80) at++;
      else if (length > 1 && at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length))) at += length;
      else {
        note(at, `${hex(bytes[at])} is not UTF-8`);
        at++;
        while (at < bytes.length && (bytes[at] & 0xc0) === 0x80) at++;
      }
    }
    if (first !== undefined) this.count(count, first, this.offset + bytes.length);
  }

  /** From the beginning where that is near, else from a multiple of 4 in the file: units of 2 and 4 bytes stay whole. */
  private around(bytes: Uint8Array, at: number): TextFault {
    const offset = this.offset + at;
    const start = offset < 4096 ? 0 : Math.max(0, at - 2048);
    const whole = start + ((4 - ((this.offset + start) % 4)) % 4);
    const zero = bytes[at] !== 0 ? undefined : bytes.subarray(at).every((byte) => byte === 0) ? "last" : "within";
    return { bytes: bytes.subarray(Math.min(whole, at), start + 4096), zero };
  }

  /** @param read bytes of the file, unpacked, so far */
  private count(faults: number, fault: Fault, read: number): void {
    this.faults += faults;
    this.first ??= fault;
    if (areFew(this.faults, Math.max(this.fileBytes, read))) return;
    const { offset, what } = this.first;
    const hint = what === cutShort ? "" : `: ${encodingHint(this.file, this.first)}`;
    throw new DataError(`${this.file}: byte ${offset}: ${what}${hint}`);
  }
}
