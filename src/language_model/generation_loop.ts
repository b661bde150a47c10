/** The loop that all generation is: what was drawn last goes in, the next tokens come out, until every text has ended. */
import { largest, smallest } from "../arrays/large_arrays.ts";
import type { GeneratedText } from "./generated_text.ts";
import type { SamplingOptions } from "./sampling.ts";

/** One sequence of a {@link TokenSource.advance} call. */
export interface Advance {
  slot: number;
  /** Ids to append before drawing: the prompt, or the last token drawn. */
  ids: ArrayLike<number>;
  sampling?: SamplingOptions;
  /** Tokens drawn before with this seed. */
  drawn?: number;
}

export interface AdvanceOptions {
  /** A sequence ends with the first of these; it is the last of its tokens. */
  endIds?: readonly number[];
  signal?: AbortSignal;
}

/** Sequences in progress, each in a slot: a session of the engine, or a model without a cache that reads all again. */
export interface TokenSource {
  /**
   * Appends each sequence's ids and draws 1 to `steps` tokens for it. They are part of the sequence then, except the last
   * one of each. @throws the signal's reason when it aborts.
   */
  advance(sequences: readonly Advance[], steps: number, options?: AdvanceOptions): Promise<ArrayLike<number>[]>;
  /** Positions that the slot has left. */
  room(slot: number): number;
}

/** A text that is being generated, and where it is in a source. */
export interface RunningText {
  slot: number;
  text: GeneratedText;
  sampling: SamplingOptions;
  maxTokens: number;
  /** Ids to append next. */
  ids: ArrayLike<number>;
  /** Tokens drawn so far. */
  drawn: number;
}

/** How many tokens a call draws at most: it decides how often progress is seen and others have their turn. */
export interface Pace {
  steps(): number;
  /** Hears how long the last call took, and how many tokens of one text came of it. */
  took?(milliseconds: number, tokens: number): void;
}

export interface DrawnTokens {
  running: RunningText;
  ids: ArrayLike<number>;
}

/**
 * Advances the texts that `next` gives until it gives none. Yields what each call drew; the caller puts it into the texts.
 * @throws the signal's reason when it aborts.
 */
export async function* drawTokens(
  source: TokenSource,
  next: () => readonly RunningText[] | Promise<readonly RunningText[]>,
  pace: Pace,
  options: AdvanceOptions,
): AsyncGenerator<readonly DrawnTokens[], void> {
  for (let active = await next(); active.length > 0; active = await next()) {
    // The last token drawn takes no position.
    const room = smallest(active.map(({ slot, ids }) => source.room(slot) - ids.length + 1));
    const missing = largest(active.map(({ text, maxTokens }) => maxTokens - text.tokens));
    const steps = Math.max(1, Math.min(pace.steps(), room, missing));
    const begin = performance.now();
    const drawn = await source.advance(
      active.map(({ slot, ids, sampling, drawn }) => ({ slot, ids, sampling, drawn })),
      steps,
      options,
    );
    pace.took?.(performance.now() - begin, drawn[0].length);
    yield active.map((running, i) => {
      const ids = drawn[i];
      running.drawn += ids.length;
      running.ids = [ids[ids.length - 1]];
      return { running, ids };
    });
  }
}
