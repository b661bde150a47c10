/**
 * Cache of tokenized corpora: one folder per (corpus content, tokenizer, settings), complete or absent.
 *
 *     <cache>/<key>/manifest.json, train-00000.arrow ..., validation-00000.arrow ...
 */
import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { writeWholeDirectory } from "../../src/files/whole_directory.ts";

const manifestFile = "manifest.json";
/** Part of every key. */
const keyVersion = 1;
/** Raised whenever the same input gives other tokens: what an older version wrote is made anew, under the same key. */
const cacheVersion = 2;

export interface SplitCounts {
  documents: number;
  tokens: number;
  /** UTF-8 bytes of the text. */
  bytes: number;
}

export interface DatasetManifest {
  train: SplitCounts;
  validation: SplitCounts;
  /** What was left out of the corpus or let through while it was read. */
  remarks: string[];
}

interface StoredManifest extends DatasetManifest {
  version: number;
  /** Size in bytes of every shard. */
  files: Record<string, number>;
}

export interface CacheKeyParts {
  corpus: string;
  tokenizer: string;
  beginOfText: number | null;
  endOfText: number;
  textField: string;
  documentSeparator: string | null;
  validationFraction: number;
  seed: number;
}

export function cacheKey(parts: CacheKeyParts): string {
  const text = JSON.stringify([keyVersion, ...Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1))]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

async function shardSizes(folder: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const name of (await readdir(folder)).sort()) {
    if (name.endsWith(".arrow")) sizes[name] = (await stat(path.join(folder, name))).size;
  }
  return sizes;
}

/**
 * Manifest of a complete folder; null if it is absent, incomplete or of another version.
 * @param oldest version that will do: the shards of all can be read
 */
export async function readManifest(folder: string, oldest: number = cacheVersion): Promise<DatasetManifest | null> {
  try {
    const stored = JSON.parse(await readFile(path.join(folder, manifestFile), "utf8")) as StoredManifest;
    const sizes = await shardSizes(folder);
    const complete = JSON.stringify(sizes) === JSON.stringify(stored.files);
    const { version, train, validation, remarks = [] } = stored;
    return complete && version >= oldest && version <= cacheVersion ? { train, validation, remarks } : null;
  } catch {
    return null;
  }
}

async function writeManifest(folder: string, manifest: DatasetManifest): Promise<void> {
  const stored: StoredManifest = { version: cacheVersion, ...manifest, files: await shardSizes(folder) };
  await writeFile(path.join(folder, manifestFile), `${JSON.stringify(stored, null, 2)}\n`);
}

/**
 * Fills the folder of `key` by `fill`, which writes shards into the folder it is given. Nobody sees the folder before
 * it is complete; nothing is left of a failed attempt.
 * @throws {FileWriteError} if it cannot be written (no space, no permission); errors of `fill` pass.
 */
export async function fillCache(
  cacheDirectory: string,
  key: string,
  fill: (folder: string) => Promise<DatasetManifest>,
): Promise<DatasetManifest> {
  const target = path.join(cacheDirectory, key);
  const isAbsent = async () => (await readManifest(target)) === null;
  // A damaged one. If it cannot be removed, writing says why.
  if (await isAbsent()) await rm(target, { recursive: true, force: true }).catch(() => undefined);
  let manifest: DatasetManifest | undefined;
  const fillFolder = async (folder: string) => {
    manifest = await fill(folder);
    await writeManifest(folder, manifest);
  };
  // Another process may be faster with the same work.
  await writeWholeDirectory(target, manifestFile, fillFolder, isAbsent);
  return manifest!;
}
