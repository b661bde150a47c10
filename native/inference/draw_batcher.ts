/**
 * Draws of independent callers, joined: a decoding step reads every weight once, however many sequences it advances, so
 * callers that come while the engine is at work run together in its next call. What each of them draws does not depend on
 * the others, to the bit.
 */
import { smallest } from "../../src/arrays/large_arrays.ts";
import { RequestError } from "../../src/language_model/request_error.ts";
import { callAbortable, EngineDisposedError, type NativeEngine } from "./native_engine.ts";

/** One sequence of a session, and what is drawn for it. */
export interface Draw {
  session: number;
  slot: number;
  /** Ids to append before drawing. */
  ids: ArrayLike<number>;
  /** Temperature, top-k, top-p, min-p, seed, number of tokens drawn before. */
  sampling: readonly number[];
}

export interface DrawCall {
  draws: readonly Draw[];
  /** At most so many tokens for each; fewer if a call that it runs with asks for fewer. */
  steps: number;
  endIds: readonly number[];
  signal?: AbortSignal;
}

interface WaitingCall extends DrawCall {
  resolve(tokens: Int32Array[]): void;
  reject(error: unknown): void;
}

// Ids that the calls of a batch append together. A longer prompt runs alone: it would hold up the others, and a call that
// runs alone can be aborted halfway.
const mostSharedIds = 64;

export class DrawBatcher {
  readonly #native: NativeEngine;
  #waiting: WaitingCall[] = [];
  /** A batch runs, or is about to. */
  #busy = false;

  constructor(native: NativeEngine) {
    this.#native = native;
  }

  /**
   * Tokens of each sequence.
   * @throws the signal's reason as soon as it aborts; sequences that ran with others may have advanced by then.
   */
  async draw(call: DrawCall): Promise<Int32Array[]> {
    const { signal } = call;
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      const forget = () => signal?.removeEventListener("abort", onAbort);
      this.#waiting.push({
        ...call,
        resolve: (tokens) => {
          forget();
          resolve(tokens);
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      });
      this.#schedule();
    });
  }

  /** Callers that were served together ask again before the next turn of the event loop: it takes all of them. */
  #schedule(): void {
    if (this.#busy || this.#waiting.length === 0) return;
    this.#busy = true;
    setImmediate(async () => {
      await this.#run(this.#nextBatch());
      this.#busy = false;
      this.#schedule();
    });
  }

  #nextBatch(): WaitingCall[] {
    const [first, ...others] = this.#waiting.filter(({ signal }) => !signal?.aborted);
    this.#waiting = [];
    if (first === undefined) return [];
    const batch = [first];
    let room = mostSharedIds - idCount(first);
    for (const call of others) {
      const joins = idCount(call) <= room && call.endIds.join() === first.endIds.join();
      if (joins) room -= idCount(call);
      (joins ? batch : this.#waiting).push(call);
    }
    return batch;
  }

  async #run(batch: readonly WaitingCall[]): Promise<void> {
    const draws = batch.flatMap((call) => call.draws);
    const [only, ...others] = batch;
    if (only === undefined) return;
    try {
      const tokens = await callAbortable(others.length === 0 ? only.signal : undefined, (flag) =>
        this.#native.generate(
          Int32Array.from(draws, ({ session }) => session),
          Int32Array.from(draws, ({ slot }) => slot),
          concatenate(draws.map(({ ids }) => ids)),
          Int32Array.from(draws, ({ ids }) => ids.length),
          Float64Array.from(draws.flatMap(({ sampling }) => sampling)),
          smallest(batch.map(({ steps }) => steps)),
          Int32Array.from(only.endIds),
          flag,
        ),
      );
      let next = 0;
      for (const call of batch) {
        call.resolve(tokens.slice(next, next + call.draws.length));
        next += call.draws.length;
      }
    } catch (error) {
      // Refused before anything ran: each call alone shows whose fault it is.
      const isRefusal = error instanceof RequestError || error instanceof EngineDisposedError;
      if (others.length === 0 || !isRefusal) for (const call of batch) call.reject(error);
      else for (const call of batch) await this.#run([call]);
    }
  }
}

const idCount = ({ draws }: DrawCall) => draws.reduce((sum, { ids }) => sum + ids.length, 0);

function concatenate(lists: readonly ArrayLike<number>[]): Int32Array {
  const ids = new Int32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let offset = 0;
  for (const list of lists) {
    ids.set(list, offset);
    offset += list.length;
  }
  return ids;
}
