/**
 * A model and the slots of its callers: a generation waits until one is free, takes the one that holds most of its prompt
 * already, and decodes together with all that run. Nobody's bits depend on the others.
 */
import type { GenerateOptions, Generation } from "../../src/language_model/generation.ts";
import { RequestError } from "../../src/language_model/request_error.ts";
import type { Session } from "../inference/session.ts";
import { SlotContexts } from "../inference/slot_contexts.ts";
import type { TextModel } from "../inference/text_model.ts";
import { ApiError } from "./api_error.ts";

export interface SlotLimits {
  /** Generations that run at once. */
  slots: number;
  /** Generations that may wait for one; beyond, callers are told to come back later. */
  queue: number;
  /** Positions of each slot. */
  contextLength: number;
}

interface Waiting {
  wake(): void;
}

export class ServedModel {
  readonly id: string;
  readonly model: TextModel;
  readonly limits: SlotLimits;
  /** Seconds since 1970. */
  readonly created = Math.floor(Date.now() / 1000);
  readonly #session: Session;
  readonly #contexts: SlotContexts;
  #waiting: Waiting[] = [];
  /** Free slots of generations that have been woken and do not run yet. */
  #promised = 0;
  #disposed = false;

  constructor(id: string, model: TextModel, limits: SlotLimits) {
    this.id = id;
    this.model = model;
    this.limits = limits;
    this.#session = model.languageModel.engine.createSession({ slots: limits.slots, capacity: limits.contextLength });
    this.#contexts = new SlotContexts(this.#session);
  }

  /** Generations that hold a slot. */
  get running(): number {
    return this.limits.slots - this.#contexts.free;
  }

  /** Generations that wait for a slot. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * @throws {ApiError} 503 where that many more generations have no place in the queue
   */
  checkRoom(generations: number): void {
    const { queue } = this.limits;
    if (generations <= this.#contexts.free + queue - this.waiting) return;
    throw new ApiError(503, `the server is busy: ${this.running} generations run and ${this.waiting} wait`, {
      code: "overloaded",
    });
  }

  /** Continues a prompt; runs when it is iterated. @throws {RequestError} if it does not fit */
  generate(ids: readonly number[], options: GenerateOptions): Generation {
    const { contextLength } = this.limits;
    if (ids.length === 0) throw new RequestError("the prompt is empty");
    if (ids.length > contextLength) {
      throw new RequestError(`the prompt has ${ids.length} tokens, the context has room for ${contextLength}`);
    }
    return this.model.generation(async () => {
      const { slot, ids: missing } = await this.#takeSlot(ids, options.signal);
      return {
        source: this.#session,
        slot,
        ids: missing,
        cached: ids.length - missing.length,
        release: (drawn) => {
          if (this.#disposed) return;
          this.#contexts.release(slot, drawn);
          this.#waiting.shift()?.wake();
        },
      };
    }, options);
  }

  /** In the order of the calls. */
  async #takeSlot(ids: readonly number[], signal?: AbortSignal): ReturnType<SlotContexts["take"]> {
    signal?.throwIfAborted();
    if (this.#contexts.free <= this.#promised || this.#waiting.length > 0) {
      await this.#turn(signal);
      this.#promised--;
    }
    // Without a pause since the look at what is free.
    return this.#contexts.take(ids);
  }

  #turn(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          this.#promised++;
          resolve();
        },
      };
      const onAbort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiting);
    });
  }

  /** Frees the model at once; generations in progress end with {@link EngineDisposedError}. */
  dispose(): void {
    this.#disposed = true;
    this.model.dispose();
  }
}
