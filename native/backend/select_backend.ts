/**
 * Chooses the tfjs backend of a command: `native` (this project's C++ kernels; the default), `tensorflow` (when
 * @tensorflow/tfjs-node is installed), `wasm` or `cpu` (plain JavaScript). Results agree within a tolerance; only
 * `native` keeps the bits of the exported model.
 */
import { createRequire } from "node:module";
import { cpus } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { messageOf, UserError } from "../../src/errors/user_error.ts";
import { allowedThreads, helpfulThreads, threadsOfEnvironment } from "../../src/machine/threads.ts";
import type { BackendName, Compute } from "../../src/ops/compute.ts";
import { loadAddon, type NativeAddon, NativeUnavailableError } from "../addon.ts";
import { thisCpuName } from "../cpu_name.ts";
import { nativeKernelLog, registerNativeBackend, resetKernelLog } from "./index.ts";

/** Stands for operations made of plain tfjs ops. */
const composed = "composed";

/** The backend cannot be used; the message says what to install. */
export class BackendError extends UserError {
  override name = "BackendError";
}

/**
 * Makes a backend current in tfjs.
 * @param name default: native; without the addon, wasm with a loud warning
 * @param threads default: BITNET_THREADS, else all CPUs that the process may use. Only `native` can be told.
 * @param warn gets the warning
 * @throws {BackendError | NativeUnavailableError} if a backend asked for by name is missing, or BITNET_ISA names a
 * variant that this CPU does not have
 */
export async function selectBackend(
  name?: BackendName,
  threads?: number,
  warn: (line: string) => void = console.error,
): Promise<Compute> {
  switch (name) {
    case "native":
      return selectNative(threads);
    case "tensorflow":
      return selectTensorflow();
    case "wasm":
      return selectWasm();
    case "cpu":
      await activate("cpu");
      return plainBackend("cpu");
    default:
      try {
        return await selectNative(threads);
      } catch (error) {
        if (!(error instanceof NativeUnavailableError)) throw error;
        warn(`WARNING: ${error.message}`);
        warn("WARNING: going on with the wasm backend: tens of times slower, and without the bit guarantee");
        return selectWasm();
      }
  }
}

async function activate(backend: string): Promise<void> {
  if (!(await tf.setBackend(backend))) throw new BackendError(`the ${backend} backend did not start`);
  await tf.ready();
}

/** A backend without our kernels: one thread of JavaScript, or whatever its library decides. */
function plainBackend(backend: BackendName): Compute {
  return {
    backend,
    variant: composed,
    cpu: cpus()[0]?.model ?? "unknown",
    features: [],
    threads: 1,
    kernel: () => composed,
  };
}

async function selectNative(threads: number | undefined): Promise<Compute> {
  const addon = loadAddon();
  const asked = threads ?? threadsOfEnvironment();
  addon.setThreads(asked ?? allowedThreads());
  registerNativeBackend();
  const variant = activeVariant(addon);
  await activate("native");
  const compute: Compute = {
    backend: "native",
    variant,
    cpu: thisCpuName(),
    features: addon.features().features,
    threads: addon.threads(),
    fitThreads(operations) {
      if (asked !== undefined) return;
      addon.setThreads(helpfulThreads(allowedThreads(), operations));
      compute.threads = addon.threads();
    },
    kernel: (required = ["BitLinear"]) => {
      const { calls, variant: ran } = nativeKernelLog();
      resetKernelLog();
      const missing = required.filter((name) => !calls.has(name));
      if (missing.length === required.length) return composed;
      return missing.length === 0 ? ran : `${ran} (${composed}: ${missing.join(" ")})`;
    },
  };
  return compute;
}

/** @throws {BackendError} if BITNET_ISA names none that this CPU has. */
function activeVariant(addon: NativeAddon): string {
  try {
    return addon.variant();
  } catch (error) {
    // An addon of another version lacks the function: that is no choice of the user's.
    throw error instanceof TypeError ? error : new BackendError(messageOf(error));
  }
}

async function selectTensorflow(): Promise<Compute> {
  // An optional peer: not a literal import, so that types and bundlers do not ask for it.
  const packageName: string = "@tensorflow/tfjs-node";
  try {
    await import(packageName);
  } catch (error) {
    throw new BackendError(
      `the tensorflow backend needs ${packageName} (npm install ${packageName}): ${(error as Error).message.split("\n")[0]}`,
    );
  }
  await activate("tensorflow");
  return plainBackend("tensorflow");
}

async function selectWasm(): Promise<Compute> {
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  const entry = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(`${path.dirname(entry)}${path.sep}`);
  await activate("wasm");
  return plainBackend("wasm");
}
