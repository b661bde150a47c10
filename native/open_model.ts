/**
 * Opens a model by its path: a GGUF file in the native engine, a checkpoint or run directory through tfjs. Each is loaded
 * only when it is needed, so a GGUF file does not wait for tfjs.
 */
import { statSync } from "node:fs";
import type { Quantization } from "../src/checkpoint/quantization_keys.ts";
import { UserError } from "../src/errors/user_error.ts";
import type { LanguageModel } from "../src/language_model/language_model.ts";
import type { BackendName } from "../src/ops/compute.ts";
import type { EngineOptions } from "./inference/engine.ts";

/** How the native engine runs a GGUF file. */
export type EngineSettings = Omit<EngineOptions, "threads" | "signal">;

export interface OpenOptions {
  /** Default: BITNET_THREADS, else all CPUs that the process may use. */
  threads?: number;
  /** Of a checkpoint; default: native. */
  backend?: BackendName;
  /** Of a GGUF file. */
  engine?: EngineSettings;
  /** Ends the loading of a GGUF file. */
  signal?: AbortSignal;
  /** Of a GGUF file: path of a tokenizer.json, its folder or another GGUF file, instead of the tokenizer of the file. */
  tokenizer?: string;
  /** What the linear layers of a checkpoint are, where its config.json does not say it. */
  quantization?: Quantization;
  /** Gets lines about keys of a checkpoint's config.json that nobody knows. */
  onRemark?: (line: string) => void;
}

/** An option that models of this kind do not have. */
export class OpenOptionError extends UserError {
  override name = "OpenOptionError";
  readonly option: "backend" | "quantization" | "tokenizer" | keyof EngineSettings;
  /** What follows the option's name in the message. */
  readonly reason: string;

  constructor(option: OpenOptionError["option"], reason: string) {
    super(`${option} ${reason}`);
    this.option = option;
    this.reason = reason;
  }
}

/** @throws {OpenOptionError}; otherwise the error of the loader: missing, damaged or unsupported files. */
export async function openModel(source: string, options: OpenOptions = {}): Promise<LanguageModel> {
  const isDirectory = statSync(source).isDirectory();
  if (!isDirectory) {
    if (options.backend !== undefined) {
      throw new OpenOptionError("backend", "is for checkpoint directories: a GGUF file runs in the native engine");
    }
    if (options.quantization !== undefined) {
      throw new OpenOptionError("quantization", "is for checkpoint directories: a GGUF file says what it is");
    }
    const { NativeLanguageModel } = await import("./inference/native_language_model.ts");
    return NativeLanguageModel.open(source, {
      ...options.engine,
      threads: options.threads,
      tokenizer: options.tokenizer,
      signal: options.signal,
    });
  }
  if (options.tokenizer !== undefined) {
    throw new OpenOptionError("tokenizer", "is for GGUF files: a checkpoint has its own");
  }
  const [engineOnly] = Object.keys(options.engine ?? {});
  if (engineOnly !== undefined) {
    throw new OpenOptionError(engineOnly as keyof EngineSettings, "is for GGUF files, which run in the native engine");
  }
  const { selectBackend } = await import("./backend/select_backend.ts");
  const { TfjsLanguageModel } = await import("../src/language_model/tfjs_language_model.ts");
  const { backend, variant, threads } = await selectBackend(options.backend, options.threads);
  const { quantization, onRemark } = options;
  return TfjsLanguageModel.open(source, { backend, variant, threads }, { quantization, onRemark });
}
