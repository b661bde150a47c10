/**
 * Files that appear whole or not at all, whatever moment the process dies at: written beside the target under a name of
 * their own (see leftovers.ts), forced to the disk, then renamed over it. What lies at the target stays until then.
 */
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode } from "../errors/system_error.ts";
import { flushFolderSync } from "./flush.ts";
import { discard, sweepLeftovers, temporaryPath } from "./leftovers.ts";
import { FileWriteError, writeError } from "./write_error.ts";

/** Passes the content to `write` piece by piece, in order. */
export type Producer = (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>;

/** Linux writes no more at once. */
const largestWrite = 2 ** 30;

/**
 * Replaces `file` by what `content` is or produces. Links are followed, permissions kept; a device or pipe, which has no
 * name to take, is written to as it is.
 * @throws {FileWriteError} if the system refuses; an error of the producer passes through. Either way no partial file is
 * left, and an earlier file is untouched.
 */
export async function writeWholeFile(file: string, content: string | Uint8Array | Producer): Promise<void> {
  const produce: Producer = typeof content === "function" ? content : (write) => write(Buffer.from(content));
  const { target, temporary, mode } = prepare(file);
  try {
    const handle = await naming(file, () => open(temporary, "w", mode));
    try {
      await produce((bytes) => naming(file, () => writeAll(handle, bytes)));
      if (temporary !== target) await naming(file, () => handle.sync());
    } finally {
      await handle.close();
    }
    if (temporary === target) return;
    await naming(file, () => rename(temporary, target));
  } catch (error) {
    if (temporary !== target) discard(temporary);
    throw error;
  }
  flushFolderSync(path.dirname(target));
}

/** The same at once, for small files written between two steps of a loop. */
export function writeWholeFileSync(file: string, content: string | Uint8Array): void {
  const { target, temporary, mode } = prepare(file);
  try {
    const descriptor = openSync(temporary, "w", mode);
    try {
      writeFileSync(descriptor, content);
      if (temporary !== target) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (temporary === target) return;
    renameSync(temporary, target);
  } catch (error) {
    if (temporary !== target) discard(temporary);
    throw writeError(file, error);
  }
  flushFolderSync(path.dirname(target));
}

/** Where `file` is written first, and where it goes then; both are one where only the name itself can be written to. */
function prepare(file: string): { target: string; temporary: string; mode: number | undefined } {
  try {
    const target = realpathSync(file);
    const info = statSync(target);
    if (info.isDirectory()) throw new FileWriteError(`cannot write ${file}: it is a folder, not a file`);
    // A rename would replace what its owner has protected.
    accessSync(target, constants.W_OK);
    if (!info.isFile()) return { target, temporary: target, mode: undefined };
    return { ...beside(target), mode: info.mode };
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw writeError(file, error);
    return { ...beside(file), mode: undefined };
  }
}

function beside(target: string): { target: string; temporary: string } {
  sweepLeftovers(path.dirname(target));
  return { target, temporary: temporaryPath(target, "new") };
}

/** What the system refuses to `action` names the file that was meant. */
async function naming<T>(file: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw writeError(file, error);
  }
}

/** The system may take less than it is given: repeat until it has all. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(largestWrite, bytes.length - done));
    done += bytesWritten;
  }
}
