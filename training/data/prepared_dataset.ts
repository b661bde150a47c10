/** A tokenized corpus on disk: its sizes, its training batches, its validation batches. */
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { type Batch, countSequences, readBatch, tokenByteLengths } from "./batch.ts";
import { BatchIterator } from "./batch_iterator.ts";
import type { DatasetManifest } from "./dataset_cache.ts";
import { TokenRange } from "./token_range.ts";
import { ShardReader } from "./token_shards.ts";

/** With fewer held-out documents than this to be expected, the split goes by position. */
const minHeldOutDocuments = 8;

export interface DatasetView {
  tokenizer: Tokenizer;
  sequenceLength: number;
  validationFraction: number;
}

/** The files that a data set was made of. */
export interface DatasetSource {
  /** `3 files (2 .jsonl.gz, 1 .txt), 12.3 MB`. */
  description: string;
  files: number;
  /** Of those, the ones that are plain text. */
  textFiles: number;
  /** What was left out of them or let through, a line each. */
  remarks: readonly string[];
}

export class PreparedDataset {
  /** Names content, tokenizer and settings. */
  readonly key: string;
  readonly documents: number;
  /** UTF-8 bytes of the corpus. */
  readonly bytes: number;
  readonly trainTokens: number;
  readonly validationTokens: number;
  /** How the validation part was chosen. */
  readonly split: "documents" | "position" | "none";
  readonly sequenceLength: number;
  /** Training sequences in an epoch. */
  readonly sequences: number;
  readonly source: DatasetSource;
  private readonly folder: string;
  private readonly manifest: DatasetManifest;
  private readonly byteLengths: Uint16Array;
  private readonly opened: TokenRange[] = [];
  private validation: TokenRange | null = null;

  constructor(folder: string, key: string, manifest: DatasetManifest, view: DatasetView, source: DatasetSource) {
    this.source = source;
    this.folder = folder;
    this.key = key;
    this.manifest = manifest;
    const { train, validation } = manifest;
    const fraction = view.validationFraction;
    this.documents = train.documents + validation.documents;
    this.bytes = train.bytes + validation.bytes;
    const byDocument = this.documents * fraction >= minHeldOutDocuments && train.tokens > validation.tokens;
    this.split = fraction === 0 ? "none" : byDocument ? "documents" : "position";
    const tokens = train.tokens + validation.tokens;
    this.validationTokens =
      this.split === "documents" ? validation.tokens : this.split === "none" ? 0 : Math.ceil(tokens * fraction);
    this.trainTokens = tokens - this.validationTokens;
    this.sequenceLength = view.sequenceLength;
    this.sequences = countSequences(this.trainTokens, view.sequenceLength);
    this.byteLengths = tokenByteLengths(view.tokenizer);
  }

  /** Endless shuffled batches of `batchSize` sequences; each call gives an independent iterator. */
  trainBatches(options: { batchSize: number; seed: number }): BatchIterator {
    const stream = this.open(0, this.trainTokens);
    const { sequenceLength, key } = this;
    return new BatchIterator(stream, this.byteLengths, { ...options, sequenceLength, dataset: key });
  }

  /**
   * Validation batches in a fixed order. `limit` batches are spread evenly over the validation part; the last batch
   * may have fewer sequences. Nothing if there is no validation part; one padded sequence if it is shorter than one.
   */
  async *validationBatches(options: { batchSize: number; limit?: number }): AsyncGenerator<Batch> {
    if (this.validationTokens < 2) return;
    this.validation ??= this.open(this.trainTokens, this.trainTokens + this.validationTokens);
    const { batchSize } = options;
    const available = Math.max(1, countSequences(this.validationTokens, this.sequenceLength));
    const count = Math.min(available, (options.limit ?? Number.POSITIVE_INFINITY) * batchSize);
    for (let start = 0; start < count; start += batchSize) {
      const rows = Array.from({ length: Math.min(batchSize, count - start) }, (_, row) => start + row);
      const sequences = rows.map((row) => Math.floor((row * available) / count));
      yield await readBatch(this.validation, sequences, this.sequenceLength, this.byteLengths);
    }
  }

  /** Closes the files. Iterators must not be used any more. */
  async close(): Promise<void> {
    await Promise.all(this.opened.splice(0).map((range) => range.close()));
    this.validation = null;
  }

  /** Training tokens come first, validation tokens after them, whichever way the split goes. */
  private open(start: number, end: number): TokenRange {
    const { train, validation } = this.manifest;
    const readers = [
      new ShardReader(this.folder, "train", train.tokens),
      new ShardReader(this.folder, "validation", validation.tokens),
    ];
    const range = new TokenRange(readers, start, end);
    this.opened.push(range);
    return range;
  }
}
