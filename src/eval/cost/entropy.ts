/** How few bits the codes of weights could take: their entropy, and what a general compressor makes of them. */
import { createGzip } from "node:zlib";

/** Bits of one symbol, if symbols are drawn independently with these counts: the order-0 entropy. */
export function entropyBits(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((bits, count) => (count === 0 ? bits : bits - (count / total) * Math.log2(count / total)), 0);
}

/** Codes with so many values that fit into a byte: five ternary ones. */
export function codesPerByte(values: number): number {
  return Math.floor(8 / Math.log2(values) + 1e-9);
}

/** `codes`, each from 0 to `values` - 1, as digits of one byte; the last byte may have fewer. */
export function packDense(codes: Uint8Array, values: number): Uint8Array {
  const each = codesPerByte(values);
  const packed = new Uint8Array(Math.ceil(codes.length / each));
  for (let i = codes.length - 1; i >= 0; i--) {
    const byte = Math.floor(i / each);
    packed[byte] = packed[byte] * values + codes[i];
  }
  return packed;
}

/** Counts the bytes that gzip makes of what is written to it. */
export class GzipSize {
  private readonly stream = createGzip();
  private bytes = 0;

  constructor() {
    this.stream.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => this.stream.write(bytes, (error) => (error ? reject(error) : resolve())));
  }

  end(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.stream.on("error", reject).on("end", () => resolve(this.bytes));
      this.stream.end();
    });
  }
}
