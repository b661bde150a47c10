/** The batches that one update averages over. */
import type { Batch } from "./data/batch.ts";
import type { BatchIterator } from "./data/batch_iterator.ts";

/** Takes the next `count` batches. */
export async function nextBatches(batches: BatchIterator, count: number): Promise<Batch[]> {
  const taken: Batch[] = [];
  while (taken.length < count) taken.push(await batches.next());
  return taken;
}
