/** Writes what a plan decides, and proves what was written. */
import { rm } from "node:fs/promises";
import type { ReadParameter } from "../src/checkpoint/checkpoint.ts";
import type { ExportPlan, OnBytes, VerifiedTensors } from "./targets/target.ts";

/**
 * Writes `out`, a file or, for transformers, a directory: all of it or nothing. `onBytes` gets the size of each piece.
 * @throws {ExportRefusedError} if a tensor of the checkpoint cannot be stored; the errors of files if the system refuses.
 */
export function exportModel(plan: ExportPlan, out: string, read: ReadParameter, onBytes?: OnBytes): Promise<void> {
  return plan.target.write(plan, out, read, onBytes);
}

/** Runs a check of `out` and removes it if the check fails: a file that does not pass is worse than none. */
export async function removeIfWrong<T>(out: string, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    await rm(out, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Reads every tensor of `out` back and compares it with the checkpoint, without tolerance.
 * @throws {VerificationError} naming the first that differs; `out` is removed then.
 */
export function verifyExport(plan: ExportPlan, out: string, read: ReadParameter): Promise<VerifiedTensors> {
  return removeIfWrong(out, () => plan.target.verifyTensors(plan, out, read));
}
