/**
 * A corpus: what the user named (files, folders, patterns, Hugging Face data sets), as files, and the documents in
 * them.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { DataError } from "../../src/data/data_error.ts";
import { type DataFormat, formatOf, readableKinds } from "../../src/data/data_format.ts";
import { expandGlob, isGlob, listFilesBelow } from "../../src/data/glob.ts";
import { fetchHubDataset } from "../../src/data/hub_dataset.ts";
import type { HubOptions } from "../../src/data/hub_repository.ts";
import { parseHubDatasetId } from "../../src/data/hub_selection.ts";
import type { OnBytes } from "../../src/data/row_source.ts";
import type { DocumentPart } from "../../src/data/text_document.ts";
import { type DocumentOptions, readDocumentParts } from "../../src/data/text_reader.ts";

export interface CorpusFile {
  path: string;
  format: DataFormat;
  gzipped: boolean;
  /** On disk. */
  bytes: number;
}

async function corpusFile(file: string): Promise<CorpusFile> {
  const info = await stat(file).catch(() => null);
  if (!info) throw new DataError(`${file}: no such file`);
  const format = formatOf(file);
  if (!format)
    throw new DataError(`${file}: unreadable type "${path.extname(file) || "none"}" (readable: ${readableKinds})`);
  return { path: file, ...format, bytes: info.size };
}

/** Paths that one source stands for. */
async function expandSource(source: string, hub: HubOptions): Promise<string[]> {
  const info = await stat(source).catch(() => null);
  if (info?.isDirectory()) {
    const files = (await listFilesBelow(source)).filter((file) => formatOf(file) !== null);
    if (files.length === 0)
      throw new DataError(`${source}: no readable file in this folder (readable: ${readableKinds})`);
    return files.map((file) => path.join(source, file));
  }
  if (info) return [source];
  const id = parseHubDatasetId(source);
  const looksLocal =
    source.startsWith(".") || path.isAbsolute(source) || (id?.selector === null && formatOf(source) !== null);
  if (id && !looksLocal && (id.selector !== null || !isGlob(source))) return fetchHubDataset(id, hub);
  if (isGlob(source)) {
    const files = (await expandGlob(source)).filter((file) => formatOf(file) !== null);
    if (files.length === 0) throw new DataError(`${source}: no readable file matches`);
    return files;
  }
  throw new DataError(`${source}: no such file`);
}

/**
 * Files of the corpus, in the order of the sources; those of one source sorted by path.
 * @param sources file, folder, glob, or Hugging Face data set (`owner/name`, see `hub_selection.ts`).
 * @throws {DataError} if a source is missing, empty or of a kind that cannot be read.
 */
export async function resolveCorpus(sources: readonly string[], hub: HubOptions = {}): Promise<CorpusFile[]> {
  if (sources.length === 0) throw new DataError("no data given: name a file, a folder or a Hugging Face data set");
  const files: CorpusFile[] = [];
  for (const source of sources) {
    for (const file of await expandSource(source, hub)) files.push(await corpusFile(file));
  }
  return files;
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
  for (const { path: file, format, gzipped, bytes } of files) {
    hash.update(`${format} ${gzipped} ${bytes}\n`);
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      done += chunk.length;
      onBytes(done);
    }
  }
  return hash.digest("hex");
}
