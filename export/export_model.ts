/** Writes what a plan decides, and proves what was written. */
import type { ReadParameter } from "../src/checkpoint/checkpoint.ts";
import type { ExportPlan, OnBytes } from "./targets/target.ts";

/**
 * Writes `out`, a file or, for transformers, a directory: all of it or nothing. `onBytes` gets the size of each piece.
 * @throws {ExportRefusedError} if a tensor of the checkpoint cannot be stored; the errors of files if the system refuses.
 */
export function exportModel(plan: ExportPlan, out: string, read: ReadParameter, onBytes?: OnBytes): Promise<void> {
  return plan.target.write(plan, out, read, onBytes);
}
