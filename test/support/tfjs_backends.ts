/** The tfjs backends that a test can run on here: cpu, wasm, and native where the addon loads. */
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { loadAddon } from "../../native/addon.ts";
import { registerNativeBackend } from "../../native/backend/index.ts";

function nativeLoads(): boolean {
  try {
    loadAddon();
    return true;
  } catch {
    return false;
  }
}

export const hasNative = nativeLoads();
if (hasNative) registerNativeBackend();

/** For `describe.each`. A machine without a compiler tests the first two. */
export const testedBackends: readonly string[] = hasNative ? ["cpu", "wasm", "native"] : ["cpu", "wasm"];

/** Makes `name` the current backend; fails if tfjs falls back to another. */
export async function useBackend(name: string): Promise<void> {
  await tf.setBackend(name);
  await tf.ready();
  if (tf.getBackend() !== name) throw new Error(`tfjs runs on ${tf.getBackend()}, not on ${name}`);
}
