/**
 * One writer for a folder: the file `.lock` in it names the process that writes there. The lock of a process that is gone,
 * or of another machine (the folder was copied), counts for nothing.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { systemErrorCode } from "../errors/system_error.ts";
import { UserError } from "../errors/user_error.ts";
import { temporaryPath } from "./leftovers.ts";
import { writeError } from "./write_error.ts";

/** Another process writes to the folder. */
export class FolderLockedError extends UserError {
  override name = "FolderLockedError";
}

interface Holder {
  host: string;
  pid: number;
  /** When the process started, in the system's own count; null where it cannot be asked. */
  started: string | null;
}

/** Of a process of this machine; tells it from a later one with the same id. Null where there is no /proc. */
function startOf(pid: number): string | null {
  try {
    // The name, which may hold anything, ends with the last bracket; the start is field 22.
    const [, fields] = readFileSync(`/proc/${pid}/stat`, "utf8").split(/\)(?=[^)]*$)/);
    return fields.trim().split(" ")[19];
  } catch {
    return null;
  }
}

function isRunning({ host, pid, started }: Holder): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemErrorCode(error) !== "EPERM") return false;
  }
  return started === null || startOf(pid) === started;
}

const lockFile = (folder: string) => path.join(folder, ".lock");

/** Id of the process that writes to the folder; null if none does. */
export function folderWriter(folder: string): number | null {
  const holder = readHolder(lockFile(folder));
  return holder !== null && isRunning(holder) ? holder.pid : null;
}

function readHolder(file: string): Holder | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch {
    return null;
  }
}

/**
 * Takes the folder, which must be there, until the process ends or the returned function is called.
 * @throws {FolderLockedError} if another process has it.
 */
export function lockFolder(folder: string): () => void {
  const file = lockFile(folder);
  const mine = JSON.stringify({ host: hostname(), pid: process.pid, started: startOf(process.pid) });
  for (let attempt = 0; !create(file, mine); attempt++) {
    const writer = folderWriter(folder);
    if (writer !== null || attempt === 2) {
      throw new FolderLockedError(`${folder}: process ${writer ?? "of unknown id"} writes there; wait for its end`);
    }
    takeAway(file);
  }
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  return () => {
    process.off("exit", release);
    release();
  };
}

/** False if the file is there. */
function create(file: string, content: string): boolean {
  try {
    writeFileSync(file, content, { flag: "wx" });
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw writeError(file, error);
  }
}

/** Of two processes that find a lock of a dead one, only one moves it away. */
function takeAway(file: string): void {
  const away = temporaryPath(file, "old");
  try {
    renameSync(file, away);
  } catch {
    return;
  }
  rmSync(away, { force: true });
}
