/** Splits of a task's data set from the Hugging Face cache; what is not there comes from the Hub. */
import type { FetchSplit } from "./task_data.ts";

/** The Hub's library is loaded only when a split is asked for. @throws {DataError} if it cannot be had. */
export const fetchHubSplit: FetchSplit = async ({ path, config }, split) => {
  const { fetchHubDataset } = await import("../../data/hub_dataset.ts");
  const { cachedOrFetched } = await import("../../data/hub_repository.ts");
  const id = { name: path, revision: "main", selector: config === null ? split : `${config}/${split}` };
  return cachedOrFetched((options) => fetchHubDataset(id, options));
};
