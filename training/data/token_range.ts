/** A stretch of one or several token streams read as one. */
import type { ShardReader } from "./token_shards.ts";

export class TokenRange {
  /** Number of tokens. */
  readonly length: number;
  private readonly readers: readonly ShardReader[];
  private readonly start: number;

  /** Tokens `start` ... `end - 1` of the concatenation of `readers`. */
  constructor(readers: readonly ShardReader[], start: number, end: number) {
    this.readers = readers;
    this.start = start;
    this.length = end - start;
  }

  /** Copies `out.length` tokens from `position` on. */
  async read(position: number, out: Int32Array): Promise<void> {
    let wanted = this.start + position;
    let done = 0;
    for (const reader of this.readers) {
      const count = Math.min(out.length - done, reader.length - wanted);
      if (count > 0) {
        await reader.read(wanted, out.subarray(done, done + count));
        done += count;
        wanted += count;
      }
      wanted -= reader.length;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.readers.map((reader) => reader.close()));
  }
}
