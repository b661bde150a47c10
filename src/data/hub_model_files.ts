/** The files of a model on the Hugging Face Hub, read by ranges where they lie: nothing is downloaded but what is read. */
import { downloadFile, listFiles, modelInfo } from "@huggingface/hub";
import { type ByteSource, UnexpectedEnd } from "../files/byte_source.ts";
import { proxyFetch } from "../machine/proxy_fetch.ts";
import { DataError } from "./data_error.ts";
import { hubProblem } from "./hub_problem.ts";
import { hubSettings } from "./hub_settings.ts";

export interface HubModelFiles {
  /** `owner/name` */
  path: string;
  /** Bytes of each file. */
  files: ReadonlyMap<string, number>;
  /** @throws {DataError} */
  open(file: string): Promise<ByteSource>;
}

/**
 * @param name `owner/name`
 * @throws {DataError} with one line: not found, access denied, unreachable, or forbidden to ask.
 */
export async function openHubModel(
  name: string,
  revision: string,
  env: Record<string, string | undefined> = process.env,
): Promise<HubModelFiles> {
  const settings = await hubSettings("model", env);
  const where = `model ${name}`;
  if (settings.offlineBy !== null)
    throw new DataError(`${where}: ${settings.offlineBy} is set: give a folder of its files`);
  const access = {
    hubUrl: settings.endpoint,
    fetch: proxyFetch(env),
    ...(settings.token !== undefined && { accessToken: settings.token }),
  };
  const repo = { type: "model" as const, name };
  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    try {
      return await question();
    } catch (error) {
      if (error instanceof UnexpectedEnd) throw error;
      throw hubProblem(where, revision, settings, error);
    }
  };
  const files = new Map<string, number>();
  const commit = await ask(async () => {
    const { sha } = await modelInfo({ name, revision, additionalFields: ["sha"], ...access });
    for await (const entry of listFiles({ repo, recursive: true, revision: sha, ...access })) {
      if (entry.type === "file") files.set(entry.path, entry.size);
    }
    return sha;
  });
  return {
    path: name,
    files,
    async open(file) {
      const blob = await ask(() => downloadFile({ repo, path: file, revision: commit, ...access }));
      if (blob === null) throw new DataError(`${where}: it has no file ${file}`);
      return {
        path: `${name}/${file}`,
        size: blob.size,
        read: (begin, end) =>
          ask(async () => {
            const bytes = new Uint8Array(await blob.slice(begin, end).arrayBuffer());
            if (bytes.length !== end - begin) throw new UnexpectedEnd(`the file ends at byte ${begin + bytes.length}`);
            return bytes;
          }),
        close: async () => {},
      };
    },
  };
}
