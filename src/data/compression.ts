/**
 * Compressions of text files, one entry each: how a name ends, the first bytes, and how it is unpacked. What other
 * programs pack is named, with the program that unpacks it.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

type Unpack = (packed: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

interface CompressionKind {
  endings: readonly string[];
  /** Of the first bytes. */
  begins: (head: Uint8Array) => boolean;
  unpack: Unpack;
}

export type Compression = "gz" | "zst";

const chunkBytes = 1 << 20;

async function* unpackGzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unpacked = createGunzip({ chunkSize: chunkBytes });
  // Its errors come out of the loop.
  const done = pipeline(packed, unpacked).catch(() => undefined);
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) yield chunk;
  } finally {
    unpacked.destroy();
    await done;
  }
}

async function* unpackZstandard(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // Loaded here: 80 KB of WebAssembly.
  yield* (await import("./zstd.ts")).unpackZstd(packed);
}

/** A frame, or one to be skipped: pzstd begins with such. */
function isZstandard(head: Uint8Array): boolean {
  const isSkippable = head[0] >> 4 === 5 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
  return isSkippable || (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd);
}

export const compressions: Readonly<Record<Compression, CompressionKind>> = {
  gz: { endings: ["gz", "gzip"], begins: (head) => head[0] === 0x1f && head[1] === 0x8b, unpack: unpackGzip },
  zst: { endings: ["zst", "zstd"], begins: isZstandard, unpack: unpackZstandard },
};

/** What is not unpacked here, by ending: the program that does. */
export const otherArchives: Readonly<Record<string, string>> = {
  bz2: "bunzip2",
  xz: "unxz",
  lzma: "unlzma",
  lz4: "lz4 -d",
  br: "brotli -d",
  z: "uncompress",
  zip: "unzip",
  tar: "tar xf",
  tgz: "tar xzf",
  "7z": "7z x",
  rar: "unrar x",
};

const names = Object.keys(compressions) as Compression[];

export function compressionOfEnding(ending: string): Compression | undefined {
  return names.find((name) => compressions[name].endings.includes(ending));
}

/** By the first bytes: also the file whose name does not say it. */
export function compressionOfContent(head: Uint8Array): Compression | undefined {
  return names.find((name) => compressions[name].begins(head));
}

/** The first bytes of a file, at most `length`. */
export async function readHead(file: string, length = 4096): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The bytes of `file`, unpacked; `onBytes` counts those on disk. */
export async function* readBytes(
  file: string,
  compression: Compression | null,
  onBytes: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array> {
  const raw = createReadStream(file, { highWaterMark: chunkBytes });
  try {
    const bytes = compression === null ? (raw as AsyncIterable<Buffer>) : compressions[compression].unpack(raw);
    for await (const chunk of bytes) {
      yield chunk;
      onBytes(raw.bytesRead);
    }
  } finally {
    raw.destroy();
  }
}
