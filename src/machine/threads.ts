/** How many threads compute: what the system lets this process use, the same number in every command. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { counted } from "../errors/counted.ts";
import { UserError } from "../errors/user_error.ts";
import { cgroupQuota } from "./cgroup_quota.ts";

const maxThreads = 1024;

/** A number of threads that cannot be. */
export class ThreadsError extends UserError {
  override name = "ThreadsError";
}

/** CPUs of a kernel's list, `0-3,8,10-11`; 0 of none. */
function countCpus(list: string): number {
  return list.split(",").reduce((sum, range) => {
    const [first, last = first] = range.split("-").map((text) => Number.parseInt(text, 10));
    return sum + (Number.isInteger(last - first) ? last - first + 1 : 0);
  }, 0);
}

/**
 * CPUs that the process may be scheduled on (`taskset`, cpusets). Read here, because what `availableParallelism` counts
 * differs between versions of Node.
 */
function affinity(root: string): number {
  try {
    const status = readFileSync(path.join(root, "proc/self/status"), "utf8");
    const count = countCpus(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "");
    if (count > 0) return count;
  } catch {
    // Not Linux, or /proc is not mounted.
  }
  return availableParallelism();
}

/**
 * Threads that this process has CPUs for: those it may run on, and no more than its control groups grant; a part of a
 * CPU counts as one. At least 1.
 * @param root the folder that holds `proc` and `sys`
 */
export function allowedThreads(root = "/"): number {
  return Math.max(1, Math.min(affinity(root), Math.ceil(cgroupQuota(root))));
}

/** @throws {ThreadsError} unless it is an integer from 1 to 1024 */
export function checkThreads(threads: number, name = "threads", written = String(threads)): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= maxThreads) return threads;
  throw new ThreadsError(`${name} must be an integer from 1 to ${maxThreads}, not ${written}`);
}

/** BITNET_THREADS, if it is set. @throws {ThreadsError} */
export function threadsOfEnvironment(env: Record<string, string | undefined> = process.env): number | undefined {
  const text = env.BITNET_THREADS?.trim();
  return text ? checkThreads(Number(text), "BITNET_THREADS", text) : undefined;
}

/** Threads where none are asked for: BITNET_THREADS, else all that are allowed. @throws {ThreadsError} */
export function defaultThreads(): number {
  return threadsOfEnvironment() ?? allowedThreads();
}

/**
 * Floating-point operations of a training step that a thread is worth. Measured on two cores (AMX): with a second thread,
 * steps of 0.02, 0.07, 0.27, 1.1 and 4.3 billion operations ran 0.86, 0.98, 1.11, 1.29 and 1.49 times as fast on a quiet
 * machine; with a busy neighbour, that of 0.27 billion 0.8 times, for a helper that does not run is waited for.
 */
const operationsPerThread = 2e8;

/** How many of `threads` help with a step of so many floating-point operations. At least 1. */
export function helpfulThreads(threads: number, operations: number): number {
  return Math.max(1, Math.min(threads, Math.floor(operations / operationsPerThread)));
}

/** What to say of more threads than there are CPUs for; null if there is nothing to say. */
export function threadsRemark(threads: number, allowed = allowedThreads()): string | null {
  if (threads <= allowed) return null;
  const cpus = counted(allowed, "CPU");
  return `${threads} threads on ${cpus}, which is all that this process may use: they will wait for one another`;
}
