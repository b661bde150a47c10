/**
 * Zstandard, by the reference decoder compiled to WebAssembly: the same on every Node. (Node's own, where there is one,
 * ends after the first frame of several without a word, and Node 22's says nothing of a file that was cut.)
 */
import { ZSTDDecoder } from "zstddec/stream";

/** The decoder refuses to keep more of what it has written. `zstd --long` stays at it, `--long=28` does not. */
const largestWindow = 1 << 27;

/** Bytes of output that a frame refers back to, from its header; undefined where the header does not start one. */
export function zstdWindow(head: Uint8Array): number | undefined {
  if (head.length < 6 || head[0] !== 0x28 || head[1] !== 0xb5 || head[2] !== 0x2f || head[3] !== 0xfd) return undefined;
  const isSingleSegment = (head[4] & 0x20) !== 0;
  if (isSingleSegment) return undefined;
  const base = 2 ** (10 + (head[5] >> 3));
  return base + (base / 8) * (head[5] & 7);
}

/** What a decoder that makes no progress is fed with: it reports no error by itself. */
class Feed {
  waiting: Uint8Array | null | undefined;
  idle = 0;

  *chunks(): Generator<Uint8Array> {
    for (let chunk = this.waiting; chunk; chunk = this.waiting) {
      this.waiting = undefined;
      this.idle = 0;
      yield chunk;
    }
  }
}

/** @throws {Error} if the data are damaged or end too early, or need a larger window than there is. */
export async function* unpackZstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const packed = source[Symbol.asyncIterator]();
  const feed = new Feed();
  const outputs = decoder.decodeStreaming(feed.chunks());
  let isFirst = true;
  try {
    for (;;) {
      while (feed.waiting === undefined || feed.waiting?.length === 0) {
        const next = await packed.next();
        feed.waiting = next.done ? null : next.value;
        if (isFirst && feed.waiting) checkWindow(feed.waiting);
        isFirst = false;
      }
      const output = outputs.next();
      if (output.done) return;
      if (output.value.length > 0) yield output.value;
      // Once a chunk is used up an output may be empty; again and again means that nothing is taken in.
      else if (++feed.idle > 2) throw new Error("the Zstandard data are damaged");
    }
  } finally {
    await packed.return?.();
  }
}

function checkWindow(head: Uint8Array): void {
  const window = zstdWindow(head) ?? 0;
  if (window <= largestWindow) return;
  throw new Error(
    `its Zstandard window is ${window / 2 ** 20} MiB, and 128 are read: pack it without --long (zstd -dc --long=31 FILE | zstd -o NEW)`,
  );
}

/** The whole of a buffer at once. @throws {Error} if it is damaged. */
export function unpackZstdSync(bytes: Uint8Array): Uint8Array {
  return syncDecoder.decode(bytes);
}

const syncDecoder = new ZSTDDecoder();
/** To be awaited before {@link unpackZstdSync}. */
export const zstdReady = (): Promise<void> => syncDecoder.init();
