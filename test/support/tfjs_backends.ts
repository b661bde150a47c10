/** The tfjs backends that a test can run on here: cpu, wasm, and native where the addon loads. */
import { existsSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { registerNativeBackend } from "../../native/backend/index.ts";

/** False on a machine without a compiler. An addon that was built and does not load is an error, not a skipped test. */
export const hasNative = existsSync(path.resolve(import.meta.dirname, "../../native/build/Release/bitnet_native.node"));
if (hasNative) registerNativeBackend();

/** For `describe.each`. A machine without a compiler tests the first two. */
export const testedBackends: readonly string[] = hasNative ? ["cpu", "wasm", "native"] : ["cpu", "wasm"];

/** Makes `name` the current backend; fails if tfjs falls back to another. */
export async function useBackend(name: string): Promise<void> {
  await tf.setBackend(name);
  await tf.ready();
  if (tf.getBackend() !== name) throw new Error(`tfjs runs on ${tf.getBackend()}, not on ${name}`);
}
