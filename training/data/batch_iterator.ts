/**
 * Endless training batches. Each epoch visits every sequence of the stream once, in its own pseudo-random order,
 * which is a function of (seed, epoch) and needs no memory; a batch may reach over the end of an epoch. The cursor is
 * one number, so a run that is resumed sees exactly the batches that it would have seen.
 */

import { DataError } from "../../src/data/data_error.ts";
import { type Batch, countSequences, readBatch } from "./batch.ts";
import { mixKey, Permutation } from "./permutation.ts";
import type { TokenRange } from "./token_range.ts";

export interface BatchIteratorOptions {
  batchSize: number;
  sequenceLength: number;
  /** Of the shuffle. */
  seed: number;
  /** Identity of the data, kept in the cursor. */
  dataset: string;
}

/** Position in the stream of batches, as plain JSON. */
export interface BatchCursor {
  /** Sequences handed out since the beginning. */
  sequences: number;
  seed: number;
  sequence_length: number;
  dataset: string;
}

export class BatchIterator {
  /** Sequences in an epoch. */
  readonly sequencesPerEpoch: number;
  private readonly stream: TokenRange;
  private readonly byteLengths: Uint16Array;
  private readonly options: BatchIteratorOptions;
  private handedOut = 0;
  private readAhead: Promise<Batch> | null = null;
  private permutation: { epoch: number; order: Permutation } | null = null;

  constructor(stream: TokenRange, byteLengths: Uint16Array, options: BatchIteratorOptions) {
    this.stream = stream;
    this.byteLengths = byteLengths;
    this.options = options;
    this.sequencesPerEpoch = countSequences(stream.length, options.sequenceLength);
  }

  /** Epochs completed, as a fraction. */
  get epoch(): number {
    return this.handedOut / this.sequencesPerEpoch;
  }

  /** The next batch; the one after it is read meanwhile. Not to be called again before the promise is settled. */
  async next(): Promise<Batch> {
    const batch = await (this.readAhead ?? this.readAt(this.handedOut));
    this.handedOut += this.options.batchSize;
    this.readAhead = this.readAt(this.handedOut);
    // A failure surfaces at the next call.
    this.readAhead.catch(() => {});
    return batch;
  }

  /** Cursor behind the last batch that {@link next} gave. */
  state(): BatchCursor {
    const { seed, sequenceLength, dataset } = this.options;
    return { sequences: this.handedOut, seed, sequence_length: sequenceLength, dataset };
  }

  /**
   * Continues behind the batch that was the last one when `cursor` was taken.
   * @throws {DataError} if the cursor belongs to other data, another seed or sequence length.
   */
  restore(cursor: BatchCursor): void {
    const mine = this.state();
    for (const key of ["dataset", "seed", "sequence_length"] as const) {
      if (cursor[key] !== mine[key]) {
        throw new DataError(`the data cursor has ${key} ${cursor[key]}, but this run has ${mine[key]}`);
      }
    }
    this.handedOut = cursor.sequences;
    this.readAhead = null;
  }

  private readAt(position: number): Promise<Batch> {
    const { batchSize, sequenceLength } = this.options;
    const sequences = Array.from({ length: batchSize }, (_, row) => this.sequenceAt(position + row));
    return readBatch(this.stream, sequences, sequenceLength, this.byteLengths);
  }

  private sequenceAt(position: number): number {
    const epoch = Math.floor(position / this.sequencesPerEpoch);
    if (this.permutation?.epoch !== epoch) {
      const order = new Permutation(this.sequencesPerEpoch, mixKey(this.options.seed, epoch));
      this.permutation = { epoch, order };
    }
    return this.permutation.order.at(position % this.sequencesPerEpoch);
  }
}
