/** Data sets of the Hugging Face Hub. */
import { fetchHubFiles, type HubOptions } from "./hub_repository.ts";
import { type HubDatasetId, selectFiles } from "./hub_selection.ts";

/**
 * Local paths of the data files that `id` stands for, downloaded unless they are in the cache.
 * @throws {DataError} with one line: not found, access denied, unreachable, nothing readable in it.
 */
export function fetchHubDataset(id: HubDatasetId, options: HubOptions = {}): Promise<string[]> {
  const { name, revision } = id;
  return fetchHubFiles({ type: "dataset", name, revision }, (files, readme) => selectFiles(id, files, readme), options);
}
