/** The backend that evaluation tests run on: native where the addon is built, else tfjs's own cpu backend. */
import * as tf from "@tensorflow/tfjs";
import { NativeUnavailableError } from "../../native/addon.ts";
import { registerNativeBackend } from "../../native/backend/index.ts";

/** Makes it current and returns its name. */
export async function useTestBackend(): Promise<"native" | "cpu"> {
  let name: "native" | "cpu" = "native";
  try {
    registerNativeBackend();
  } catch (error) {
    if (!(error instanceof NativeUnavailableError)) throw error;
    name = "cpu";
  }
  await tf.setBackend(name);
  return name;
}
