/** The backend that evaluation tests run on: native where the addon is built, else tfjs's own cpu backend. */
import * as tf from "@tensorflow/tfjs";
import { loadAddon, NativeUnavailableError } from "../../native/addon.ts";
import { registerNativeBackend } from "../../native/backend/index.ts";

export function isAddonBuilt(): boolean {
  try {
    loadAddon();
    return true;
  } catch (error) {
    if (error instanceof NativeUnavailableError) return false;
    throw error;
  }
}

/** Makes it current and returns its name. */
export async function useTestBackend(): Promise<"native" | "cpu"> {
  const name = isAddonBuilt() ? "native" : "cpu";
  if (name === "native") registerNativeBackend();
  await tf.setBackend(name);
  return name;
}
