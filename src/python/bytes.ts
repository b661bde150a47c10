/** Python's `bytes`. */
import { PythonObject } from "./python_object.ts";

const named: Readonly<Record<number, string>> = { 9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\" };

export class PythonBytes extends PythonObject {
  readonly typeName = "bytes";
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super();
    this.bytes = bytes;
  }

  repr(): string {
    const quote = this.bytes.includes(39) && !this.bytes.includes(34) ? '"' : "'";
    const characters = Array.from(this.bytes, (byte) => {
      const character = String.fromCharCode(byte);
      if (character === quote) return `\\${quote}`;
      if (named[byte] !== undefined) return named[byte];
      return byte < 32 || byte > 126 ? `\\x${byte.toString(16).padStart(2, "0")}` : character;
    });
    return `b${quote}${characters.join("")}${quote}`;
  }

  override isTruthy(): boolean {
    return this.bytes.length > 0;
  }

  override equals(other: unknown): boolean {
    return other instanceof PythonBytes && Buffer.compare(this.bytes, other.bytes) === 0;
  }

  /** As lm-evaluation-harness writes it to its samples. */
  toJSON(): string {
    return this.str();
  }
}
