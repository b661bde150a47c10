/**
 * A corpus: what the user named (files, folders, patterns, Hugging Face data sets), as files, and the documents in
 * them.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { append } from "../../src/arrays/large_arrays.ts";
import type { Compression } from "../../src/data/compression.ts";
import { DataError } from "../../src/data/data_error.ts";
import { type DataFormat, endingOf, formatOf } from "../../src/data/data_format.ts";
import { isGlob } from "../../src/data/glob.ts";
import { fetchHubDataset } from "../../src/data/hub_dataset.ts";
import type { HubOptions } from "../../src/data/hub_repository.ts";
import { parseHubDatasetId } from "../../src/data/hub_selection.ts";
import { findLocalFiles, type LocalFiles, leftOutText } from "../../src/data/local_files.ts";
import { missingShards, missingShardsText } from "../../src/data/missing_shards.ts";
import { askedInstead, couldBePath, nothingHere } from "../../src/data/mistaken_path.ts";
import type { OnBytes, OnRemark } from "../../src/data/row_source.ts";
import type { DocumentPart } from "../../src/data/text_document.ts";
import { type DocumentOptions, readDocumentParts } from "../../src/data/text_reader.ts";
import { counted } from "../../src/errors/counted.ts";

export interface CorpusFile {
  path: string;
  format: DataFormat;
  compression: Compression | null;
  /** On disk. */
  bytes: number;
}

/** Where the files of a corpus come from, and who hears what was left out of them. */
export interface CorpusOptions extends HubOptions {
  onRemark?: OnRemark;
}

async function corpusFile(file: string): Promise<CorpusFile> {
  const { size } = await stat(file);
  return { path: file, ...formatOf(file)!, bytes: size };
}

/** Paths that one source stands for. */
async function expandSource(source: string, hub: HubOptions, onRemark: OnRemark): Promise<LocalFiles> {
  const id = parseHubDatasetId(source);
  const isThere = (await lstat(source).catch(() => null)) !== null;
  const looksLocal =
    source.startsWith(".") || path.isAbsolute(source) || (id?.selector === null && formatOf(source) !== null);
  if (!isThere && id && !looksLocal && (id.selector !== null || !isGlob(source))) {
    if (await couldBePath(source.split(/[@:]/)[0])) {
      onRemark(`${source}: ${await nothingHere(source)}; taken for a data set of the Hugging Face Hub`);
    }
    return { files: await askedInstead(source, () => fetchHubDataset(id, hub)), leftOut: [] };
  }
  const local = await findLocalFiles(source);
  if (local === null) throw new DataError(`${source}: ${await nothingHere(source)}`);
  return local;
}

/** Each file once, whatever links lead to it; the Hub's cache links files of equal content to one. */
async function withoutRepeats(files: readonly string[], onRemark: OnRemark): Promise<string[]> {
  const seen = new Map<string, string>();
  for (const file of files) {
    const target = await realpath(file);
    const key = target.split(path.sep).includes("blobs") ? path.resolve(file) : target;
    const known = seen.get(key);
    if (known === undefined) seen.set(key, file);
    else
      onRemark(
        known === file ? `${file}: named more than once, counted once` : `${file}: left out: a link to ${known}`,
      );
  }
  return [...seen.values()];
}

/**
 * Files of the corpus, in the order of the sources; those of one source sorted by path.
 * @param sources file, folder, glob, or Hugging Face data set (`owner/name`, see `hub_selection.ts`).
 * @throws {DataError} if a source is missing, empty or of a kind that cannot be read, or lacks shards.
 */
export async function resolveCorpus(sources: readonly string[], options: CorpusOptions = {}): Promise<CorpusFile[]> {
  if (sources.length === 0) throw new DataError("no data given: name a file, a folder or a Hugging Face data set");
  const { onRemark = () => {}, ...hub } = options;
  const paths: string[] = [];
  for (const source of sources) {
    const { files, leftOut } = await expandSource(source, hub, onRemark);
    append(paths, files);
    if (leftOut.length > 0) onRemark(`${source}: left out ${leftOutText(leftOut)}`);
  }
  const files = await withoutRepeats(paths, onRemark);
  for (const series of missingShards(files.map((file) => file.replaceAll(path.sep, "/")))) {
    onRemark(missingShardsText(series));
  }
  return Promise.all(files.map(corpusFile));
}

/** `3 files (2 .jsonl.gz, 1 .txt), 12.3 MB`. */
export function describeCorpus(files: readonly CorpusFile[]): string {
  const counts = new Map<string, number>();
  for (const { path: file } of files) {
    const ending = endingOf(file);
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  const kinds = Array.from(counts, ([ending, count]) => `${count} ${ending}`).join(", ");
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const size = bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
  return `${counted(files.length, "file")} (${kinds}), ${size}`;
}

/** Documents of the files, in order, in parts. `onBytes` gets the bytes read so far of all files. */
export async function* readDocuments(
  files: readonly CorpusFile[],
  options: DocumentOptions = {},
  onBytes: OnBytes = () => {},
): AsyncGenerator<DocumentPart> {
  let before = 0;
  for (const { path: file, bytes } of files) {
    yield* readDocumentParts(file, options, (done) => onBytes(before + done));
    before += bytes;
    onBytes(before);
  }
}

/** The same as plain strings, for training a tokenizer. */
export async function* readTexts(
  files: readonly CorpusFile[],
  options: DocumentOptions = {},
  onBytes?: OnBytes,
): AsyncGenerator<string> {
  for await (const part of readDocuments(files, options, onBytes)) yield part.text;
}

/** SHA-256 over the formats and contents of the files, in order; their names and dates do not count. */
export async function hashCorpus(files: readonly CorpusFile[], onBytes: OnBytes = () => {}): Promise<string> {
  const hash = createHash("sha256");
  let done = 0;
  for (const { path: file, format, compression, bytes } of files) {
    hash.update(`${format} ${compression === "zst" ? "zst" : compression === "gz"} ${bytes}\n`);
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      done += chunk.length;
      onBytes(done);
    }
  }
  return hash.digest("hex");
}
