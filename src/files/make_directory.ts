/** Folders, made one by one: `mkdir` with `recursive` never returns below /proc (Node 20), where nothing can be made. */
import { accessSync, constants, existsSync, mkdirSync, rmdirSync, statSync } from "node:fs";
import path from "node:path";
import { systemErrorCode, systemErrorText } from "../errors/system_error.ts";
import { FileWriteError } from "./write_error.ts";

/** Folders on the way to `directory` that are not there, the highest first. */
function missingFolders(directory: string): string[] {
  const missing: string[] = [];
  for (let folder = path.resolve(directory); !existsSync(folder); folder = path.dirname(folder))
    missing.unshift(folder);
  return missing;
}

function refusal(directory: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  // Its parent is there: the file system has no such folders to give.
  const reason = code === "ENOENT" ? "no folder can be made there" : systemErrorText(error);
  return new FileWriteError(`cannot write ${directory}: ${reason}`, { cause: error });
}

function make(directory: string): string[] {
  const made: string[] = [];
  try {
    for (const folder of missingFolders(directory)) {
      try {
        mkdirSync(folder);
        made.push(folder);
      } catch (error) {
        // Another process was faster.
        if (systemErrorCode(error) !== "EEXIST" || !statSync(folder).isDirectory()) throw error;
      }
    }
    if (!statSync(directory).isDirectory())
      throw new FileWriteError(`cannot write ${directory}: it is a file, not a folder`);
  } catch (error) {
    throw refusal(directory, error);
  }
  return made;
}

/** Makes a folder and those above it, as `mkdir -p`. @throws {FileWriteError} */
export function makeDirectory(directory: string): void {
  make(directory);
}

/**
 * Checks that a folder can be made, or is there, and can be written to; leaves nothing behind.
 * @throws {FileWriteError}
 */
export function checkWritableDirectory(directory: string): void {
  const made = make(directory);
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refusal(directory, error);
  } finally {
    for (const folder of made.reverse()) rmdirSync(folder);
  }
}
