/** A file read at any place, as hyparquet asks for it. */
import { open } from "node:fs/promises";
import type { AsyncBuffer } from "hyparquet";

export interface RandomAccess {
  file: AsyncBuffer;
  close(): Promise<void>;
}

export async function openRandomAccess(path: string): Promise<RandomAccess> {
  const handle = await open(path);
  const { size } = await handle.stat();
  const slice = async (start: number, end: number = size): Promise<ArrayBuffer> => {
    const bytes = new Uint8Array(Math.max(0, end - start));
    for (let read = 0; read < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, read, bytes.length - read, start + read);
      if (bytesRead === 0) throw new Error("the file ends too early");
      read += bytesRead;
    }
    return bytes.buffer;
  };
  return { file: { byteLength: size, slice }, close: () => handle.close() };
}
