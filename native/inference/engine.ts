/**
 * The native inference engine: one GGUF file, loaded once; scoring and generation off the event loop.
 *
 * Log-probabilities are the float32 bits of the training forward, whatever the batch, chunk size, thread count or kernel
 * variant. Calls of one engine run one after the other; those that draw tokens at the same time run together.
 */

import path from "node:path";
import { RequestError } from "../../src/language_model/request_error.ts";
import { checkThreads, defaultThreads } from "../../src/machine/threads.ts";
import { loadAddon } from "../addon.ts";
import { DrawBatcher } from "./draw_batcher.ts";
import {
  callAbortable,
  callNative,
  type HeadPrecision,
  headPrecisions,
  type KvType,
  kvTypes,
  ModelFileError,
  type NativeEngine,
  type NativeEngineInfo,
} from "./native_engine.ts";
import { Session } from "./session.ts";

export type EngineConfig = Readonly<NativeEngineInfo>;

export interface EngineOptions {
  /** Threads of every call; default BITNET_THREADS, else all CPUs that the process may use. */
  threads?: number;
  /**
   * "canonical" (default) keeps the bits of the training forward. "int8" quantizes the last hidden state like a
   * BitLinear's input and multiplies integers: faster, a slightly different model, and only for a Q8_0 head.
   */
  headPrecision?: HeadPrecision;
  /** Keys and values in the cache: "f32" (default) keeps the bits; "f16" and "q8" take a half and a quarter of the memory. */
  kvType?: KvType;
  /** Keep the weights in memory (mlock): none is swapped out or dropped. Loading fails if the system's limit is lower. */
  lockMemory?: boolean;
  signal?: AbortSignal;
}

/** @throws {RangeError} naming the option if the value is not one of the names. */
function oneOf<Name extends string>(option: string, names: readonly Name[], value: Name): Name {
  if (!names.includes(value)) throw new RangeError(`${option} must be one of ${names.join(", ")}, not ${value}`);
  return value;
}

export interface ScoreOptions {
  /** Most tokens per forward pass ("token" = 1). Never changes a bit of the result. */
  chunk?: number | "token";
  /** Tell so many of the likeliest tokens at each scored place, too; default none. */
  top?: number;
  signal?: AbortSignal;
}

export interface SequenceScore {
  /** float32 natural log-probabilities. */
  logprobs: Float32Array;
  /** 1 where the id was the arg max (the first one on a tie). */
  greedy: Uint8Array;
  /** Where they were asked for: ids of the likeliest tokens at each place, and their log-probabilities, [places][top]. */
  topIds?: Int32Array;
  topLogprobs?: Float32Array;
}

export interface ContinuationRequest {
  /** At least one id. */
  context: ArrayLike<number>;
  /** At least one id; context and continuation together have at most contextLength + 1. */
  continuation: ArrayLike<number>;
}

export class Engine {
  readonly path: string;
  readonly config: EngineConfig;
  /** Scalar and string metadata of the file. */
  readonly metadata: ReadonlyMap<string, string | number | boolean>;
  readonly #native: NativeEngine;
  readonly #batcher: DrawBatcher;

  private constructor(file: string, native: NativeEngine) {
    this.path = file;
    this.#native = native;
    this.#batcher = new DrawBatcher(native);
    this.config = Object.freeze(native.info());
    this.metadata = new Map(Object.entries(native.metadata()));
  }

  /**
   * Maps the file and repacks its weights for the kernel variant in use (BITNET_ISA, else the best one).
   * @throws {ModelFileError} if the file is missing, malformed, or of a kind that the engine does not run.
   */
  static async load(file: string, options: EngineOptions = {}): Promise<Engine> {
    const threads = options.threads === undefined ? defaultThreads() : checkThreads(options.threads);
    const head = oneOf("headPrecision", headPrecisions, options.headPrecision ?? "canonical");
    const kv = oneOf("kvType", kvTypes, options.kvType ?? "f32");
    const lock = options.lockMemory ?? false;
    const native = new (loadAddon().Engine)();
    try {
      await callAbortable(options.signal, (flag) => native.load(file, threads, head, kv, lock, flag));
    } catch (error) {
      if (options.signal?.aborted || error instanceof RequestError) throw error;
      throw new ModelFileError(`${path.basename(file)}: ${(error as Error).message}`);
    }
    return new Engine(file, native);
  }

  /** The whole `tokenizer.json` that our exporter puts into the file; null in files of other programs. */
  get tokenizerJson(): string | null {
    const json = this.metadata.get("tokenizer.huggingface.json");
    return typeof json === "string" ? json : null;
  }

  /** An array of the metadata (vocabulary, merges ...), read when asked for; undefined if there is none. */
  metadataArray(key: string): (string | number | boolean)[] | undefined {
    return callNative(() => this.#native.metadataArray(key));
  }

  /**
   * Scores whole sequences: for n ids, the n - 1 values log P(ids[i + 1] | ids[0..i]). Sequences may differ in length.
   * @throws {RequestError} for fewer than 2 ids, more than contextLength + 1, or ids outside the vocabulary.
   */
  async score(sequences: readonly Int32Array[], options: ScoreOptions = {}): Promise<SequenceScore[]> {
    return this.#score(
      sequences,
      sequences.map(() => 1),
      false,
      options,
    );
  }

  /**
   * Scores continuations given their contexts. What a request has in common with its predecessor (also with the last one
   * of the call before) is run once; equal inputs with different last ids are one run.
   */
  async scoreContinuations(
    requests: readonly ContinuationRequest[],
    options: ScoreOptions = {},
  ): Promise<SequenceScore[]> {
    const sequences = requests.map(({ context, continuation }) => {
      const ids = new Int32Array(context.length + continuation.length);
      ids.set(context);
      ids.set(continuation, context.length);
      return ids;
    });
    return this.#score(
      sequences,
      requests.map(({ context }) => context.length),
      true,
      options,
    );
  }

  async #score(
    sequences: readonly Int32Array[],
    firstTargets: readonly number[],
    sharePrefixes: boolean,
    { chunk = 0, top = 0, signal }: ScoreOptions,
  ): Promise<SequenceScore[]> {
    const lengths = Int32Array.from(sequences, (ids) => ids.length);
    const ids = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
    let offset = 0;
    for (const sequence of sequences) {
      ids.set(sequence, offset);
      offset += sequence.length;
    }
    const rows = chunk === "token" ? 1 : chunk;
    if (!Number.isInteger(top) || top < 0) throw new RangeError(`top must be an integer from 0, not ${top}`);
    if (!Number.isInteger(rows) || rows < 0) throw new RangeError(`chunk must be a positive integer, not ${chunk}`);
    const all = await callAbortable(signal, (flag) =>
      this.#native.score(ids, lengths, Int32Array.from(firstTargets), rows, sharePrefixes, top, flag),
    );
    let scored = 0;
    return sequences.map((sequence, i) => {
      const begin = scored;
      scored += sequence.length - firstTargets[i];
      return {
        logprobs: all.logprobs.slice(begin, scored),
        greedy: all.greedy.slice(begin, scored),
        ...(top > 0 && {
          topIds: all.topIds.slice(begin * top, scored * top),
          topLogprobs: all.topLogprobs.slice(begin * top, scored * top),
        }),
      };
    });
  }

  /**
   * Room for sequences in progress: `slots` of them (default 1), each of up to `capacity` positions (default: the
   * model's context length). Memory is taken as positions are used.
   */
  createSession(options: { slots?: number; capacity?: number } = {}): Session {
    const { slots = 1, capacity = this.config.contextLength } = options;
    return new Session(this.#native, this.#batcher, this.config, { slots, capacity });
  }

  /** Frees the model and all sessions at once. Calls in progress are rejected with {@link EngineDisposedError}. */
  dispose(): void {
    this.#native.dispose();
  }
}
