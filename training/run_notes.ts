/** What to know of a run before its first step: keys that ask for what will not come. None for most runs. */
import type { RunInputs } from "./run_data.ts";

/** Far above what any of the optimizers bears. */
const absurdLearningRate = 0.5;

/** Lines for people. */
export function runNotes({ config, tokenizer, dataset }: RunInputs): string[] {
  return [
    ...vocabularyNote(config, tokenizer.vocabSize),
    ...separatorNote(config.data.document_separator, dataset),
    ...warmupNote(config),
    ...rateNote(config.optimizer.learning_rate),
  ];
}

function vocabularyNote({ tokenizer }: RunInputs["config"], size: number): string[] {
  if (tokenizer.type !== "bpe" || size >= tokenizer.vocab_size) return [];
  return [
    `the vocabulary has ${size} ids, and tokenizer.vocab_size asks for ${tokenizer.vocab_size}: no more pairs occur twice in the text`,
  ];
}

function separatorNote(separator: string | undefined, { documents, source }: RunInputs["dataset"]): string[] {
  if (separator === undefined) return [];
  const text = `data.document_separator ${JSON.stringify(separator)}`;
  if (source.textFiles === 0) return [`${text} is for text files, and there is none`];
  if (source.textFiles < source.files || documents > source.textFiles) return [];
  const where = source.files === 1 ? "the file" : `any of the ${source.files} files`;
  return [`${text} does not occur in ${where}: each file is one document`];
}

function warmupNote({ schedule, training }: RunInputs["config"]): string[] {
  const { warmup_steps: warmup } = schedule;
  if (warmup === 0 || warmup < training.max_steps) return [];
  const reached = Math.round((100 * training.max_steps) / warmup);
  return [
    `schedule.warmup_steps is ${warmup}, and the run has ${training.max_steps} steps: the learning rate rises to the end` +
      (reached < 100 ? `, to ${reached}% of optimizer.learning_rate` : ""),
  ];
}

function rateNote(rate: number): string[] {
  if (rate < absurdLearningRate) return [];
  return [
    `optimizer.learning_rate is ${rate}: models of this kind learn with 1e-4 to 1e-2, and with more often nothing`,
  ];
}
