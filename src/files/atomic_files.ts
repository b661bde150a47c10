/** Files that are either whole or absent, whatever moment the process dies at. */
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Names of files and checkpoint folders on their way in or out (see also src/checkpoint/write_checkpoint.ts). */
const temporaryName = /^\..+\.(new|old)(-|$)/;

/** Forces a file's or folder's contents to the disk. */
export function syncPath(target: string, isDirectory: boolean): void {
  // Windows can neither open nor sync a folder; there the rename alone must do.
  if (isDirectory && process.platform === "win32") return;
  const descriptor = openSync(target, isDirectory ? "r" : "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Replaces `file` by `content` in one step: readers see the old or the new one. */
export function writeFileAtomically(file: string, content: string | Uint8Array): void {
  const folder = path.dirname(file);
  const temporary = path.join(folder, `.${path.basename(file)}.new-${process.pid}`);
  try {
    writeFileSync(temporary, content, { flush: true });
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  renameSync(temporary, file);
  syncPath(folder, true);
}

/** Removes what processes that died left in `folder`. */
export function removeTemporaries(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (temporaryName.test(name)) rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
