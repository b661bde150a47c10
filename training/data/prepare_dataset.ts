/**
 * Corpus -> token streams on disk, once per content, tokenizer and settings.
 *
 * Documents are tokenized in parallel, each closed by the end-of-text token, and packed one after the other. Each goes
 * to training or validation by a hash of (seed, its number). A corpus of few documents cannot be split that way: its
 * last tokens are the validation part.
 */
import path from "node:path";
import { DataError } from "../../src/data/data_error.ts";
import type { HubOptions } from "../../src/data/hub_repository.ts";
import type { DocumentOptions } from "../../src/data/text_reader.ts";
import { counted } from "../../src/errors/counted.ts";
import { defaultThreads } from "../../src/machine/threads.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { type CorpusFile, describeCorpus, hashCorpus, readDocuments, resolveCorpus } from "./corpus.ts";
import { type CacheKeyParts, cacheKey, type DatasetManifest, fillCache, readManifest } from "./dataset_cache.ts";
import { mixKey } from "./permutation.ts";
import { PreparedDataset } from "./prepared_dataset.ts";
import { recutParts } from "./recut_parts.ts";
import { ShardWriter } from "./token_shards.ts";
import { tokenizeParts } from "./tokenize_pool.ts";

export type PreparePhase = "downloading" | "hashing" | "tokenizing";

export interface PrepareOptions extends DocumentOptions {
  /** Files, folders, globs, Hugging Face data sets: see {@link resolveCorpus}. */
  sources: readonly string[];
  tokenizer: Tokenizer;
  /** Where token streams are kept between runs. */
  cacheDirectory: string;
  /** Inputs of a sequence. */
  sequenceLength: number;
  /** Part of the documents that is held out, 0 ... 0.5. Default 0.01. */
  validationFraction?: number;
  /** Of the split (the shuffle has its own). Default 0. */
  seed?: number;
  /** Threads that tokenize. Default: BITNET_THREADS, else one for each CPU that the process may use; none for a small corpus. The result does not depend on it. */
  workers?: number;
  /** Bytes done and in total. */
  onProgress?: (phase: PreparePhase, done: number, total: number) => void;
  hub?: HubOptions;
  signal?: AbortSignal;
}

/** Below this a thread takes longer to start than the work takes. */
const smallCorpusBytes = 4 << 20;
const maxDefaultWorkers = 8;

function defaultWorkers(bytes: number): number {
  return bytes < smallCorpusBytes ? 0 : Math.min(defaultThreads(), maxDefaultWorkers);
}

function isHeldOut(document: number, seed: number, fraction: number): boolean {
  return mixKey(seed, document) < fraction * 2 ** 32;
}

async function writeTokens(
  folder: string,
  files: readonly CorpusFile[],
  endOfText: number,
  settings: CacheKeyParts,
  options: PrepareOptions,
): Promise<DatasetManifest> {
  const { tokenizer, signal, onProgress } = options;
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const onBytes = (done: number): void => {
    signal?.throwIfAborted();
    onProgress?.("tokenizing", done, total);
  };
  const counts = (): { documents: number; tokens: number; bytes: number } => ({ documents: 0, tokens: 0, bytes: 0 });
  const manifest = { train: counts(), validation: counts(), remarks: [] as string[] };
  const onRemark = (line: string) => manifest.remarks.push(line);
  const writers = {
    train: new ShardWriter(folder, "train", tokenizer.vocabSize),
    validation: new ShardWriter(folder, "validation", tokenizer.vocabSize),
  };
  let documents = 0;
  let forcedCuts = 0;
  let split: "train" | "validation" = "train";
  try {
    const documentParts = readDocuments(files, { ...options, onRemark }, onBytes);
    const parts = recutParts(documentParts, tokenizer.safeCut, { onForcedCut: () => forcedCuts++ });
    const workers = options.workers ?? defaultWorkers(total);
    for await (const { parts: group, ids, lengths, byteCounts } of tokenizeParts(
      tokenizer,
      endOfText,
      parts,
      workers,
    )) {
      let start = 0;
      for (const [index, { first }] of group.entries()) {
        if (first) {
          split = isHeldOut(documents++, settings.seed, settings.validationFraction) ? "validation" : "train";
          manifest[split].documents++;
        }
        await writers[split].write(ids.subarray(start, start + lengths[index]));
        manifest[split].bytes += byteCounts[index];
        start += lengths[index];
      }
    }
    await writers.train.close();
    await writers.validation.close();
  } finally {
    await Promise.all([writers.train.abort(), writers.validation.abort()]);
  }
  if (forcedCuts > 0) {
    onRemark(
      `very long documents were cut at ${counted(forcedCuts, "place")} where the ids beside the cut may not be those of the whole text`,
    );
  }
  manifest.train.tokens = writers.train.tokens;
  manifest.validation.tokens = writers.validation.tokens;
  return manifest;
}

/**
 * Opens the data set, tokenizing the corpus first if the cache does not have it.
 * @throws {DataError} with one line: missing or unreadable file, bad row, empty corpus, corpus shorter than a sequence.
 */
export async function prepareDataset(options: PrepareOptions): Promise<PreparedDataset> {
  const { tokenizer, cacheDirectory, sequenceLength, onProgress } = options;
  const validationFraction = options.validationFraction ?? 0.01;
  if (!(validationFraction >= 0 && validationFraction <= 0.5)) {
    throw new DataError(`validation_fraction ${validationFraction} is not between 0 and 0.5`);
  }
  const endOfText = tokenizer.eosTokenId;
  if (endOfText === null) throw new DataError("the tokenizer has no end-of-text token: name one as eos_token");
  const hub: HubOptions = { onProgress: (done, total) => onProgress?.("downloading", done, total), ...options.hub };
  const remarks: string[] = [];
  const files = await resolveCorpus(options.sources, { ...hub, onRemark: (line) => remarks.push(line) });
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const settings: CacheKeyParts = {
    corpus: await hashCorpus(files, (done) => onProgress?.("hashing", done, total)),
    tokenizer: tokenizer.hash,
    beginOfText: tokenizer.addsBos ? tokenizer.bosTokenId : null,
    endOfText,
    textField: options.textField ?? "text",
    documentSeparator: options.documentSeparator || null,
    validationFraction,
    seed: options.seed ?? 0,
  };
  const key = cacheKey(settings);
  const folder = path.join(cacheDirectory, key);
  const cached = await readManifest(folder);
  const manifest =
    cached ??
    (await fillCache(cacheDirectory, key, async (partial) => {
      const written = await writeTokens(partial, files, endOfText, settings, options);
      if (written.train.documents + written.validation.documents === 0) {
        const [{ path: first }, ...others] = files;
        const more = others.length === 0 ? "" : ` and ${others.length} more`;
        const why = written.remarks.length === 0 ? "" : ` (${written.remarks[0]})`;
        throw new DataError(`the corpus is empty: no text in ${first}${more}${why}`);
      }
      return written;
    }));
  const view = { tokenizer, sequenceLength, validationFraction };
  const textFiles = files.filter(({ format }) => format === "text").length;
  const source = {
    description: describeCorpus(files),
    files: files.length,
    textFiles,
    remarks: [...remarks, ...manifest.remarks],
  };
  const dataset = new PreparedDataset(folder, key, manifest, view, source);
  if (dataset.sequences === 0) {
    throw new DataError(
      `the corpus is too short: ${dataset.trainTokens} training tokens, and one sequence needs ${sequenceLength + 1}`,
    );
  }
  return dataset;
}
