/** Teaches Apache Arrow's library the two compressions of its format: LZ4 frames and Zstandard. */
import { CompressionType, compressionRegistry } from "apache-arrow";
import { unpackLz4Frame } from "./lz4_frame.ts";
import { unpackZstdSync, zstdReady } from "./zstd.ts";

let registered: Promise<void> | undefined;

/** To be awaited before a file is opened. */
export function registerArrowCodecs(): Promise<void> {
  registered ??= zstdReady().then(() => {
    compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: unpackLz4Frame });
    compressionRegistry.set(CompressionType.ZSTD, { decode: unpackZstdSync });
  });
  return registered;
}
