/** Opens the teacher that a configuration names. */
import { statSync } from "node:fs";
import { systemErrorText } from "../../src/errors/system_error.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import type { RunConfig } from "../config/run_config.ts";
import { CheckpointTeacher } from "./checkpoint_teacher.ts";
import { checkTeacher, type Teacher, TeacherError, type TeacherOpener } from "./teacher.ts";

/**
 * The teacher of `loss.distillation`, or undefined if there is none. A directory is a checkpoint and runs on the current
 * backend; a file is for `openFile`.
 * @param config resolved, with the vocabulary of the tokenizer
 * @throws {TeacherError} if it is not there, or is no teacher for that run.
 */
export async function openTeacher(
  { loss, model, training }: RunConfig,
  tokenizer: Tokenizer,
  openFile?: TeacherOpener,
): Promise<Teacher | undefined> {
  if (loss.distillation === undefined) return undefined;
  const { teacher: source, top_k } = loss.distillation;
  const teacher = isDirectory(source) ? await CheckpointTeacher.open(source) : await openFile?.(source);
  if (teacher === undefined) throw new TeacherError(`loss.distillation.teacher ${source}: is not a directory`);
  try {
    const student = { tokenizer, vocabSize: model.vocab_size, sequenceLength: training.sequence_length };
    checkTeacher(teacher, student, top_k);
    return teacher;
  } catch (error) {
    teacher.dispose();
    throw error;
  }
}

function isDirectory(source: string): boolean {
  try {
    return statSync(source).isDirectory();
  } catch (error) {
    throw new TeacherError(`loss.distillation.teacher ${source}: ${systemErrorText(error)}`);
  }
}
