/** `--from owner/name`: a model of the Hub, downloaded with a line of progress. */
import { isGgufPath } from "../src/checkpoint/checkpoint.ts";
import { fetchHubModel } from "../src/data/hub_model.ts";
import { parseHubModelId } from "../src/data/hub_model_id.ts";
import { UsageError } from "./command.ts";
import { Progress } from "./progress.ts";

export interface DownloadedModel {
  /** A folder, or a GGUF file. */
  path: string;
  /** A folder of the cache is named after a commit: this is the model's name. A GGUF file says its own. */
  name: string | undefined;
}

/**
 * @throws {UsageError} if `source` names no model
 * @throws {DataError} of the Hub
 */
export async function downloadModel(source: string): Promise<DownloadedModel> {
  const id = parseHubModelId(source);
  if (id === null)
    throw new UsageError(`--from ${source}: not owner/name, owner/name@revision or owner/name:FILE.gguf`);
  const progress = new Progress({ lines: "none" });
  try {
    const path = await fetchHubModel(id, {
      onProgress: (done, total) => progress.update("downloading", done, total),
    });
    return { path, name: isGgufPath(path) ? undefined : id.name.split("/")[1] };
  } finally {
    progress.close();
  }
}
