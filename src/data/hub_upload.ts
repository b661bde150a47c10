/** An exported file or folder, committed to a model repository of the Hugging Face Hub, which is made if it is not there. */
import { statSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { commitIter, createRepo, HubApiError } from "@huggingface/hub";
import { proxyFetch } from "../machine/proxy_fetch.ts";
import { DataError } from "./data_error.ts";
import { listFilesBelow } from "./glob.ts";
import { hubRepositoryName } from "./hub_model_id.ts";
import { hubProblem } from "./hub_problem.ts";
import { type HubSettings, hubSettings } from "./hub_settings.ts";

export interface UploadOptions {
  /** Default: `process.env`. */
  env?: Record<string, string | undefined>;
  /** Bytes of the large files, so far and in total. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface Uploaded {
  /** Where the model can be looked at. */
  url: string;
  commit: string;
  files: string[];
}

const label = (name: string) => `upload to ${name}`;

/**
 * What an upload needs beside a connection, before the work that leads to it.
 * @param name `owner/name`
 * @throws {DataError} if `name` is none, no token is known, or the environment forbids to ask the Hub.
 */
export async function uploadSettings(
  name: string,
  env: Record<string, string | undefined> = process.env,
): Promise<HubSettings & { token: string }> {
  if (!hubRepositoryName.test(name)) throw new DataError(`${label(name)}: not owner/name`);
  const settings = await hubSettings("model", env);
  const { token, offlineBy } = settings;
  if (offlineBy !== null) throw new DataError(`${label(name)}: ${offlineBy} is set`);
  if (token === undefined) throw new DataError(`${label(name)}: it needs a token that may write: set HF_TOKEN`);
  return { ...settings, token };
}

function uploadProblem(name: string, settings: HubSettings, error: unknown): unknown {
  if (error instanceof HubApiError && (error.statusCode === 401 || error.statusCode === 403)) {
    return new DataError(
      `${label(name)}: access denied (${error.statusCode}): the token in HF_TOKEN is not allowed to write there`,
    );
  }
  return hubProblem(label(name), "main", settings, error);
}

/**
 * @param name `owner/name`
 * @param source a file, or a folder of which all files are committed
 * @throws {DataError} with one line
 */
export async function uploadModel(name: string, source: string, options: UploadOptions = {}): Promise<Uploaded> {
  const settings = await uploadSettings(name, options.env);
  const { endpoint, token, env } = settings;
  const isFolder = statSync(source).isDirectory();
  const files = isFolder ? await listFilesBelow(source) : [path.basename(source)];
  const folder = isFolder ? source : path.dirname(source);
  const sizes = new Map(files.map((file) => [file, statSync(path.join(folder, file)).size]));
  const access = { hubUrl: endpoint, accessToken: token, fetch: proxyFetch(env) };
  const repo = { type: "model" as const, name };
  const done = new Map<string, number>();
  try {
    await createRepo({ repo, ...access }).catch((error: unknown) => {
      // It is there.
      if (!(error instanceof HubApiError && error.statusCode === 409)) throw error;
    });
    const events = commitIter({
      repo,
      title: `Upload ${files.length === 1 ? files[0] : `${files.length} files`} with bitnet-lab`,
      operations: files.map((file) => ({
        operation: "addOrUpdate",
        path: file,
        content: pathToFileURL(path.join(folder, file)),
      })),
      abortSignal: options.signal,
      ...access,
    });
    for (;;) {
      const next = await events.next();
      // Only an upload of nothing has no commit.
      if (next.done) return { url: `${endpoint}/${name}`, commit: next.value!.commit.oid, files };
      const event = next.value;
      if (event.event !== "fileProgress" || event.state !== "uploading") continue;
      done.set(event.path, event.progress * (sizes.get(event.path) ?? 0));
      const large = [...done.keys()].reduce((sum, file) => sum + sizes.get(file)!, 0);
      options.onProgress?.(
        [...done.values()].reduce((sum, bytes) => sum + bytes, 0),
        large,
      );
    }
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw uploadProblem(name, settings, error);
  }
}
