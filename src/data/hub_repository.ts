/**
 * Files of Hugging Face repositories, downloaded into the Hub's cache in the layout that the Python libraries share:
 *
 *     <cache>/datasets--owner--name/refs/<revision>             commit        (models--... of a model)
 *                                   blobs/<etag>                content
 *                                   snapshots/<commit>/<path>   link to the blob
 *
 * Environment: HF_HUB_CACHE, or HF_HOME/hub, or ~/.cache/huggingface/hub; HF_ENDPOINT; HF_TOKEN or the file
 * HF_HOME/token; HF_HUB_OFFLINE.
 */
import { createWriteStream } from "node:fs";
import { copyFile, readFile, rename, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { datasetInfo, downloadFile, HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { systemErrorText } from "../errors/system_error.ts";
import { messageOf, UserError } from "../errors/user_error.ts";
import { makeDirectory } from "../files/make_directory.ts";
import { cacheHome, temporaryHome } from "../files/user_cache.ts";
import { writeWholeFile } from "../files/whole_file.ts";
import { FileWriteError } from "../files/write_error.ts";
import { DataError } from "./data_error.ts";
import { listFilesBelow } from "./glob.ts";

export interface HubRepository {
  type: "dataset" | "model";
  /** `owner/name`. */
  name: string;
  revision: string;
}

/**
 * Paths of the files that are wanted, of all that there are.
 * @param readme text of README.md
 * @throws {DataError}
 */
export type SelectFiles = (files: string[], readme: string | null) => string[];

export interface HubOptions {
  /** Default: `process.env`. */
  env?: Record<string, string | undefined>;
  /** Bytes of all files to be downloaded, so far and in total. */
  onProgress?: (done: number, total: number) => void;
}

/** A connection that breaks is taken up where it broke this many times, with growing pauses. */
const maxRetries = 4;
const firstPauseMs = 200;

interface HubSettings {
  endpoint: string;
  cache: string;
  token: string | undefined;
  offline: boolean;
}

async function hubSettings(env: Record<string, string | undefined>): Promise<HubSettings> {
  const home = env.HF_HOME ?? path.join(cacheHome(env) ?? temporaryHome(), "huggingface");
  const stored = await readFile(env.HF_TOKEN_PATH ?? path.join(home, "token"), "utf8").catch(() => "");
  return {
    endpoint: (env.HF_ENDPOINT ?? "https://huggingface.co").replace(/\/+$/, ""),
    cache: env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE ?? path.join(home, "hub"),
    token: env.HF_TOKEN?.trim() || stored.trim() || undefined,
    offline: /^(?:1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ""),
  };
}

/** As error messages begin. */
const label = ({ type, name }: HubRepository) => `${type === "dataset" ? "data set" : type} ${name}`;

/** One line about a request that failed, or a cache that cannot be written; a mistake of our own stays what it is. */
function hubError(repository: HubRepository, settings: HubSettings, error: unknown): unknown {
  const where = label(repository);
  const elsewhere = "HF_HOME names another folder for the cache";
  if (error instanceof FileWriteError) return new DataError(`${where}: ${error.message}; ${elsewhere}`);
  if (error instanceof UserError) return error;
  if (error instanceof HubApiError) {
    const { statusCode } = error;
    if (statusCode === 401 || statusCode === 403) {
      const cause = settings.token
        ? "the token in HF_TOKEN is not allowed to read it"
        : "it does not exist or needs a token: set HF_TOKEN";
      return new DataError(`${where}: access denied (${statusCode}): ${cause}`);
    }
    if (statusCode === 404) {
      return new DataError(`${where}: not found at ${settings.endpoint} (revision ${repository.revision})`);
    }
    return new DataError(`${where}: ${settings.endpoint} answered ${statusCode}: ${messageOf(error)}`);
  }
  const { path: file, cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  if (file !== undefined)
    return new DataError(`${where}: cannot write the cache: ${systemErrorText(error, file)}; ${elsewhere}`);
  if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ERR_INVALID_URL") {
    return new DataError(`${where}: ${settings.endpoint} is no Hub (${messageOf(error)})`);
  }
  // What `fetch` throws names the cause.
  if (cause === undefined && !(error instanceof DownloadBroken)) return error;
  return new DataError(
    `${where}: cannot reach ${settings.endpoint} (${systemErrorText(cause ?? error)}); HF_HUB_OFFLINE=1 uses the cached copy`,
  );
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** A connection that ended too early without an error of its own. */
class DownloadBroken extends Error {
  override name = "DownloadBroken";
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

  private request(): { hubUrl: string; accessToken?: string } {
    const { endpoint, token } = this.settings;
    return { hubUrl: endpoint, ...(token !== undefined && { accessToken: token }) };
  }

  private snapshotFile(commit: string, file: string): string {
    const snapshot = path.join(this.folder, "snapshots", commit);
    const target = path.resolve(snapshot, file);
    // The name comes from the server: it must not lead out of the cache.
    if (!target.startsWith(path.resolve(snapshot) + path.sep))
      throw new DataError(`${label(this.repository)}: bad path "${file}"`);
    return target;
  }

  /** Files of the cached snapshot, without a network. */
  async cached(): Promise<string[]> {
    const { revision } = this.repository;
    const ref = await readFile(path.join(this.folder, "refs", revision), "utf8").catch(() => revision);
    const snapshot = path.join(this.folder, "snapshots", ref.trim());
    if (!(await exists(snapshot))) {
      throw new DataError(
        `${label(this.repository)}: not in the cache ${this.settings.cache}, and HF_HUB_OFFLINE is set`,
      );
    }
    const readme = await readFile(path.join(snapshot, "README.md"), "utf8").catch(() => null);
    return this.select(await listFilesBelow(snapshot), readme).map((file) => path.join(snapshot, file));
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
      if (!/^[0-9A-Za-z]+$/.test(etag)) throw new DataError(`${where}: ${entry.path} has no usable etag`);
      entries.set(entry.path, { etag, size: entry.size });
    }
    const fetchFile = (file: string, onBytes: (count: number) => void) =>
      this.fetchFile(commit, file, entries.get(file)!.etag, onBytes);
    const readmeFile = entries.has("README.md") ? await fetchFile("README.md", () => {}) : null;
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
 * @throws {DataError} with one line: not found, access denied, unreachable, or what `select` throws.
 */
export async function fetchHubFiles(
  repository: HubRepository,
  select: SelectFiles,
  options: HubOptions = {},
): Promise<string[]> {
  const settings = await hubSettings(options.env ?? process.env);
  const download = new HubDownload(repository, select, settings);
  try {
    return settings.offline ? await download.cached() : await download.download(options.onProgress ?? (() => {}));
  } catch (error) {
    throw hubError(repository, settings, error);
  }
}

/** The same, without a question to the Hub if the cache has them. */
export async function cachedOrFetched<T>(
  fetch: (options: HubOptions) => Promise<T>,
  options: HubOptions = {},
): Promise<T> {
  const env = options.env ?? process.env;
  try {
    return await fetch({ ...options, env: { ...env, HF_HUB_OFFLINE: "1" } });
  } catch {
    return fetch({ ...options, env });
  }
}
