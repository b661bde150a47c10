/** Sequences in progress in an engine: prefill, decode, sampling. */
import type { PromptSource } from "../../src/language_model/generation.ts";
import type { Advance, AdvanceOptions } from "../../src/language_model/generation_loop.ts";
import { RequestError } from "../../src/language_model/request_error.ts";
import type { SamplingOptions } from "../../src/language_model/sampling.ts";
import type { DrawBatcher } from "./draw_batcher.ts";
import { callAbortable, callNative, type NativeEngine, type NativeEngineInfo } from "./native_engine.ts";

/** In the order of the addon. @throws {RequestError} naming the value that is out of range. */
export function samplingValues(
  { temperature = 0, topK = 0, topP = 1, minP = 0, seed = 0 }: SamplingOptions,
  drawn: number,
): number[] {
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw new RequestError(`temperature must be a number from 0, not ${temperature}`);
  }
  if (!Number.isInteger(topK) || topK < 0 || topK > 0x7fffffff) {
    throw new RequestError(`top-k must be an integer from 0, not ${topK}`);
  }
  if (!(topP > 0 && topP <= 1)) {
    throw new RequestError(`top-p must be above 0 and at most 1, not ${topP}`);
  }
  if (!(minP >= 0 && minP <= 1)) throw new RequestError(`min-p must be a number from 0 to 1, not ${minP}`);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RequestError(`seed must be an integer from 0, not ${seed}`);
  }
  return [temperature, topK, topP, minP, seed, drawn];
}

export class Session implements PromptSource {
  /** Positions of each slot. */
  readonly capacity: number;
  readonly slots: number;
  readonly #native: NativeEngine;
  readonly #batcher: DrawBatcher;
  readonly #config: NativeEngineInfo;
  readonly #id: number;
  readonly #lengths: number[];

  /** Made by `Engine.createSession`. */
  constructor(
    native: NativeEngine,
    batcher: DrawBatcher,
    config: NativeEngineInfo,
    { slots, capacity }: { slots: number; capacity: number },
  ) {
    this.#native = native;
    this.#batcher = batcher;
    this.#config = config;
    this.slots = slots;
    this.capacity = capacity;
    this.#id = callNative(() => native.createSession(slots, capacity));
    this.#lengths = new Array<number>(slots).fill(0);
  }

  /** Positions in the cache of a slot. */
  length(slot = 0): number {
    return this.#lengths[slot];
  }

  /** Positions that a slot has left. */
  room(slot = 0): number {
    return this.capacity - this.length(slot);
  }

  /**
   * Appends ids to slot 0 and returns the logits after the last one, [vocabSize].
   * @throws {RequestError} if they do not fit in the capacity or are not in the vocabulary.
   */
  async prefill(ids: ArrayLike<number>, options: { slot?: number; signal?: AbortSignal } = {}): Promise<Float32Array> {
    return this.#feed(Int32Array.from(ids), true, options);
  }

  /**
   * Appends ids to slot 0 without looking at what they predict. After each part of `part` ids (default: all) other
   * calls of the engine get their turn.
   * @throws {RequestError} as {@link prefill}; when aborted, the parts before stay.
   */
  async append(
    ids: ArrayLike<number>,
    options: { slot?: number; part?: () => number; signal?: AbortSignal } = {},
  ): Promise<void> {
    const all = Int32Array.from(ids);
    for (let done = 0; done < all.length; ) {
      const part = all.subarray(done, done + (options.part?.() ?? all.length));
      await this.#feed(part, false, options);
      done += part.length;
    }
  }

  async #feed(
    ids: Int32Array,
    wantLogits: boolean,
    { slot = 0, signal }: { slot?: number; signal?: AbortSignal },
  ): Promise<Float32Array> {
    const logits = await callAbortable(signal, (flag) =>
      this.#native.feed(Int32Array.of(this.#id), Int32Array.of(slot), ids, Int32Array.of(ids.length), wantLogits, flag),
    );
    this.#lengths[slot] += ids.length;
    return logits;
  }

  /** Appends one id to slot 0 and returns the logits after it, [vocabSize]. */
  async decode(id: number, options: { slot?: number; signal?: AbortSignal } = {}): Promise<Float32Array> {
    return this.prefill([id], options);
  }

  /**
   * Appends each sequence's ids and draws up to `steps` tokens for it, all sequences in one batch, together with what other
   * callers of the engine draw at that time; there may be fewer than `steps` then. The tokens drawn are in the cache,
   * except the last one of each sequence. A sequence ends with the first of `endIds`.
   */
  async advance(sequences: readonly Advance[], steps: number, options: AdvanceOptions = {}): Promise<Int32Array[]> {
    const draws = sequences.map(({ slot, ids, sampling = {}, drawn = 0 }) => ({
      session: this.#id,
      slot,
      ids,
      sampling: samplingValues(sampling, drawn),
    }));
    const tokens = await this.#batcher.draw({ draws, steps, endIds: options.endIds ?? [], signal: options.signal });
    sequences.forEach(({ slot, ids }, i) => {
      this.#lengths[slot] += ids.length + tokens[i].length - 1;
    });
    return tokens;
  }

  /** Forgets the positions of a slot from `length` on. */
  async truncate(length: number, slot = 0): Promise<void> {
    await callAbortable(undefined, () => this.#native.truncate(this.#id, slot, length));
    this.#lengths[slot] = length;
  }

  /** Length of the logits. */
  get vocabSize(): number {
    return this.#config.vocabSize;
  }

  /** Frees the cache (after the call in progress, if any). */
  dispose(): void {
    this.#native.disposeSession(this.#id);
  }
}
