/**
 * Types of the addon's inference part (`native/cc/addon/inference_addon.cc`), and the errors that its codes stand for.
 */

import type { NormPlacement } from "../../src/config/graph_keys.ts";
import type { HiddenAct, ModelConfig } from "../../src/config/model_config.ts";
import { UserError } from "../../src/errors/user_error.ts";
import { RequestError } from "../../src/language_model/request_error.ts";
import { loadAddon } from "../addon.ts";

/** Handle of a flag that ends a running native call. */
export type AbortFlag = object & { readonly abortFlag: unique symbol };

/** Arithmetic of the output head. */
export const headPrecisions = ["canonical", "int8"] as const;
export type HeadPrecision = (typeof headPrecisions)[number];
/** Types of cached keys and values. */
export const kvTypes = ["f32", "f16", "q8"] as const;
export type KvType = (typeof kvTypes)[number];

/** What the engine takes from a file: the part of the trained configuration that it computes with, and what it makes of it. */
export interface NativeEngineInfo
  extends Pick<
    ModelConfig,
    | "vocabSize"
    | "hiddenSize"
    | "numHiddenLayers"
    | "intermediateSize"
    | "numAttentionHeads"
    | "numKeyValueHeads"
    | "headDim"
    | "rmsNormEps"
    | "ropeTheta"
    | "hiddenAct"
    | "normPlacement"
    | "feedForward"
    | "useHadamard"
    | "qkNorm"
    | "tieWordEmbeddings"
  > {
  architecture: string;
  contextLength: number;
  /** The graph's words for what quantizes its linear layers; "none" for floats. */
  weightQuantizer: string;
  activationQuantizer: string;
  /** Share of a token's activations that stay. */
  activationKeep: number;
  /** Both do: the linear layers multiply ternary weights with quantized activations. */
  integerProducts: boolean;
  /** GGUF type of the linear weights. */
  weightType: string;
  /** GGUF type of the embedding. */
  embeddingType: string;
  /** Weights; the embedding counts once when it is also the head. */
  parameters: number;
  /** Bytes of the linear layers' weights in the file. */
  linearBytes: number;
  /** Bytes of repacked weights in memory, besides the mapped file. */
  packedBytes: number;
  /** Bytes of weights that one token of decoding reads. */
  bytesPerToken: number;
  /** Kernel variant that runs. */
  variant: string;
  threads: number;
}

export interface NativeEngine {
  load(
    path: string,
    threads: number,
    headPrecision: HeadPrecision,
    kvType: KvType,
    lockMemory: boolean,
    flag: AbortFlag,
  ): Promise<void>;
  info(): NativeEngineInfo;
  metadata(): Record<string, string | number | boolean>;
  metadataArray(key: string): (string | number | boolean)[] | undefined;
  score(
    ids: Int32Array,
    lengths: Int32Array,
    firstTargets: Int32Array,
    chunk: number,
    sharePrefixes: boolean,
    top: number,
    flag: AbortFlag,
  ): Promise<{ logprobs: Float32Array; greedy: Uint8Array; topIds: Int32Array; topLogprobs: Float32Array }>;
  createSession(slots: number, capacity: number): number;
  disposeSession(session: number): void;
  truncate(session: number, slot: number, length: number): Promise<void>;
  /** Logits after the last id of each slot, [slots][vocabSize]; empty without `wantLogits`. */
  feed(
    sessions: Int32Array,
    slots: Int32Array,
    ids: Int32Array,
    counts: Int32Array,
    wantLogits: boolean,
    flag: AbortFlag,
  ): Promise<Float32Array>;
  generate(
    sessions: Int32Array,
    slots: Int32Array,
    ids: Int32Array,
    counts: Int32Array,
    sampling: Float64Array,
    steps: number,
    endIds: Int32Array,
    flag: AbortFlag,
  ): Promise<Int32Array[]>;
  dispose(): void;
}

declare module "../addon.ts" {
  interface NativeAddon {
    Engine: new () => NativeEngine;
    /** The sampler of `generate` on given logits. sampling: temperature, top-k, top-p, min-p, seed, tokens drawn before. */
    drawToken(logits: Float32Array, sampling: Float64Array): number;
    createAbortFlag(): AbortFlag;
    raiseAbortFlag(flag: AbortFlag): void;
    /** The graphs that the engine knows by `general.architecture`. */
    families(): {
      architecture: string;
      normPlacement: NormPlacement;
      hiddenAct: HiddenAct;
      bitnetLayers: boolean;
      qkNorm: boolean;
      windows: boolean;
      biases: "none" | "qkv" | "any";
    }[];
    /** The layouts of the tensor types that the engine reads. */
    tensorTypes(): { name: string; id: number; blockElements: number; blockBytes: number; tailBytes: number }[];
  }
}

/** A GGUF file that cannot be read or run: the message says what is wrong and where. */
export class ModelFileError extends UserError {
  override name = "ModelFileError";
}

/** The engine or session was disposed. */
export class EngineDisposedError extends Error {
  override name = "EngineDisposedError";
}

/** The error class for a native error's code; other errors stay as they are. */
export function toEngineError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  switch ((error as Error & { code?: string }).code) {
    case "GGUF":
      return new ModelFileError(error.message);
    case "REQUEST":
      return new RequestError(error.message);
    case "DISPOSED":
      return new EngineDisposedError(error.message);
    default:
      return error;
  }
}

/** Runs a synchronous native call with its errors mapped. */
export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toEngineError(error);
  }
}

/** Flags of the calls in progress. */
const activeFlags = new Set<AbortFlag>();
let watchesExit = false;

/** Node waits for native calls when the process exits: end them. */
function endCallsAtExit(): void {
  if (watchesExit) return;
  watchesExit = true;
  process.on("exit", () => {
    for (const flag of activeFlags) loadAddon().raiseAbortFlag(flag);
  });
}

/**
 * Runs an abortable native call.
 * @throws the signal's reason (an AbortError by default) as soon as it aborts; the native work ends shortly after.
 */
export async function callAbortable<T>(
  signal: AbortSignal | undefined,
  call: (flag: AbortFlag) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  endCallsAtExit();
  const addon = loadAddon();
  const flag = addon.createAbortFlag();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      addon.raiseAbortFlag(flag);
      reject(signal?.reason);
    };
  });
  signal?.addEventListener("abort", onAbort, { once: true });
  activeFlags.add(flag);
  const forget = () => activeFlags.delete(flag);
  try {
    const result = call(flag);
    result.then(forget, forget);
    return await (signal ? Promise.race([result, aborted]) : result);
  } catch (error) {
    throw toEngineError(error);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
