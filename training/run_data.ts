/** The tokenizer and the tokenized data set that a run configuration asks for. */
import { existsSync } from "node:fs";
import path from "node:path";
import { localTokenizer } from "../src/data/hub_tokenizer.ts";
import type { DocumentOptions } from "../src/data/text_reader.ts";
import { UserError } from "../src/errors/user_error.ts";
import { makeDirectory } from "../src/files/make_directory.ts";
import { chosenCache, type UserCache, userCache } from "../src/files/user_cache.ts";
import { writeWholeFileSync } from "../src/files/whole_file.ts";
import { parseProbe } from "../src/probes/registry.ts";
import { trainBpe } from "../src/tokenizer/bpe_trainer.ts";
import { byteLevelTokenizer } from "../src/tokenizer/byte_level_tokenizer.ts";
import { loadTokenizer } from "../src/tokenizer/load_tokenizer.ts";
import { hasSameIds } from "../src/tokenizer/same_ids.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";
import { generateWorld } from "../src/world/generator.ts";
import type { StartableConfig } from "./config/resolve_backward_precision.ts";
import type { RunConfig } from "./config/run_config.ts";
import { readTexts, resolveCorpus } from "./data/corpus.ts";
import { type PreparePhase, prepareDataset } from "./data/prepare_dataset.ts";
import type { PreparedDataset } from "./data/prepared_dataset.ts";

/** Name of the generated world among `data.sources`. */
const worldSource = "world";
/** Synthetic probes begin so: `probe:addition?digits=3`. */
const probePrefix = "probe:";

/** True for a source that is no file, folder or data set, but made here. */
export function isGenerated(source: string): boolean {
  return source === worldSource || source.startsWith(probePrefix);
}

/** The configuration does not say what to train on, or its parts do not fit. */
export class RunDataError extends UserError {
  override name = "RunDataError";
}

/** What is going on, for a progress display; `done` of `total` bytes, or of ids while a vocabulary is made. */
export type DataProgress = (phase: PreparePhase | "training the tokenizer", done: number, total: number) => void;

/**
 * Folder of tokenized data sets, `data.cache_directory` or else the user's, and what to tell of it.
 * @throws {FileWriteError} naming BITNET_CACHE, if there is none.
 */
export function runCache({ data }: RunConfig): UserCache {
  return data.cache_directory === undefined ? userCache() : chosenCache(data.cache_directory, "data.cache_directory");
}

/** Its folder: `data.cache_directory`, else BITNET_CACHE, else the user's cache folder. */
export function cacheDirectory(config: RunConfig): string {
  return runCache(config).folder;
}

function documentOptions({ data }: RunConfig): DocumentOptions {
  return { textField: data.text_field, documentSeparator: data.document_separator };
}

/**
 * Sources as the data pipeline reads them: what is generated becomes a JSONL file in the cache, written anew, so that it
 * always is what the generator says.
 * @throws {RunDataError} if there is none, or {ProbeError} for a probe that there is not.
 */
export function resolveSources(config: RunConfig): string[] {
  const { sources, world_seed, world_documents, text_field } = config.data;
  const list = typeof sources === "string" ? [sources] : sources;
  if (list.length === 0) {
    throw new RunDataError("no training data: give --data FILE_OR_ID, or data.sources in the configuration");
  }
  const write = (name: string, documents: Iterable<string>) => {
    const file = path.join(cacheDirectory(config), `${name}.jsonl`);
    const rows = Array.from(documents, (text) => JSON.stringify({ [text_field]: text }));
    makeDirectory(path.dirname(file));
    writeWholeFileSync(file, `${rows.join("\n")}\n`);
    return file;
  };
  return list.map((source) => {
    if (source.startsWith(probePrefix)) {
      const probe = parseProbe(source.slice(probePrefix.length));
      return write(`probe-${probe.notation.replaceAll(/[^\w=]/g, "-")}`, probe.documents());
    }
    if (source !== worldSource) return source;
    return write(
      `world-${world_seed}-${world_documents}`,
      generateWorld(world_seed).trainingDocuments(world_documents),
    );
  });
}

/** The tokenizer of `config.tokenizer`; a BPE vocabulary is trained on the sources. */
export async function makeTokenizer(
  config: RunConfig,
  sources: readonly string[],
  onProgress: DataProgress = () => {},
): Promise<Tokenizer> {
  const { type, path: file, vocab_size, pre_tokenizer, max_training_characters } = config.tokenizer;
  if (type === "byte") return byteLevelTokenizer();
  if (type === "checkpoint") throw new RunDataError(`init_from ${config.init_from}: it has no tokenizer: name one`);
  if (type === "file") return loadTokenizer(await localTokenizer(file!));
  const files = await resolveCorpus(sources);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const texts = readTexts(files, documentOptions(config), (done) => onProgress("training the tokenizer", done, total));
  return trainBpe(firstCharacters(texts, max_training_characters), {
    vocabSize: vocab_size,
    preTokenizer: pre_tokenizer,
  });
}

async function* firstCharacters(texts: AsyncIterable<string>, limit: number): AsyncGenerator<string> {
  let characters = 0;
  for await (const text of texts) {
    yield text;
    characters += text.length;
    if (characters >= limit) return;
  }
}

/**
 * `config` with `model.vocab_size` set: the tokenizer's size, unless the configuration asks for more rows.
 * @throws {RunDataError} if it asks for fewer.
 */
export function withVocabulary<Config extends RunConfig>(config: Config, tokenizer: Tokenizer): Config {
  const wanted = config.model.vocab_size;
  if (wanted !== 0 && wanted < tokenizer.vocabSize) {
    throw new RunDataError(`model.vocab_size is ${wanted}, but the tokenizer has ${tokenizer.vocabSize} ids`);
  }
  return { ...config, model: { ...config.model, vocab_size: Math.max(wanted, tokenizer.vocabSize) } };
}

/**
 * Opens the tokenized data set, tokenizing first if the cache does not have it. What is held out does not depend on
 * `training.seed`: runs of several seeds are compared on the same validation part.
 */
export function openDataset(
  config: RunConfig,
  sources: readonly string[],
  tokenizer: Tokenizer,
  onProgress?: DataProgress,
  signal?: AbortSignal,
): Promise<PreparedDataset> {
  return prepareDataset({
    ...documentOptions(config),
    sources,
    tokenizer,
    cacheDirectory: cacheDirectory(config),
    sequenceLength: config.training.sequence_length,
    validationFraction: config.data.validation_fraction,
    onProgress,
    signal,
  });
}

/** What a run is made of besides its configuration. */
export interface RunInputs {
  /** With the vocabulary of the tokenizer. */
  config: StartableConfig;
  tokenizer: Tokenizer;
  dataset: PreparedDataset;
}

export interface PrepareRunOptions {
  /** A tokenizer.json to use if it is there, instead of making a tokenizer: that of a run that goes on. */
  storedTokenizer?: string;
  /** Of the model of `init_from`; null if it has none. */
  initialTokenizer?: Tokenizer | null;
  onProgress?: DataProgress;
  signal?: AbortSignal;
}

/** The tokenizer of the model that a run begins with, if it begins with one that has one. */
async function tokenizerOf(
  config: RunConfig,
  sources: readonly string[],
  initial: Tokenizer | null,
  onProgress?: DataProgress,
): Promise<Tokenizer> {
  const { type } = config.tokenizer;
  if (type === "checkpoint" && initial !== null) return initial;
  const tokenizer = await makeTokenizer(config, sources, onProgress);
  if (initial === null || hasSameIds(initial, tokenizer)) return tokenizer;
  throw new RunDataError(
    `tokenizer.type ${type} gives ${tokenizer.vocabSize} ids, and the tokenizer of init_from ${config.init_from} has ` +
      `${initial.vocabSize}, others: leave section tokenizer out to take that`,
  );
}

/** Tokenizer and tokenized data of a run. Close the data set when the run has ended. @throws {RunDataError | DataError} */
export async function prepareRun(config: StartableConfig, options: PrepareRunOptions = {}): Promise<RunInputs> {
  const { storedTokenizer, initialTokenizer = null, onProgress, signal } = options;
  const sources = resolveSources(config);
  const tokenizer =
    storedTokenizer !== undefined && existsSync(storedTokenizer)
      ? loadTokenizer(storedTokenizer)
      : await tokenizerOf(config, sources, initialTokenizer, onProgress);
  signal?.throwIfAborted();
  const dataset = await openDataset(config, sources, tokenizer, onProgress, signal);
  return { config: withVocabulary(config, tokenizer), tokenizer, dataset };
}
