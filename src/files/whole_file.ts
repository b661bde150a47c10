/**
 * Files that appear whole or not at all: written beside the target under a name of their own, forced to the disk
 * (fsync), then renamed over it.
 */
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors/user_error.ts";

/** A file that could not be written; nothing of it is left. */
export class FileWriteError extends UserError {
  override name = "FileWriteError";
}

const reasons: Record<string, string> = {
  ENOSPC: "no space left on the disk",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file size limit is reached",
  ENOENT: "the folder does not exist",
  ENOTDIR: "its parent is not a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  EISDIR: "it is a folder",
};

/**
 * Runs `produce`, which passes the content to `write` piece by piece, in order.
 * @throws {FileWriteError} if the system refuses; an error of `produce` passes through. Either way no partial file
 * is left, and an earlier file at `target` is untouched.
 */
export async function writeFileAtomically(
  target: string,
  produce: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const partial = path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}.partial`);
  let handle: FileHandle | undefined;
  try {
    handle = await open(partial, "w");
    const file = handle;
    await produce((bytes) => writeAll(file, bytes));
    await file.sync();
    await file.close();
    handle = undefined;
    await rename(partial, target);
    await syncFolder(path.dirname(target));
  } catch (error) {
    await handle?.close();
    await unlink(partial).catch(() => undefined);
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const reason = reasons[code];
    throw reason === undefined ? error : new FileWriteError(`cannot write ${target}: ${reason}`, { cause: error });
  }
}

/** The system may take less than it is given: repeat until it has all. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done);
    done += bytesWritten;
  }
}

/** Makes the rename itself durable. Not every system lets a folder be opened (Windows): there the rename is enough. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  if (handle === undefined) return;
  await handle.sync().catch(() => undefined);
  await handle.close();
}
