/**
 * Runs tasks on a language model: reads the documents, writes the prompts, sends all requests of one kind together
 * (so that a model can batch across tasks), judges the answers.
 */
import { DataError } from "../data/data_error.ts";
import { DocumentError, type JsonObject } from "../data/document.ts";
import type { LocatedDocument } from "../data/document_file.ts";
import { UserError } from "../errors/user_error.ts";
import type {
  GenerateRequest,
  LanguageModel,
  LoglikelihoodRequest,
  LoglikelihoodResult,
} from "../language_model/language_model.ts";
import { RequestEncoder } from "../language_model/request_encoding.ts";
import { RequestError } from "../language_model/request_error.ts";
import { aggregateSamples, type Score } from "./aggregate.ts";
import { type DocumentProblem, missingField } from "./data/document_problem.ts";
import { DocumentReader } from "./data/document_reader.ts";
import { isChoice } from "./data/gold.ts";
import type { TaskData } from "./data/task_data.ts";
import { examplesSplit, FewShotSampler, mayDrawTestDocument } from "./prompt/few_shot.ts";
import { lostExamples } from "./prompt/lost_examples.ts";
import { ExampleError, PromptBuilder, type PromptOptions } from "./prompt/prompt.ts";
import { prepareContinuation } from "./request/continuation.ts";
import { prepareProblem } from "./request/generation.ts";
import { prepareQuestion } from "./request/multiple_choice.ts";
import { remarkLines, type TaskRemarks, taskRemarks } from "./request/remarks.ts";
import { prepareText } from "./request/rolling.ts";
import type { PendingSample, PromptedDocument, RequestCut, Sample } from "./request/sample.ts";
import { mean } from "./score/metrics.ts";
import type { GenerationKwargs, Task } from "./task/task.ts";

export interface EvaluationOptions extends PromptOptions {
  /** Examples in the prompt; default: the task's own number. Tasks that are asked without examples stay so. */
  numFewshot?: number;
  /** At most so many documents a task, or below 1 that share of them. */
  limit?: number;
  /** Overrides of the tasks' generation settings. */
  generation?: Partial<GenerationKwargs>;
  fewshotSeed?: number;
  /** Seed of sampled generation. */
  seed?: number;
  /** Keep the answers, judge nothing. */
  predictOnly?: boolean;
  /** A prompt that does not fit, a bad label, a missing field are errors; else they are counted and said. */
  strict?: boolean;
  /** Allows tasks that run what the model wrote. */
  confirmUnsafeCode?: boolean;
  /** Of the bootstrap, for standard errors without a formula; default 100 000. */
  resamples?: number;
  /** Hears each task's first document with its prompt. */
  onPrompt?(task: Task, sample: PromptedDocument, target: unknown): void;
  /** Hears of each task what is wrong with its requests and documents, before they are answered. */
  onRemark?(line: string): void;
  onProgress?(done: number, total: number): void;
  signal?: AbortSignal;
}

export interface TaskResult {
  task: Task;
  numFewshot: number;
  /** As they were used; null for tasks that do not generate. */
  generation: GenerationKwargs | null;
  /** Documents of the split that can be scored, how many of them were, and how many of the split cannot be. */
  documents: { original: number; effective: number; leftOut: number };
  scores: Score[];
  /** Accuracy of guessing, averaged over the scored questions; null if the task is not multiple choice. */
  chance: number | null;
  /** The probability of guessing each scored question right; null where `chance` is. */
  chances: readonly number[] | null;
  /** Prompts that were cut, documents with something wrong. */
  remarks: TaskRemarks;
  /** By filter, then by document. */
  samples: Sample[];
}

/** A task that runs code was asked for without the consent to run it. */
export class UnsafeCodeError extends UserError {
  override name = "UnsafeCodeError";
}

/** With `strict`: prompts that do not fit, documents with something wrong. */
export class StrictError extends UserError {
  override name = "StrictError";
}

interface PendingOf<Request, Answer> {
  place: string;
  examplesLost: number;
  problems: readonly DocumentProblem[];
  sample: PendingSample<Request, Answer>;
}

type Pending =
  | ({ kind: "loglikelihood" } & PendingOf<LoglikelihoodRequest, LoglikelihoodResult>)
  | ({ kind: "generate" } & PendingOf<GenerateRequest, string>);

interface PreparedTask extends Omit<TaskResult, "scores" | "samples"> {
  pending: Pending[];
}

/**
 * Scores every task, in the order given.
 * @throws {DataError} for missing or broken data (with file and line), {RequestError} for requests that the
 *   model cannot take, {UnsafeCodeError}, and whatever the model throws.
 */
export async function evaluate(
  model: LanguageModel,
  tasks: readonly Task[],
  data: TaskData,
  options: EvaluationOptions = {},
): Promise<TaskResult[]> {
  checkConsent(tasks, options);
  const encoder = new RequestEncoder(model.tokenizer, model.maxLength);
  const prepared: PreparedTask[] = [];
  for (const task of tasks) {
    const one = await prepareTask(task, data, encoder, options);
    const lines = remarkLines(task.name, one.remarks);
    if (options.strict && lines.length > 0) throw new StrictError(`${lines.join("; ")} (strict)`);
    for (const line of lines) options.onRemark?.(line);
    prepared.push(one);
  }
  const answers = await answerAll(
    model,
    prepared.flatMap(({ pending }) => pending),
    options,
  );
  return prepared.map(({ pending, ...rest }) => {
    const judged = pending.map((entry) => answers.get(entry) ?? []);
    // All documents under the first filter, then all under the next, as lm-evaluation-harness lists them.
    const samples = rest.task.filters.flatMap((_, filter) => judged.flatMap((ofDocument) => ofDocument[filter] ?? []));
    return { ...rest, samples, scores: aggregateSamples(samples, rest.task.metrics, options.resamples) };
  });
}

/** The number of examples that a task is asked with. */
function fewshotCount(task: Task, asked: number | undefined): number {
  if (task.outputType === "loglikelihood_rolling" || task.numFewshot === 0) return 0;
  return asked ?? task.numFewshot ?? 0;
}

function scoredSplit(task: Task): string {
  const split = task.splits.test ?? task.splits.validation;
  if (split === undefined) throw new DataError(`task ${task.name} has no split to score`);
  return split;
}

function checkConsent(tasks: readonly Task[], { predictOnly, confirmUnsafeCode }: EvaluationOptions): void {
  const unsafe = tasks.filter(({ unsafeCode }) => unsafeCode && !predictOnly && !confirmUnsafeCode);
  if (unsafe.length === 0) return;
  const names = unsafe.map(({ name }) => name).join(", ");
  throw new UnsafeCodeError(`${names} runs Python code that the model writes: --confirm_run_unsafe_code allows it`);
}

/**
 * Reads what `evaluate` will read, so that data which is not there is found before a model is loaded; `data` keeps it.
 * @throws {DataError} naming the file, {UnsafeCodeError}.
 */
export async function readTaskData(
  tasks: readonly Task[],
  data: TaskData,
  options: EvaluationOptions = {},
): Promise<void> {
  checkConsent(tasks, options);
  for (const task of tasks) {
    await data.documents(task, scoredSplit(task));
    if (fewshotCount(task, options.numFewshot) > 0) await fewShotSampler(task, data, undefined);
  }
}

async function prepareTask(
  task: Task,
  data: TaskData,
  encoder: RequestEncoder,
  options: EvaluationOptions,
): Promise<PreparedTask> {
  const numFewshot = fewshotCount(task, options.numFewshot);
  const { documents, leftOut } = await data.documents(task, scoredSplit(task));
  const sampler = numFewshot === 0 ? null : await fewShotSampler(task, data, options.fewshotSeed);
  const generation = task.generation && { ...task.generation, ...options.generation };
  const reader = withPlace(documents[0], () => new DocumentReader(task, documents[0].document));
  const prompts = new PromptBuilder(task, reader, options);
  const chances: number[] = [];

  const scored = documents.slice(0, documentLimit(documents.length, options.limit));
  const pending = scored.map((located, docId): Pending => {
    const { document, place, missing = [] } = located;
    return withPlace(located, () => {
      const examples = sampler?.draw(document, numFewshot) ?? [];
      // Rolling tasks have no prompt.
      const context = task.outputType === "loglikelihood_rolling" ? "" : prompts.context(document, examples);
      const prompted = { docId, document, context };
      if (docId === 0) options.onPrompt?.(task, prompted, reader.target(document));
      if (task.outputType === "multiple_choice") chances.push(chanceOf(reader, document));
      const { kind, sample } = pend(task, reader, prompted, generation, encoder, options);
      const examplesLost = lostBy(
        sample.cuts,
        context,
        examples.map((example) => prompts.questionOf(example)),
        encoder,
      );
      const fields = reader.shownFields(document, missing).map(missingField);
      return { kind, sample, place, examplesLost, problems: [...sample.problems, ...fields] } as Pending;
    });
  });
  const isGuessed = chances.length > 0 && task.processResults === null;
  return {
    task,
    numFewshot,
    generation,
    documents: { original: documents.length, effective: scored.length, leftOut },
    chance: isGuessed ? mean(chances) : null,
    chances: isGuessed ? chances : null,
    remarks: taskRemarks(
      pending.map(({ sample: { requests, cuts }, ...rest }) => ({ ...rest, requests: requests.length, cuts })),
      prompts.problems,
      encoder.maxLength,
    ),
    pending,
  };
}

/** Probability of guessing right. */
function chanceOf(reader: DocumentReader, document: JsonObject): number {
  const choices = reader.choices(document)!;
  const right = reader.gold(document, choices).indices.filter((index) => isChoice(index, choices));
  return new Set(right).size / choices.length;
}

/** The most examples that a request of a document lost. */
function lostBy(
  cuts: readonly RequestCut[],
  context: string | readonly string[],
  questions: readonly string[],
  encoder: RequestEncoder,
): number {
  if (questions.length === 0) return 0;
  const counts = cuts.map(({ request, context: length, tokens }) => {
    const prompt = typeof context === "string" ? context : context[request % context.length];
    return lostExamples(prompt, questions, length - tokens, (text) => encoder.countTokens(text));
  });
  return counts.reduce((most, count) => Math.max(most, count), 0);
}

function pend(
  task: Task,
  reader: DocumentReader,
  prompted: PromptedDocument,
  generation: GenerationKwargs | null,
  encoder: RequestEncoder,
  options: EvaluationOptions,
) {
  const predictOnly = options.predictOnly ?? false;
  switch (task.outputType) {
    case "multiple_choice": {
      const delimiter = choiceDelimiter(task, options);
      const sample = prepareQuestion(prompted, task, reader, delimiter, encoder);
      return { kind: "loglikelihood", sample: predictOnly ? unjudged(sample) : sample } as const;
    }
    case "loglikelihood": {
      const sample = prepareContinuation(prompted, task, reader, encoder);
      return { kind: "loglikelihood", sample: predictOnly ? unjudged(sample) : sample } as const;
    }
    case "loglikelihood_rolling": {
      const sample = prepareText(prompted, task, reader, encoder);
      return { kind: "loglikelihood", sample: predictOnly ? unjudged(sample) : sample } as const;
    }
    case "generate_until": {
      const settings = { kwargs: generation!, seed: options.seed ?? 0, predictOnly };
      return { kind: "generate", sample: prepareProblem(prompted, task, reader, settings, encoder) } as const;
    }
  }
}

/** A chat template ends where the answer begins: nothing stands between, unless the answer's beginning is given. */
function choiceDelimiter({ prompt, config }: Task, { chatTemplate }: EvaluationOptions): string {
  if (chatTemplate === undefined || (config.gen_prefix && !/\s$/.test(config.gen_prefix)))
    return prompt.targetDelimiter;
  return "";
}

function unjudged(
  sample: PendingSample<LoglikelihoodRequest, LoglikelihoodResult>,
): PendingSample<LoglikelihoodRequest, LoglikelihoodResult> {
  return {
    ...sample,
    judge: async (results) => (await sample.judge(results)).map((judged) => ({ ...judged, metrics: {} })),
  };
}

async function fewShotSampler(task: Task, data: TaskData, seed: number | undefined): Promise<FewShotSampler> {
  const { sampler, samples, processDocs } = task.fewshot;
  const options = { sampler, seed, task: task.name };
  const excludesTestDocument = mayDrawTestDocument(task.splits);
  if (samples !== null && task.splits.fewshot === undefined) {
    const pool = samples.map((document, i) => ({ document, place: `${task.file}: fewshot_config.samples ${i + 1}` }));
    return new FewShotSampler(pool, excludesTestDocument, options);
  }
  const split = examplesSplit(task.splits)!;
  const process = task.splits.fewshot === undefined ? task.processDocs : processDocs;
  const { documents } = await data.documents(task, split, process);
  return new FewShotSampler(documents, excludesTestDocument, options);
}

/** Adds the document's place to what is wrong with it. */
function withPlace<T>({ place, missing = [] }: LocatedDocument, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw located(error, place, missing);
  }
}

function located(error: unknown, place: string, missing: readonly string[] = []): unknown {
  const lacks = missing.length === 0 ? "" : ` (it has no field ${missing.join(", ")})`;
  if (error instanceof ExampleError) return new DataError(error.message);
  if (error instanceof DocumentError) return new DataError(`${place}: ${error.message}${lacks}`);
  if (error instanceof RequestError) return new RequestError(`${place}: ${error.message}`);
  return error;
}

/** How many of `count` documents are scored. */
export function documentLimit(count: number, limit: number | undefined): number {
  if (limit === undefined) return count;
  return limit < 1 ? Math.ceil(count * limit) : Math.min(count, limit);
}

/** Sends the requests of all samples in two calls and judges the answers. */
async function answerAll(
  model: LanguageModel,
  pending: readonly Pending[],
  { onProgress, signal }: EvaluationOptions,
): Promise<ReadonlyMap<object, Sample[]>> {
  const scored = pending.filter((entry) => entry.kind === "loglikelihood");
  const generated = pending.filter((entry) => entry.kind === "generate");
  const scoreRequests = scored.flatMap(({ sample }) => sample.requests);
  const generateRequests = generated.flatMap(({ sample }) => sample.requests);
  const total = scoreRequests.length + generateRequests.length;
  const report = (before: number) => (count: number) => onProgress?.(before + count, total);

  const answers = new Map<object, Sample[]>();
  const judgeAll = async <Request, Answer>(
    entries: readonly PendingOf<Request, Answer>[],
    given: readonly Answer[],
  ) => {
    let next = 0;
    for (const entry of entries) {
      const end = next + entry.sample.requests.length;
      signal?.throwIfAborted();
      try {
        const judged = await entry.sample.judge(given.slice(next, end));
        const { problems, examplesLost } = entry;
        answers.set(
          entry,
          judged.map((sample) => ({ ...sample, cuts: entry.sample.cuts, examplesLost, problems })),
        );
      } catch (error) {
        throw located(error, entry.place);
      }
      next = end;
    }
  };
  if (scored.length > 0)
    await judgeAll(scored, await model.loglikelihood(scoreRequests, { signal, onDone: report(0) }));
  if (generated.length > 0) {
    await judgeAll(
      generated,
      await model.generateUntil(generateRequests, { signal, onDone: report(scoreRequests.length) }),
    );
  }
  return answers;
}
