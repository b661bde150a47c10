/** Bytes that are read by ranges: a file of this machine, or one that lies elsewhere. */
import { type FileHandle, open } from "node:fs/promises";

export interface ByteSource {
  /** For messages. */
  readonly path: string;
  readonly size: number;
  /**
   * Bytes [begin, end), which lie inside.
   * @throws {UnexpectedEnd} if they end before.
   */
  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** The bytes end earlier than their size says: something else shortens the file. */
export class UnexpectedEnd extends Error {
  override name = "UnexpectedEnd";
}

/** Largest single read: Node's limit is 2^31 - 1 bytes. */
const readBytesAtOnce = 2 ** 30;

class LocalFile implements ByteSource {
  readonly path: string;
  readonly size: number;
  private readonly handle: FileHandle;

  constructor(path: string, size: number, handle: FileHandle) {
    this.path = path;
    this.size = size;
    this.handle = handle;
  }

  async read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(end - begin);
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(readBytesAtOnce, bytes.length - done);
      const { bytesRead } = await this.handle.read(bytes, done, length, begin + done);
      if (bytesRead === 0) throw new UnexpectedEnd(`the file ends at byte ${begin + done}`);
      done += bytesRead;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** Null if the path names something else than a file. Errors are the system's. */
export async function openLocalFile(path: string): Promise<ByteSource | null> {
  const handle = await open(path, "r");
  const stat = await handle.stat();
  if (stat.isFile()) return new LocalFile(path, stat.size, handle);
  await handle.close();
  return null;
}
