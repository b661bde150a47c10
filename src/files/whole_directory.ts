/**
 * A directory that is there completely or not at all: everything goes into a temporary sibling (see leftovers.ts), is
 * forced to the disk, and takes the name by renames.
 */
import { mkdir, readdir, rename } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode } from "../errors/system_error.ts";
import { flushFile, flushFolderSync } from "./flush.ts";
import { discard, sweepLeftovers, temporaryPath } from "./leftovers.ts";
import { makeDirectory } from "./make_directory.ts";
import { FileWriteError, writeError } from "./write_error.ts";

/** Writes files into the folder `temporary`, which will get the name. */
export type Fill = (temporary: string) => Promise<void>;

/** True if there is such a directory. @throws {FileWriteError} if it is somebody else's. */
async function isOurs(directory: string, marker: string): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
  if (names.length > 0 && !names.includes(marker)) {
    throw new FileWriteError(`${directory} holds other files: choose a new or empty directory`);
  }
  return true;
}

/**
 * Fills a temporary sibling of `directory` and gives it the name. An existing directory of that name is replaced if
 * it is empty or holds `marker`, a file that says it was written by the same code.
 * On failure nothing is left behind and the old directory stays.
 * @param isWanted asked when all is written: false drops it and leaves what is there
 * @throws {FileWriteError} if the directory is somebody else's, or the system refuses (no space, no permission);
 * other errors of `fill` pass through.
 */
export async function writeWholeDirectory(
  directory: string,
  marker: string,
  fill: Fill,
  isWanted: () => Promise<boolean> = async () => true,
): Promise<void> {
  const target = path.resolve(directory);
  const parent = path.dirname(target);
  const temporary = temporaryPath(target, "new");
  const retired = temporaryPath(target, "old");
  try {
    sweepLeftovers(parent);
    await isOurs(directory, marker);
    makeDirectory(parent);
    await mkdir(temporary);
    await fill(temporary);
    for (const name of await readdir(temporary)) await flushFile(path.join(temporary, name));
    flushFolderSync(temporary);
    if (!(await isWanted())) return discard(temporary);
    const replaced = await isOurs(directory, marker);
    if (replaced) await rename(target, retired);
    await rename(temporary, target);
    flushFolderSync(parent);
    if (replaced) discard(retired);
  } catch (error) {
    discard(temporary);
    throw isRefusalOf(error, temporary, target) ? writeError(directory, error) : error;
  }
}

/** True for what the system refuses to this write; `fill` may also fail to read files elsewhere. */
function isRefusalOf(error: unknown, temporary: string, target: string): boolean {
  if (error instanceof FileWriteError) return error.cause !== undefined;
  const { path: place } = error as NodeJS.ErrnoException;
  return place === undefined || place.startsWith(temporary) || target.startsWith(path.resolve(place));
}
