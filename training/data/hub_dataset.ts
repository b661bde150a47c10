/**
 * Hugging Face data sets, downloaded into the Hub's cache in the layout that the Python libraries share:
 *
 *     <cache>/datasets--owner--name/refs/<revision>             commit
 *                                   blobs/<etag>                content
 *                                   snapshots/<commit>/<path>   link to the blob
 *
 * Environment: HF_HUB_CACHE, or HF_HOME/hub, or ~/.cache/huggingface/hub; HF_ENDPOINT; HF_TOKEN or the file
 * HF_HOME/token; HF_HUB_OFFLINE.
 */
import { createWriteStream } from "node:fs";
import { copyFile, mkdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { datasetInfo, downloadFile, HubApiError, listFiles } from "@huggingface/hub";
import { DataError, messageOf } from "./data_error.ts";
import { listFilesBelow } from "./glob.ts";
import { type HubDatasetId, selectFiles } from "./hub_selection.ts";

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
  const home = env.HF_HOME ?? path.join(env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "huggingface");
  const stored = await readFile(env.HF_TOKEN_PATH ?? path.join(home, "token"), "utf8").catch(() => "");
  return {
    endpoint: (env.HF_ENDPOINT ?? "https://huggingface.co").replace(/\/+$/, ""),
    cache: env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE ?? path.join(home, "hub"),
    token: env.HF_TOKEN?.trim() || stored.trim() || undefined,
    offline: /^(?:1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ""),
  };
}

/** One line about a request that failed. */
function hubError(id: HubDatasetId, settings: HubSettings, error: unknown): DataError {
  if (error instanceof DataError) return error;
  const where = `data set ${id.name}`;
  if (error instanceof HubApiError) {
    const { statusCode } = error;
    if (statusCode === 401 || statusCode === 403) {
      const cause = settings.token
        ? "the token in HF_TOKEN is not allowed to read it"
        : "it does not exist or needs a token: set HF_TOKEN";
      return new DataError(`${where}: access denied (${statusCode}): ${cause}`);
    }
    if (statusCode === 404) {
      return new DataError(`${where}: not found at ${settings.endpoint} (revision ${id.revision})`);
    }
    return new DataError(`${where}: ${settings.endpoint} answered ${statusCode}: ${messageOf(error)}`);
  }
  const cause = (error as { cause?: unknown }).cause ?? error;
  const code = (cause as { code?: string }).code ?? messageOf(cause);
  return new DataError(`${where}: cannot reach ${settings.endpoint} (${code}); HF_HUB_OFFLINE=1 uses the cached copy`);
}

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
  if (size !== blob.size) throw new Error(`got ${size} of ${blob.size} bytes`);
}

class HubDownload {
  private readonly id: HubDatasetId;
  private readonly settings: HubSettings;
  private readonly folder: string;

  constructor(id: HubDatasetId, settings: HubSettings) {
    this.id = id;
    this.settings = settings;
    this.folder = path.join(settings.cache, `datasets--${id.name.replace("/", "--")}`);
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
      throw new DataError(`data set ${this.id.name}: bad path "${file}"`);
    return target;
  }

  /** Files of the cached snapshot, without a network. */
  async cached(): Promise<string[]> {
    const { name, revision } = this.id;
    const ref = await readFile(path.join(this.folder, "refs", revision), "utf8").catch(() => revision);
    const snapshot = path.join(this.folder, "snapshots", ref.trim());
    if (!(await exists(snapshot))) {
      throw new DataError(`data set ${name}: not in the cache ${this.settings.cache}, and HF_HUB_OFFLINE is set`);
    }
    const readme = await readFile(path.join(snapshot, "README.md"), "utf8").catch(() => null);
    return selectFiles(this.id, await listFilesBelow(snapshot), readme).map((file) => path.join(snapshot, file));
  }

  async download(onProgress: (done: number, total: number) => void): Promise<string[]> {
    const { name, revision } = this.id;
    const info = await datasetInfo({ name, revision, additionalFields: ["sha"], ...this.request() });
    const commit = info.sha;
    if (!/^[0-9a-f]{40}$/.test(commit))
      throw new DataError(`data set ${name}: the server gave no commit for ${revision}`);
    const repo = { type: "dataset" as const, name };
    const entries = new Map<string, { etag: string; size: number }>();
    for await (const entry of listFiles({ repo, recursive: true, revision: commit, ...this.request() })) {
      if (entry.type !== "file") continue;
      const etag = entry.lfs?.oid ?? entry.oid ?? "";
      if (!/^[0-9A-Za-z]+$/.test(etag)) throw new DataError(`data set ${name}: ${entry.path} has no usable etag`);
      entries.set(entry.path, { etag, size: entry.size });
    }
    const fetchFile = (file: string, onBytes: (count: number) => void) =>
      this.fetchFile(commit, file, entries.get(file)!.etag, onBytes);
    const readmeFile = entries.has("README.md") ? await fetchFile("README.md", () => {}) : null;
    const readme = readmeFile === null ? null : await readFile(readmeFile, "utf8");
    const chosen = selectFiles(this.id, [...entries.keys()], readme);

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
      await mkdir(path.dirname(ref), { recursive: true });
      await writeFile(ref, commit);
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
    await mkdir(path.dirname(blobFile), { recursive: true });
    await mkdir(path.dirname(pointer), { recursive: true });
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
    const repo = { type: "dataset" as const, name: this.id.name };
    for (let attempt = 0; ; attempt++) {
      try {
        const blob = await downloadFile({ repo, path: file, revision: commit, ...this.request() });
        if (!blob) throw new DataError(`data set ${this.id.name}: ${file} is listed but not there`);
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
 * Local paths of the data files that `id` stands for, downloaded unless they are in the cache.
 * @throws {DataError} with one line: not found, access denied, unreachable, nothing readable in it.
 */
export async function fetchHubDataset(id: HubDatasetId, options: HubOptions = {}): Promise<string[]> {
  const settings = await hubSettings(options.env ?? process.env);
  const download = new HubDownload(id, settings);
  try {
    return settings.offline ? await download.cached() : await download.download(options.onProgress ?? (() => {}));
  } catch (error) {
    throw hubError(id, settings, error);
  }
}
