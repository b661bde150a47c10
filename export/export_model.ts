/** Writes what a plan decides, and proves what was written. */
import { rm } from "node:fs/promises";
import { type Checkpoint, isGgufPath, type ReadParameter } from "../src/checkpoint/checkpoint.ts";
import type { ExportPlan, OnBytes, VerifiedTensors } from "./targets/target.ts";
import { requireSameModel, statedByConfig, statedByGguf } from "./verify/stated_model.ts";

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
 * Compares what `out` says of the model, key by key, with the checkpoint's config.json, or its GGUF keys, read anew.
 * @param quantization what the user said of the linear layers where config.json does not
 * @returns the keys that were compared.
 * @throws {VerificationError} naming the first that differs; `out` is removed then.
 */
export function verifyMeaning(
  plan: ExportPlan,
  out: string,
  { directory, configJson }: Pick<Checkpoint, "directory" | "configJson">,
  quantization?: "online" | "none",
): Promise<string[]> {
  return removeIfWrong(out, async () => {
    const source = isGgufPath(directory) ? await statedByGguf(directory) : statedByConfig(configJson, quantization);
    return requireSameModel(source, await plan.target.stated(out));
  });
}

/**
 * Reads every tensor of `out` back and compares it with the checkpoint, without tolerance.
 * @throws {VerificationError} naming the first that differs; `out` is removed then.
 */
export function verifyExport(plan: ExportPlan, out: string, read: ReadParameter): Promise<VerifiedTensors> {
  return removeIfWrong(out, () => plan.target.verifyTensors(plan, out, read));
}
