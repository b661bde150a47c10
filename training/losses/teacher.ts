/** Another model that a run learns from: what it expects at each place of a batch. */
import { UserError } from "../../src/errors/user_error.ts";
import { hasSameIds } from "../../src/tokenizer/same_ids.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

/** A teacher cannot be opened, or is none for this run. */
export class TeacherError extends UserError {
  override name = "TeacherError";
}

/** A teacher's log-probabilities at each place of some sequences, one sequence after the other. */
export interface TeacherScores {
  /** For each place. */
  count: number;
  /** [places, count], likeliest first; null where `logProbs` has those of the ids 0, 1, 2 ... in order. */
  ids: Int32Array | null;
  /** float32 natural log-probabilities, [places, count]. */
  logProbs: Float32Array;
}

/** A model whose distributions another one learns. A checkpoint is one; a roof makes one of a GGUF file. */
export interface Teacher {
  /** For messages. */
  readonly name: string;
  readonly tokenizer: Tokenizer;
  /** Length of its logits. */
  readonly vocabSize: number;
  /** Largest number of positions. */
  readonly maxLength: number;
  /** @param count ids at each place: the likeliest ones, or all where it is `vocabSize` */
  score(sequences: readonly Int32Array[], count: number, signal?: AbortSignal): Promise<TeacherScores>;
  dispose(): void;
}

/** Opens a teacher that training cannot run itself. */
export type TeacherOpener = (source: string) => Promise<Teacher>;

/**
 * @param topK ids whose probabilities are learnt; 0 for all
 * @throws {TeacherError} with one line, if the teacher cannot teach that student.
 */
export function checkTeacher(
  teacher: Teacher,
  student: { tokenizer: Tokenizer; vocabSize: number; sequenceLength: number },
  topK: number,
): void {
  const { name, vocabSize, maxLength, tokenizer } = teacher;
  if (!hasSameIds(tokenizer, student.tokenizer)) {
    throw new TeacherError(
      `loss.distillation.teacher ${name}: has another tokenizer than this run; a teacher's ids must be the student's ` +
        "(tokenizer.type: file takes a teacher's)",
    );
  }
  if (maxLength < student.sequenceLength) {
    throw new TeacherError(
      `loss.distillation.teacher ${name}: has ${maxLength} positions, training.sequence_length is ${student.sequenceLength}`,
    );
  }
  if (topK === 0 && vocabSize !== student.vocabSize) {
    throw new TeacherError(
      `loss.distillation.teacher ${name}: has ${vocabSize} logits, this run ${student.vocabSize}: set ` +
        "model.vocab_size to that, or loss.distillation.top_k",
    );
  }
  if (topK > vocabSize) {
    throw new TeacherError(`loss.distillation.top_k is ${topK}, ${name} has ${vocabSize} logits`);
  }
}
