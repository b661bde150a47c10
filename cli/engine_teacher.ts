/** The teacher that is a GGUF file: it runs in the native engine, which training does not know. */
import type { Engine } from "../native/inference/engine.ts";
import { NativeLanguageModel } from "../native/inference/native_language_model.ts";
import { type Teacher, TeacherError, type TeacherScores } from "../training/index.ts";

/**
 * Opens a GGUF file as a teacher.
 * @throws {TeacherError} naming the file, if the engine cannot run it.
 */
export async function openEngineTeacher(file: string, threads?: number): Promise<Teacher> {
  try {
    const model = await NativeLanguageModel.open(file, { threads });
    const { engine, tokenizer, maxLength, name } = model;
    const { vocabSize } = engine.config;
    const score = (sequences: readonly Int32Array[], count: number, signal?: AbortSignal) =>
      scoreAll(engine, sequences, count, signal);
    return { name, tokenizer, vocabSize, maxLength, score, dispose: () => model.dispose() };
  } catch (error) {
    throw error instanceof Error ? new TeacherError(`loss.distillation.teacher: ${error.message}`) : error;
  }
}

/** Every id is a context for what follows it; what follows the last one does not matter. */
async function scoreAll(
  engine: Engine,
  sequences: readonly Int32Array[],
  count: number,
  signal?: AbortSignal,
): Promise<TeacherScores> {
  const requests = sequences.map((ids) => ({ context: ids.subarray(0, 1), continuation: [...ids.subarray(1), 0] }));
  const scores = await engine.scoreContinuations(requests, { top: count, signal });
  const size = sequences[0].length * count;
  const ids = new Int32Array(sequences.length * size);
  const logProbs = new Float32Array(ids.length);
  for (const [i, { topIds, topLogprobs }] of scores.entries()) {
    ids.set(topIds!, i * size);
    logProbs.set(topLogprobs!, i * size);
  }
  if (count < engine.config.vocabSize) return { count, ids, logProbs };
  return { count, ids: null, logProbs: inOrder(ids, logProbs, count) };
}

/** Of each place, the log-probabilities by id. */
function inOrder(ids: Int32Array, logProbs: Float32Array, count: number): Float32Array {
  const ordered = new Float32Array(logProbs.length);
  for (let i = 0; i < ids.length; i++) ordered[i - (i % count) + ids[i]] = logProbs[i];
  return ordered;
}
