/**
 * Opens what `--model` names: a GGUF file in the native engine, a checkpoint or run directory through tfjs. Each is loaded
 * only when it is needed, so a GGUF file does not wait for tfjs.
 */
import { statSync } from "node:fs";
import type { LanguageModel } from "../eval/language_model.ts";
import type { BackendName } from "./backend.ts";
import { UsageError } from "./command.ts";

export interface ModelOptions {
  /** Default: BITNET_THREADS, else all CPUs. */
  threads?: number;
  /** Of a checkpoint; default: native. */
  backend?: BackendName;
  /** Keep a GGUF file's weights in memory; default: false. */
  lockMemory?: boolean;
}

/** `--backend` of the commands that take a model; not imported from backend.ts, which loads tfjs. */
export const backendChoices: readonly BackendName[] = ["native", "tensorflow", "wasm", "cpu"];

/**
 * @throws {UsageError} if `--backend` is given for a GGUF file; otherwise the error of the loader: missing, damaged or
 *   unsupported files.
 */
export async function openModel(file: string, options: ModelOptions = {}): Promise<LanguageModel> {
  const isDirectory = statSync(file).isDirectory();
  if (!isDirectory) {
    if (options.backend !== undefined) {
      throw new UsageError("--backend is for checkpoint directories: a GGUF file runs in the native engine");
    }
    const { NativeLanguageModel } = await import("../../native/inference/native_language_model.ts");
    return NativeLanguageModel.open(file, {
      threads: options.threads,
      lockMemory: options.lockMemory,
    });
  }
  if (options.lockMemory) {
    throw new UsageError("--mlock is for GGUF files, a checkpoint directory runs through tfjs");
  }
  const { selectBackend } = await import("./backend.ts");
  const { TfjsLanguageModel } = await import("../eval/tfjs_language_model.ts");
  const { backend, variant, threads } = await selectBackend(options.backend, options.threads);
  return TfjsLanguageModel.open(file, { backend, isa: variant, threads });
}

/** `small.gguf: 1234 parameters, avx2, 2 threads`: the facts that a score or a speed depends on. */
export function describeModel(model: LanguageModel): string {
  const facts = Object.entries(model.info).map(([key, value]) => `${key.replaceAll("_", " ")} ${value}`);
  return `${model.name}: ${facts.join(", ")}`;
}
