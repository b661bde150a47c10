/** `bitnet-eval --text`: how well models predict the texts of files. */
import { statSync } from "node:fs";
import path from "node:path";
import { DataError } from "../../src/data/data_error.ts";
import { formatOf } from "../../src/data/data_format.ts";
import type { OnRemark } from "../../src/data/row_source.ts";
import { readTextChunks } from "../../src/data/text_chunks.ts";
import { readDocumentParts } from "../../src/data/text_reader.ts";
import {
  addTextScores,
  outputFolder,
  scoreTexts,
  type TextScore,
  textMetrics,
  textWindows,
} from "../../src/eval/index.ts";
import { timeStamp } from "../../src/eval/report/result_files.ts";
import { fileName } from "../../src/eval/report/results.ts";
import { textTable } from "../../src/eval/report/text_table.ts";
import { makeDirectory } from "../../src/files/make_directory.ts";
import { writeWholeFile } from "../../src/files/whole_file.ts";
import type { LanguageModel } from "../../src/language_model/language_model.ts";
// Not by its entry, which loads tfjs.
import { resolveCorpus } from "../../training/data/corpus.ts";
import { checkInteger, UsageError } from "../command.ts";
import { Progress } from "../progress.ts";
import { folded, sayAside } from "../terminal/say.ts";
import type { ModelOptions } from "./model_flags.ts";
import { chooseModels, openEvaluatedModel } from "./open_evaluated_model.ts";
import type { OutputOptions } from "./output_flags.ts";
import type { TaskOptions } from "./task_flags.ts";
import type { TextFlags } from "./text_flags.ts";
import { prepareOutput } from "./write_output.ts";

type Flags = ModelOptions & OutputOptions & TextFlags & Pick<TaskOptions, "tasks" | "limit" | "num_fewshot">;

interface TextFile {
  name: string;
  /** Its documents. */
  texts: string[];
}

interface FileScore {
  name: string;
  score: TextScore;
}

function checkFlags(options: Flags): void {
  for (const other of ["tasks", "limit", "num_fewshot", "report"] as const) {
    if (options[other] !== undefined) throw new UsageError(`--text does not go with --${other}`);
  }
  checkInteger("stride", options.stride, 1);
  checkInteger("context", options.context, 1);
}

/** Files of a source; a file that is named is text if its ending says nothing else (`wiki.test.raw`). */
async function filesOf(source: string, onRemark: OnRemark): Promise<string[]> {
  const isFile = statSync(source, { throwIfNoEntry: false })?.isFile() ?? false;
  if (isFile && formatOf(source) === null) return [source];
  return (await resolveCorpus([source], { onRemark })).map(({ path: file }) => file);
}

async function textsOf(file: string, textField: string, onRemark: OnRemark): Promise<string[]> {
  const texts: string[] = [];
  if (formatOf(file) === null) {
    let text = "";
    for await (const chunk of readTextChunks(file, null, { onRemark })) text += chunk;
    if (text !== "") texts.push(text);
    return texts;
  }
  const reading = { textField, textFieldKey: "--text_field", onRemark };
  for await (const { text, first } of readDocumentParts(file, reading)) {
    if (first) texts.push(text);
    else texts[texts.length - 1] += text;
  }
  return texts;
}

async function readTexts(options: Flags): Promise<TextFile[]> {
  const remark = (line: string) => sayAside(`note: ${line}`);
  const files: TextFile[] = [];
  for (const source of options.text ?? []) {
    for (const name of await filesOf(source, remark)) {
      const texts = await textsOf(name, options.text_field, remark);
      if (texts.length === 0) throw new DataError(`${name} holds no text`);
      files.push({ name, texts });
    }
  }
  return files;
}

/** @throws {UsageError}, {DataError}, and what models and windows that do not fit make wrong. */
export async function scoreFiles(options: Flags, signal: AbortSignal): Promise<void> {
  checkFlags(options);
  const sources = chooseModels(options);
  await prepareOutput(options);
  const files = await readTexts(options);
  for (const source of sources) {
    const model = await openEvaluatedModel(source, options, signal);
    try {
      const windows = textWindows(model.maxLength, options);
      const scores = await scoreEach(model, files, { ...windows, signal });
      for (const line of resultLines(model, scores, windows)) console.log(line);
      if (options.output_path !== undefined) await write(options.output_path, model, scores, windows);
    } finally {
      model.dispose();
    }
  }
}

async function scoreEach(
  model: LanguageModel,
  files: readonly TextFile[],
  options: { context: number; stride: number; signal: AbortSignal },
): Promise<FileScore[]> {
  const progress = new Progress();
  const scores: FileScore[] = [];
  try {
    for (const { name, texts } of files) {
      const onProgress = (done: number, total: number) => progress.update(`windows of ${name}`, done, total);
      scores.push({ name, score: await scoreTexts(model, texts, { ...options, onProgress }) });
    }
  } finally {
    progress.close();
  }
  if (scores.length > 1) scores.push({ name: "all", score: addTextScores(scores.map(({ score }) => score)) });
  return scores;
}

function resultLines(
  model: LanguageModel,
  scores: readonly FileScore[],
  { context, stride }: { context: number; stride: number },
): string[] {
  const header = ["Text", "Tokens", "Bytes", "Perplexity", "±", "Per word", "Bits/byte"];
  const rows = scores.map(({ name, score }) => {
    const { perplexity, perplexityError, wordPerplexity, bitsPerByte } = textMetrics(score);
    const shown = [perplexity, perplexityError, score.words > 0 ? wordPerplexity : null];
    const cells = shown.map((value) =>
      value === null ? "-" : value < 1e5 ? value.toFixed(4) : value.toExponential(3),
    );
    return [name, String(score.tokens), String(score.bytes), ...cells, bitsPerByte.toFixed(4)];
  });
  const each =
    stride === context
      ? "every token is run once"
      : `after the first, each token is given ${context - stride + 1} or more before it`;
  const how = `bitnet-lab (${model.name}), stride ${stride}, windows of ${context} positions: ${each}`;
  return [folded(how, process.stdout), ...textTable(header, rows)];
}

async function write(
  outputPath: string,
  model: LanguageModel,
  scores: readonly FileScore[],
  windows: { context: number; stride: number },
): Promise<void> {
  const isFile = outputPath.endsWith(".json");
  const folder = isFile ? outputFolder(outputPath) : path.join(outputPath, fileName(model.name));
  makeDirectory(folder);
  const file = path.join(
    folder,
    `${isFile ? path.basename(outputPath, ".json") : "text"}_${timeStamp(new Date())}.json`,
  );
  const texts = scores.map(({ name, score }) => {
    const { perplexity, perplexityError, wordPerplexity, bytePerplexity, bitsPerByte } = textMetrics(score);
    return {
      text: name,
      texts: score.texts,
      tokens: score.tokens,
      bytes: score.bytes,
      words: score.words,
      log_likelihood: score.logLikelihood,
      perplexity,
      perplexity_stderr: perplexityError,
      word_perplexity: wordPerplexity,
      byte_perplexity: bytePerplexity,
      bits_per_byte: bitsPerByte,
    };
  });
  const json = { model_name: model.name, ...windows, results: texts };
  await writeWholeFile(file, `${JSON.stringify(json, null, 2)}\n`);
  console.log(`wrote ${file}`);
}
