/** The batches that one update averages over. */
import type { RunConfig } from "./config/run_config.ts";
import type { Batch } from "./data/batch.ts";
import type { BatchIterator } from "./data/batch_iterator.ts";

/** Tokens that one update trains on. */
export function tokensPerUpdate({ training }: RunConfig): number {
  return training.batch_size * training.sequence_length * training.gradient_accumulation_steps;
}

/** Takes the next `count` batches. */
export async function nextBatches(batches: BatchIterator, count: number): Promise<Batch[]> {
  const taken: Batch[] = [];
  while (taken.length < count) taken.push(await batches.next());
  return taken;
}
