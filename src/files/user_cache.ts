/** Where things are kept between runs, also for a user without a home. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { messageOf } from "../errors/user_error.ts";
import { checkWritableDirectory } from "./make_directory.ts";
import { FileWriteError } from "./write_error.ts";

type Environment = Record<string, string | undefined>;

/** The user's home; null if nothing says where it is (containers with a user id of their own). */
export function homeDirectory(): string | null {
  try {
    const home = homedir();
    return path.isAbsolute(home) ? home : null;
  } catch {
    return null;
  }
}

/** A folder among the temporary ones that is this user's. */
export function temporaryHome(): string {
  return path.join(tmpdir(), `bitnet-lab-${process.getuid?.() ?? "user"}`);
}

/** The folder for caches of all programs; null without a home. */
export function cacheHome(env: Environment = process.env): string | null {
  if (env.XDG_CACHE_HOME) return env.XDG_CACHE_HOME;
  const home = homeDirectory();
  return home === null ? null : path.join(home, ".cache");
}

export interface UserCache {
  folder: string;
  /** What to tell if it is not the usual one. */
  remark: string | null;
}

/** Why the folder cannot be used; null if it can. */
function problemOf(folder: string): string | null {
  try {
    checkWritableDirectory(folder);
    return null;
  } catch (error) {
    if (!(error instanceof FileWriteError)) throw error;
    return messageOf(error);
  }
}

/**
 * The folder that the user chose by `name`. One with something in it may hold all that is needed: only another one must be
 * writable.
 * @throws {FileWriteError}
 */
export function chosenCache(folder: string, name: string): UserCache {
  const isFilled = existsSync(folder) && statSync(folder).isDirectory() && readdirSync(folder).length > 0;
  const problem = isFilled ? null : problemOf(folder);
  if (problem !== null) throw new FileWriteError(`${name}: ${problem}`);
  return { folder, remark: null };
}

/**
 * Our folder: BITNET_CACHE, else `bitnet-lab` in the user's cache folder, else one among the temporary files.
 * @throws {FileWriteError} naming BITNET_CACHE, if none of them can be written.
 */
export function userCache(env: Environment = process.env): UserCache {
  if (env.BITNET_CACHE) return chosenCache(env.BITNET_CACHE, "BITNET_CACHE");
  const home = cacheHome(env);
  const usual = home === null ? null : path.join(home, "bitnet-lab");
  const problem = usual === null ? "this user has no home" : problemOf(usual);
  if (usual !== null && problem === null) return { folder: usual, remark: null };
  const folder = path.join(temporaryHome(), "cache");
  const second = problemOf(folder);
  if (second !== null) {
    throw new FileWriteError(`no place for the cache: ${problem}; ${second}; let BITNET_CACHE name a folder`);
  }
  return { folder, remark: `the cache is in ${folder}: ${problem}; BITNET_CACHE names another folder` };
}
