/**
 * Sequences in progress in a CausalLM: each call is one forward pass over all of them. There is no key/value cache; greedy
 * sequences instead advance by several tokens a pass where a guess proves right (`draft_table.ts`).
 */

import * as tf from "@tensorflow/tfjs";
import { largest } from "../arrays/large_arrays.ts";
import type { CausalLM } from "../model/causal_lm.ts";
import { DraftTable } from "./draft_table.ts";
import { eventLoopTurn } from "./event_loop.ts";
import type { Slots } from "./generate_texts.ts";
import type { PromptSource } from "./generation.ts";
import type { Advance, AdvanceOptions } from "./generation_loop.ts";
import { drawToken } from "./sampling.ts";

/** Longest guess: further ones are rarely right. */
const draftLength = 8;

/** Most tokens that one call draws. */
export const tokensPerPass = draftLength + 1;

export class TfjsSession implements PromptSource, Slots {
  private readonly model: CausalLM;
  private readonly drafts: DraftTable;
  /** Ids of each slot, all but the last one drawn. */
  private readonly sequences: number[][];
  private readonly freeSlots: number[];

  /** @param drafts shared by sessions whose texts are alike. */
  constructor(model: CausalLM, slots: number, drafts: DraftTable = new DraftTable()) {
    this.model = model;
    this.drafts = drafts;
    this.sequences = Array.from({ length: slots }, () => []);
    this.freeSlots = Array.from(this.sequences.keys());
  }

  get free(): number {
    return this.freeSlots.length;
  }

  async take(context: readonly number[]): Promise<{ slot: number; ids: readonly number[] }> {
    const slot = this.freeSlots.shift()!;
    this.sequences[slot] = [];
    return { slot, ids: context };
  }

  release(slot: number): void {
    this.freeSlots.push(slot);
  }

  room(slot: number): number {
    return this.model.config.maxPositionEmbeddings - this.sequences[slot].length;
  }

  async append(ids: ArrayLike<number>, { slot = 0 }: { slot?: number }): Promise<void> {
    const sequence = this.sequences[slot];
    const before = sequence.length;
    for (let i = 0; i < ids.length; i++) sequence.push(ids[i]);
    this.drafts.learn(sequence, before);
  }

  /** One forward pass. */
  async advance(
    sequences: readonly Advance[],
    steps: number,
    { endIds = [], signal }: AdvanceOptions = {},
  ): Promise<number[][]> {
    for (const { slot, ids } of sequences) await this.append(ids, { slot });
    const drafts = sequences.map((sequence) => this.draft(sequence, steps - 1));
    const logits = this.forward(sequences, drafts);
    let row = 0;
    const drawn = sequences.map((sequence, i) => {
      const rows = drafts[i].length + 1;
      const ids = draw(sequence, drafts[i], logits.slice(row, row + rows), endIds);
      row += rows;
      return ids;
    });
    for (const [i, { slot }] of sequences.entries()) await this.append(drawn[i].slice(0, -1), { slot });
    await eventLoopTurn(signal);
    return drawn;
  }

  private draft({ slot, sampling }: Advance, most: number): number[] {
    return sampling?.temperature ? [] : this.drafts.guess(this.sequences[slot], Math.min(draftLength, most));
  }

  /** Logits after the last id of each sequence and after each id of its draft, in that order. */
  private forward(sequences: readonly Advance[], drafts: readonly (readonly number[])[]): Float32Array[] {
    const rows = sequences.map(({ slot }, i) => [...this.sequences[slot], ...drafts[i]]);
    const width = largest(rows.map((ids) => ids.length));
    const padded = new Int32Array(rows.length * width);
    const positions: number[] = [];
    rows.forEach((ids, row) => {
      padded.set(ids, row * width);
      for (let i = ids.length - drafts[row].length - 1; i < ids.length; i++) positions.push(row * width + i);
    });
    const values = tf.tidy(() =>
      this.model.logitsAt(tf.tensor2d(padded, [rows.length, width], "int32"), positions).dataSync(),
    ) as Float32Array;
    const { vocabSize } = this.model.config;
    return positions.map((_, i) => values.subarray(i * vocabSize, (i + 1) * vocabSize));
  }
}

/** Tokens as long as the draft agrees with them. */
function draw(
  { sampling = {}, drawn = 0 }: Advance,
  draft: readonly number[],
  logits: readonly Float32Array[],
  endIds: readonly number[],
): number[] {
  const ids: number[] = [];
  for (const [i, row] of logits.entries()) {
    const id = drawToken(row, sampling, drawn + i);
    ids.push(id);
    if (endIds.includes(id) || draft[i] !== id) break;
  }
  return ids;
}
