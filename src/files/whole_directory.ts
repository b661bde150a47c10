/**
 * A directory that is there completely or not at all: everything goes into a temporary sibling, is flushed to the
 * device, and takes the name by renames.
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { CheckpointError } from "../checkpoint/checkpoint_error.ts";
import { systemErrorText } from "../errors/system_error.ts";

/** Flushes a file or directory to the device. */
async function flush(target: string): Promise<void> {
  // Windows cannot open directories; its renames are durable without.
  if (process.platform === "win32") return;
  const handle = await open(target, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Moves `directory` out of the way; false if there is none. */
async function retire(directory: string, retired: string, marker: string): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  if (names.length > 0 && !names.includes(marker)) {
    throw new CheckpointError(`${directory} holds other files: choose a new or empty directory`);
  }
  await rename(directory, retired);
  return true;
}

/**
 * Fills a temporary sibling of `directory` and gives it the name. An existing directory of that name is replaced if
 * it is empty or holds `marker`, a file that says it was written by the same code.
 * On failure nothing is left behind and the old directory stays.
 * @throws {CheckpointError} if the directory is somebody else's, or the system refuses (no space, no permission);
 * errors of `fill` without a system code pass through.
 */
export async function replaceDirectory(
  directory: string,
  marker: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const parent = path.dirname(path.resolve(directory));
  const suffix = `${process.pid}-${randomBytes(4).toString("hex")}`;
  const temporary = path.join(parent, `.${path.basename(directory)}.new-${suffix}`);
  const retired = path.join(parent, `.${path.basename(directory)}.old-${suffix}`);
  try {
    await mkdir(temporary, { recursive: true });
    await fill(temporary);
    for (const name of await readdir(temporary)) await flush(path.join(temporary, name));
    await flush(temporary);
    const replaced = await retire(directory, retired, marker);
    await rename(temporary, directory);
    await flush(parent);
    if (replaced) await rm(retired, { recursive: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new CheckpointError(`cannot write ${directory}: ${systemErrorText(error)}`);
  }
}
