/** `--check_overlap`: finds the task documents that a training corpus has parts of. */
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { DataError } from "../../src/data/data_error.ts";
import { localTokenizer } from "../../src/data/hub_tokenizer.ts";
import type { DocumentOptions } from "../../src/data/text_reader.ts";
import { type CorpusPart, documentLimit, findOverlap, type Overlap, type TestDocuments } from "../../src/eval/index.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
// Not by their entry, which loads tfjs.
import { type CorpusFile, readDocuments, resolveCorpus } from "../../training/data/corpus.ts";
import { isShardFolder, readShardText } from "../../training/data/shard_text.ts";
import { resolveSources } from "../../training/run_data.ts";
import { locateSources } from "../../training/run_sources.ts";
import { UsageError } from "../command.ts";
import { Progress } from "../progress.ts";
import { sayAside } from "../terminal/say.ts";
import type { ChosenTasks } from "./choose_tasks.ts";
import type { OverlapOptions } from "./overlap_flags.ts";

/** A part of the corpus that is read in one way; `size` in units of its own. */
interface Source {
  size: number;
  read(onDone: (done: number) => void): AsyncIterable<CorpusPart>;
}

const onRemark = (line: string) => sayAside(`note: ${line}`);

async function openSource(source: string, options: OverlapOptions): Promise<Source> {
  if (isShardFolder(source)) {
    if (options.overlap_tokenizer === undefined) {
      throw new UsageError(
        `--check_overlap ${source}: tokenized shards need --overlap_tokenizer (the run's tokenizer.json)`,
      );
    }
    const tokenizer = loadTokenizer(await localTokenizer(options.overlap_tokenizer));
    // Progress counts bytes of the files, whatever is in them.
    const size = statSync(path.join(source, "train-00000.arrow")).size;
    return { size, read: (onDone) => readShardText(source, tokenizer, (done, total) => onDone((size * done) / total)) };
  }
  const config = path.join(source, "config.yaml");
  if (existsSync(config)) {
    // A run directory: what it was trained on. A configuration knows the optimizers, and they tfjs.
    const { loadRunConfig } = await import("../../training/config/load_run_config.ts");
    const { RunDirectory } = await import("../../training/run_directory.ts");
    const run = locateSources(loadRunConfig(config), new RunDirectory(source).readData(), source, false);
    const { text_field, document_separator } = run.data;
    const files = await resolveCorpus(resolveSources(run), { onRemark });
    return fileSource(files, { textField: text_field, documentSeparator: document_separator });
  }
  const documents = { textField: options.overlap_field, textFieldKey: "--overlap_field" };
  return fileSource(await resolveCorpus([source], { onRemark }), documents);
}

function fileSource(files: readonly CorpusFile[], documents: DocumentOptions): Source {
  const size = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return { size, read: (onDone) => readDocuments(files, { ...documents, onRemark }, onDone) };
}

/** The documents of each task that are scored. */
async function testDocuments({ tasks, data, evaluation }: ChosenTasks): Promise<TestDocuments[]> {
  const tests: TestDocuments[] = [];
  for (const task of tasks) {
    const split = task.splits.test ?? task.splits.validation;
    if (split === undefined) throw new DataError(`task ${task.name} has no split to score`);
    const { documents } = await data.documents(task, split);
    const scored = documents.slice(0, documentLimit(documents.length, evaluation.limit));
    tests.push({ task: task.name, documents: scored.map(({ document }) => document) });
  }
  return tests;
}

/**
 * Reads the corpus of `check_overlap` once.
 * @throws {UsageError} naming the flag, {DataError} naming what cannot be read.
 */
export async function checkOverlap(
  chosen: ChosenTasks,
  options: OverlapOptions,
  signal: AbortSignal,
): Promise<Overlap> {
  const tests = await testDocuments(chosen);
  const sources: Source[] = [];
  for (const source of options.check_overlap ?? []) sources.push(await openSource(source, options));
  const megabytes = (bytes: number) => Math.ceil(bytes / 1e6);
  const total = megabytes(sources.reduce((sum, { size }) => sum + size, 0));
  const progress = new Progress();
  async function* parts(): AsyncGenerator<CorpusPart> {
    let before = 0;
    for (const { size, read } of sources) {
      const start = before;
      yield* read((done) => progress.update("MB of the corpus", Math.min(total, megabytes(start + done)), total));
      before += size;
    }
  }
  try {
    return await findOverlap(tests, parts(), signal);
  } finally {
    progress.close();
  }
}
