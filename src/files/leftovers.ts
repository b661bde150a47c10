/**
 * The names of files and folders on their way in or out, and the sweep of what processes that died left of them.
 *
 *     .NAME.new-HOST-PID-START-N    becomes NAME when it is complete
 *     .NAME.old-HOST-PID-START-N    was NAME until its successor is there (folders: they are replaced in two steps)
 *
 * HOST is a hash of the machine's name, START tells processes with the same id apart, N counts within the process.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { systemErrorCode } from "../errors/system_error.ts";

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
const start = randomBytes(4).toString("hex");
const pattern = /^\.(.+)\.(new|old)-([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-\d+$/s;
let count = 0;

/** A name beside `target` that nobody else has. */
export function temporaryPath(target: string, way: "new" | "old"): string {
  const { dir, base } = path.parse(target);
  return path.join(dir, `.${base}.${way}-${host}-${process.pid}-${start}-${count++}`);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}

/**
 * Removes from `folder` what processes of this machine that are gone left there. A folder that was moved out of the way
 * and never replaced gets its name back. What cannot be removed stays.
 */
export function sweepLeftovers(folder: string): void {
  const leftovers = namesIn(folder).flatMap((name) => {
    const [, target, way, ofHost, pid, ofStart] = pattern.exec(name) ?? [];
    const isAlive = Number(pid) === process.pid ? ofStart === start : isRunning(Number(pid));
    return ofHost === host && !isAlive ? [{ way, from: path.join(folder, name), to: path.join(folder, target) }] : [];
  });
  for (const { way, from, to } of leftovers) {
    if (way === "old" && !existsSync(to)) restore(from, to);
    else discard(from);
  }
}

function restore(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // Another process was faster.
  }
}

/** Removes a temporary file or folder, if it is there and can be removed. */
export function discard(temporary: string): void {
  try {
    rmSync(temporary, { recursive: true, force: true });
  } catch {
    // A later sweep may be allowed to.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Whoever writes into it will hear why.
    return [];
  }
}
