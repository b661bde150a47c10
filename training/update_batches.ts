/** The batches that one update averages over, with what a teacher says of them. */
import type { Batch } from "./data/batch.ts";
import type { BatchIterator } from "./data/batch_iterator.ts";
import type { Teacher, TeacherScores } from "./losses/teacher.ts";

/** Whom the batches are shown to, and how many ids it is asked for at each place. */
export interface Teaching {
  teacher: Teacher;
  count: number;
}

/** Takes the next `count` batches. */
export async function nextBatches(
  batches: BatchIterator,
  count: number,
  teaching?: Teaching,
): Promise<(Batch & { teacher?: TeacherScores })[]> {
  const taken: (Batch & { teacher?: TeacherScores })[] = [];
  while (taken.length < count) {
    const batch = await batches.next();
    taken.push(teaching === undefined ? batch : { ...batch, teacher: await scores(batch, teaching) });
  }
  return taken;
}

function scores({ ids, batchSize, sequenceLength }: Batch, { teacher, count }: Teaching): Promise<TeacherScores> {
  const rows = Array.from({ length: batchSize }, (_, i) => ids.subarray(i * sequenceLength, (i + 1) * sequenceLength));
  return teacher.score(rows, count);
}
