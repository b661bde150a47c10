/**
 * Files of Hugging Face repositories, downloaded into the Hub's cache in the layout that the Python libraries share:
 *
 *     <cache>/datasets--owner--name/refs/<revision>             commit        (models--... of a model)
 *                                   blobs/<etag>                content, which has this hash
 *                                   snapshots/<commit>/<path>   link to the blob
 *
 * Environment: see hub_settings.ts.
 */
import { createWriteStream } from "node:fs";
import { copyFile, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { datasetInfo, downloadFile, HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { makeDirectory } from "../files/make_directory.ts";
import { writeWholeFile } from "../files/whole_file.ts";
import { proxyFetch } from "../machine/proxy_fetch.ts";
import { DataError } from "./data_error.ts";
import { listFilesBelow } from "./glob.ts";
import { hasHubHash, hubHash } from "./hub_hash.ts";
import { DownloadBroken, hubProblem } from "./hub_problem.ts";
import { type HubSettings, hubSettings } from "./hub_settings.ts";
import { missingShards, missingShardsText } from "./missing_shards.ts";

export interface HubRepository {
  type: "dataset" | "model";
  /** `owner/name`. */
  name: string;
  revision: string;
}

/**
 * Paths of the files that are wanted, of all that there are.
 * @param readme text of README.md, of a data set
 * @throws {DataError}
 */
export type SelectFiles = (files: string[], readme: string | null) => string[];

export interface HubOptions {
  /** Take what is in the cache, and do not ask the Hub. */
  cachedOnly?: boolean;
  /** Default: `process.env`. */
  env?: Record<string, string | undefined>;
  /** Bytes of all files to be downloaded, so far and in total. */
  onProgress?: (done: number, total: number) => void;
}

/** A connection that breaks is taken up where it broke this many times, with growing pauses. */
const maxRetries = 4;
const firstPauseMs = 200;

/** The cache holds some of the shards. */
class HalfCachedError extends DataError {
  override name = "HalfCachedError";
}

/** As error messages begin. */
const label = ({ type, name }: HubRepository) => `${type === "dataset" ? "data set" : type} ${name}`;

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Appends what is missing of `blob` to `partial`; throws on a broken connection, keeping what came. */
async function continueDownload(blob: Blob, partial: string, onBytes: (count: number) => void): Promise<void> {
  const start = await stat(partial).then(
    ({ size }) => (size <= blob.size ? size : 0),
    () => 0,
  );
  if (start < blob.size) {
    let size = start;
    const stream = blob.slice(start, blob.size).stream() as unknown as ReadableStream<Uint8Array>;
    const counted = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of source) {
        size += chunk.length;
        onBytes(size);
        yield chunk;
      }
    };
    await pipeline(Readable.fromWeb(stream), counted, createWriteStream(partial, { flags: start > 0 ? "a" : "w" }));
  }
  const { size } = await stat(partial);
  if (size !== blob.size) throw new DownloadBroken(`got ${size} of ${blob.size} bytes`);
}

class HubDownload {
  private readonly repository: HubRepository;
  private readonly select: SelectFiles;
  private readonly settings: HubSettings;
  private readonly folder: string;

  constructor(repository: HubRepository, select: SelectFiles, settings: HubSettings) {
    this.repository = repository;
    this.select = select;
    this.settings = settings;
    this.folder = path.join(settings.cache, `${repository.type}s--${repository.name.replace("/", "--")}`);
  }

  private request(): { hubUrl: string; accessToken?: string; fetch: typeof fetch } {
    const { endpoint, token, env } = this.settings;
    return { hubUrl: endpoint, fetch: proxyFetch(env), ...(token !== undefined && { accessToken: token }) };
  }

  private snapshotFile(commit: string, file: string): string {
    const snapshot = path.join(this.folder, "snapshots", commit);
    const target = path.resolve(snapshot, file);
    // The name comes from the server: it must not lead out of the cache.
    if (!target.startsWith(path.resolve(snapshot) + path.sep))
      throw new DataError(`${label(this.repository)}: bad path "${file}"`);
    return target;
  }

  /**
   * Files of the cached snapshot, without a network.
   * @throws {DataError} if it is not there, or lacks shards of what is wanted.
   */
  async cached(): Promise<string[]> {
    const { revision } = this.repository;
    const ref = await readFile(path.join(this.folder, "refs", revision), "utf8").catch(() => revision);
    const snapshot = path.join(this.folder, "snapshots", ref.trim());
    if (!(await exists(snapshot))) {
      throw new DataError(`${label(this.repository)}: not in the cache ${this.settings.cache}${this.offlineText()}`);
    }
    const readme = await readFile(path.join(snapshot, "README.md"), "utf8").catch(() => null);
    const files = await listFilesBelow(snapshot);
    const series = missingShards(files);
    const missing = new Set(series.flatMap((each) => each.missing));
    const chosen = this.select([...files, ...missing], readme);
    const lacking = series.find((each) => each.missing.some((file) => chosen.includes(file)));
    if (lacking !== undefined) {
      const text = missingShardsText(lacking);
      throw new HalfCachedError(`${label(this.repository)}: in the cache ${text}${this.offlineText()}`);
    }
    return chosen.map((file) => path.join(snapshot, file));
  }

  private offlineText(): string {
    const { offlineBy } = this.settings;
    return offlineBy === null ? "" : `, and ${offlineBy} is set`;
  }

  async download(onProgress: (done: number, total: number) => void): Promise<string[]> {
    const { type, name, revision } = this.repository;
    const where = label(this.repository);
    const query = { name, revision, additionalFields: ["sha"] as ["sha"], ...this.request() };
    const { sha: commit } = await (type === "dataset" ? datasetInfo(query) : modelInfo(query));
    if (!/^[0-9a-f]{40}$/.test(commit)) throw new DataError(`${where}: the server gave no commit for ${revision}`);
    const repo = { type, name };
    const entries = new Map<string, { etag: string; size: number }>();
    for await (const entry of listFiles({ repo, recursive: true, revision: commit, ...this.request() })) {
      if (entry.type !== "file") continue;
      const etag = entry.lfs?.oid ?? entry.oid ?? "";
      if (!hubHash.test(etag)) throw new DataError(`${where}: the server gives no hash of ${entry.path}`);
      entries.set(entry.path, { etag, size: entry.size });
    }
    const fetchFile = (file: string, onBytes: (count: number) => void) =>
      this.fetchFile(commit, file, entries.get(file)!.etag, onBytes);
    // Data sets say there which files are which.
    const readmeFile = type === "dataset" && entries.has("README.md") ? await fetchFile("README.md", () => {}) : null;
    const readme = readmeFile === null ? null : await readFile(readmeFile, "utf8");
    const chosen = this.select([...entries.keys()], readme);

    const total = chosen.reduce((sum, file) => sum + entries.get(file)!.size, 0);
    let before = 0;
    const local: string[] = [];
    for (const file of chosen) {
      local.push(await fetchFile(file, (count) => onProgress(before + count, total)));
      before += entries.get(file)!.size;
      onProgress(before, total);
    }
    // Last, so that a revision in `refs` always names a snapshot that was once complete.
    if (revision !== commit) {
      const ref = path.join(this.folder, "refs", revision);
      makeDirectory(path.dirname(ref));
      await writeWholeFile(ref, commit);
    }
    return local;
  }

  /** Path of `file` in the snapshot, downloaded if it is not there yet. */
  private async fetchFile(
    commit: string,
    file: string,
    etag: string,
    onBytes: (count: number) => void,
  ): Promise<string> {
    const pointer = this.snapshotFile(commit, file);
    if (await exists(pointer)) return pointer;
    const blobFile = path.join(this.folder, "blobs", etag);
    makeDirectory(path.dirname(blobFile));
    makeDirectory(path.dirname(pointer));
    if (!(await exists(blobFile))) {
      const partial = `${blobFile}.incomplete`;
      await this.fetchBlob(commit, file, partial, onBytes);
      if (!(await hasHubHash(partial, etag))) {
        await rm(partial);
        throw new DataError(
          `${label(this.repository)}: what came of ${file} has another hash than the Hub names: thrown away`,
        );
      }
      await rename(partial, blobFile);
    }
    // Windows allows links only to some users; a copy does as well.
    await symlink(path.relative(path.dirname(pointer), blobFile), pointer).catch(() => copyFile(blobFile, pointer));
    return pointer;
  }

  private async fetchBlob(
    commit: string,
    file: string,
    partial: string,
    onBytes: (count: number) => void,
  ): Promise<void> {
    const { type, name } = this.repository;
    const repo = { type, name };
    for (let attempt = 0; ; attempt++) {
      try {
        const blob = await downloadFile({ repo, path: file, revision: commit, ...this.request() });
        if (!blob) throw new DataError(`${label(this.repository)}: ${file} is listed but not there`);
        return await continueDownload(blob, partial, onBytes);
      } catch (error) {
        const isAnswer = error instanceof DataError || (error instanceof HubApiError && error.statusCode < 500);
        if (isAnswer || attempt === maxRetries) throw error;
        await new Promise((resolve) => setTimeout(resolve, firstPauseMs * 2 ** attempt));
      }
    }
  }
}

/**
 * Local paths of the files that `select` chooses, downloaded unless they are in the cache.
 * @throws {DataError} with one line: not found, access denied, unreachable, a wrong hash, or what `select` throws.
 */
export async function fetchHubFiles(
  repository: HubRepository,
  select: SelectFiles,
  options: HubOptions = {},
): Promise<string[]> {
  const settings = await hubSettings(repository.type, options.env ?? process.env);
  const download = new HubDownload(repository, select, settings);
  const isLocal = options.cachedOnly || settings.offlineBy !== null;
  try {
    return isLocal ? await download.cached() : await download.download(options.onProgress ?? (() => {}));
  } catch (error) {
    throw hubProblem(label(repository), repository.revision, settings, error);
  }
}

/** The same, without a question to the Hub if the cache has them. */
export async function cachedOrFetched<T>(
  fetch: (options: HubOptions) => Promise<T>,
  options: HubOptions = {},
): Promise<T> {
  let half: HalfCachedError | undefined;
  try {
    return await fetch({ ...options, cachedOnly: true });
  } catch (error) {
    if (error instanceof HalfCachedError) half = error;
  }
  try {
    return await fetch(options);
  } catch (error) {
    if (half === undefined || !(error instanceof DataError) || error instanceof HalfCachedError) throw error;
    throw new DataError(`${half.message}; ${error.message}`);
  }
}
