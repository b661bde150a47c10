/**
 * Cache of tokenized corpora: one folder per (corpus content, tokenizer, settings), complete or absent.
 *
 *     <cache>/<key>/manifest.json, train-00000.arrow ..., validation-00000.arrow ...
 *     <cache>/<key>.partial-<host>-<pid>    being written by that process
 */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { DataError } from "../../src/data/data_error.ts";
import { systemErrorCode, systemErrorText } from "../../src/errors/system_error.ts";

/** Raised whenever the same input gives other files. */
const cacheVersion = 1;

export interface SplitCounts {
  documents: number;
  tokens: number;
  /** UTF-8 bytes of the text. */
  bytes: number;
}

export interface DatasetManifest {
  train: SplitCounts;
  validation: SplitCounts;
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
  const text = JSON.stringify([cacheVersion, ...Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1))]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

async function shardSizes(folder: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const name of (await readdir(folder)).sort()) {
    if (name.endsWith(".arrow")) sizes[name] = (await stat(path.join(folder, name))).size;
  }
  return sizes;
}

/** Manifest of a complete folder; null if it is absent, incomplete or of another version. */
export async function readManifest(folder: string): Promise<DatasetManifest | null> {
  try {
    const stored = JSON.parse(await readFile(path.join(folder, "manifest.json"), "utf8")) as StoredManifest;
    const sizes = await shardSizes(folder);
    const complete = JSON.stringify(sizes) === JSON.stringify(stored.files);
    return stored.version === cacheVersion && complete ? { train: stored.train, validation: stored.validation } : null;
  } catch {
    return null;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}

/** Removes what processes that are gone left behind. */
async function removeAbandoned(cacheDirectory: string): Promise<void> {
  for (const name of await readdir(cacheDirectory)) {
    const [, host, pid] = /\.partial-(.+)-(\d+)$/.exec(name) ?? [];
    if (host === hostname() && !isRunning(Number(pid)))
      await rm(path.join(cacheDirectory, name), { recursive: true, force: true });
  }
}

async function writeManifest(folder: string, manifest: DatasetManifest): Promise<void> {
  const stored: StoredManifest = { version: cacheVersion, ...manifest, files: await shardSizes(folder) };
  const handle = await open(path.join(folder, "manifest.json"), "w");
  try {
    await handle.writeFile(`${JSON.stringify(stored, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Fills the folder of `key` by `fill`, which writes shards into the folder it is given. Nobody sees the folder before
 * it is complete; nothing is left of a failed attempt.
 * @throws {DataError} if it cannot be written (no space, no permission); errors of `fill` pass.
 */
export async function fillCache(
  cacheDirectory: string,
  key: string,
  fill: (folder: string) => Promise<DatasetManifest>,
): Promise<DatasetManifest> {
  const target = path.join(cacheDirectory, key);
  const partial = `${target}.partial-${hostname()}-${process.pid}`;
  try {
    await mkdir(cacheDirectory, { recursive: true });
    await removeAbandoned(cacheDirectory);
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    const manifest = await fill(partial);
    await writeManifest(partial, manifest);
    if (!(await readManifest(target))) await rm(target, { recursive: true, force: true });
    await rename(partial, target).catch(async (error: unknown) => {
      // Another process was faster with the same work.
      if (!(await readManifest(target))) throw error;
    });
    return manifest;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new DataError(`cannot write the token cache ${target}: ${systemErrorText(error)}`);
  } finally {
    await rm(partial, { recursive: true, force: true }).catch(() => {});
  }
}
