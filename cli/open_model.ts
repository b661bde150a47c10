/**
 * Opens what `--model` names: a GGUF file in the native engine, a checkpoint or run directory through tfjs. Each is loaded
 * only when it is needed, so a GGUF file does not wait for tfjs.
 */
import { statSync } from "node:fs";
import type { EngineOptions } from "../native/inference/engine.ts";
import type { LanguageModel } from "../src/language_model/language_model.ts";
import type { BackendName } from "../src/ops/compute.ts";
import { UsageError } from "./command.ts";
import { engineFlagNames } from "./engine_flags.ts";

export interface ModelOptions {
  /** Default: BITNET_THREADS, else all CPUs. */
  threads?: number;
  /** Of a checkpoint; default: native. */
  backend?: BackendName;
  /** Of a GGUF file. */
  engine?: Partial<EngineOptions>;
}

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
    const { NativeLanguageModel } = await import("../native/inference/native_language_model.ts");
    return NativeLanguageModel.open(file, { ...options.engine, threads: options.threads });
  }
  const [engineOnly] = Object.keys(options.engine ?? {});
  if (engineOnly !== undefined) {
    const flag = engineFlagNames[engineOnly as keyof EngineOptions] ?? engineOnly;
    throw new UsageError(`--${flag} is for GGUF files, which run in the native engine`);
  }
  const { selectBackend } = await import("../native/backend/select_backend.ts");
  const { TfjsLanguageModel } = await import("../src/language_model/tfjs_language_model.ts");
  const { backend, variant, threads } = await selectBackend(options.backend, options.threads);
  return TfjsLanguageModel.open(file, { backend, variant, threads });
}
