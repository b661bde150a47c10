/**
 * Runs tasks on a language model: reads the documents, writes the prompts, sends all requests of one kind together
 * (so that a model can batch across tasks), judges the answers.
 */
import { aggregateSamples, type Score } from "./aggregate.ts";
import { DataFileError, type LocatedDocument } from "./document_file.ts";
import { type Example, examplesSplit, FewShotSampler, fewShotPrefix, mayDrawTestDocument } from "./few_shot.ts";
import { prepareProblem } from "./generation.ts";
import type { GenerateRequest, LanguageModel, LoglikelihoodRequest, LoglikelihoodResult } from "./language_model.ts";
import { mean } from "./metrics.ts";
import { prepareQuestion } from "./multiple_choice.ts";
import { RequestEncoder, RequestError } from "./request_encoding.ts";
import { prepareText } from "./rolling.ts";
import type { PendingSample, PromptedDocument, Sample } from "./sample.ts";
import { DocumentError, type GenerationKwargs, type JsonObject, type Task } from "./task.ts";
import type { TaskData } from "./task_data.ts";

export interface EvaluationOptions {
  /** Examples in the prompt; default: the task's own number. */
  numFewshot?: number;
  /** At most so many documents a task, or below 1 that share of them. */
  limit?: number;
  /** Overrides of the tasks' generation settings. */
  generation?: Partial<GenerationKwargs>;
  fewshotSeed?: number;
  /** Seed of sampled generation. */
  seed?: number;
  onProgress?(done: number, total: number): void;
  signal?: AbortSignal;
}

export interface TaskResult {
  task: Task;
  numFewshot: number;
  /** As they were used; null for tasks that do not generate. */
  generation: GenerationKwargs | null;
  /** Documents of the split that is scored, and how many of them were. */
  documents: { original: number; effective: number };
  scores: Score[];
  /** Accuracy of guessing, averaged over the scored questions; null if the task is not multiple choice. */
  chance: number | null;
  samples: Sample[];
}

type Pending =
  | { kind: "loglikelihood"; sample: PendingSample<LoglikelihoodRequest, LoglikelihoodResult> }
  | { kind: "generate"; sample: PendingSample<GenerateRequest, string> };

interface PreparedTask extends Omit<TaskResult, "scores" | "samples"> {
  pending: Pending[];
}

/**
 * Scores every task, in the order given.
 * @throws {DataFileError} for missing or broken data (with file and line), {RequestError} for requests that the
 *   model cannot take, and whatever the model throws.
 */
export async function evaluate(
  model: LanguageModel,
  tasks: readonly Task[],
  data: TaskData,
  options: EvaluationOptions = {},
): Promise<TaskResult[]> {
  const encoder = new RequestEncoder(model.tokenizer, model.maxLength);
  const prepared: PreparedTask[] = [];
  for (const task of tasks) prepared.push(await prepareTask(task, data, encoder, options));
  const answers = await answerAll(
    model,
    prepared.flatMap(({ pending }) => pending),
    options,
  );
  return prepared.map(({ pending, ...rest }) => {
    const samples = pending.flatMap((entry) => answers.get(entry) ?? []);
    return { ...rest, samples, scores: aggregateSamples(samples) };
  });
}

async function prepareTask(
  task: Task,
  data: TaskData,
  encoder: RequestEncoder,
  options: EvaluationOptions,
): Promise<PreparedTask> {
  const numFewshot = task.outputType === "loglikelihood_rolling" ? 0 : (options.numFewshot ?? task.numFewshot);
  const split = task.splits.test ?? task.splits.validation;
  if (split === undefined) throw new DataFileError(`task ${task.name} has no split to score`);
  const documents = await data.documents(task, split);
  const sampler = numFewshot === 0 ? null : await fewShotSampler(task, data, options.fewshotSeed);
  const generation = task.outputType === "generate_until" ? { ...task.generation, ...options.generation } : null;
  const chances: number[] = [];

  const scored = documents.slice(0, documentLimit(documents.length, options.limit));
  const pending = scored.map((located, docId): Pending => {
    return withPlace(located, () => {
      const item = readItem(task, located.document);
      const prefix = sampler ? fewShotPrefix(sampler.draw(located.document, numFewshot)) : "";
      if (item.chance !== null) chances.push(item.chance);
      const prompted = { docId, document: located.document, context: prefix + item.question };
      return item.pend(prompted, encoder, { generation, seed: options.seed ?? 0 });
    });
  });
  return {
    task,
    numFewshot,
    generation,
    documents: { original: documents.length, effective: scored.length },
    chance: chances.length > 0 ? mean(chances) : null,
    pending,
  };
}

async function fewShotSampler(task: Task, data: TaskData, seed: number | undefined): Promise<FewShotSampler> {
  const split = examplesSplit(task.splits);
  if (split === undefined) throw new DataFileError(`task ${task.name} has no split for few-shot examples`);
  const pool = (await data.documents(task, split)).map((located): Example => {
    const { question, answer } = withPlace(located, () => readItem(task, located.document));
    return { document: located.document, text: `${question} ${answer}` };
  });
  return new FewShotSampler(pool, mayDrawTestDocument(task.splits), seed);
}

/** A document as its task understands it. */
interface Item {
  question: string;
  answer: string;
  /** Probability of guessing right; null if it is not multiple choice. */
  chance: number | null;
  pend(
    prompted: PromptedDocument,
    encoder: RequestEncoder,
    options: { generation: GenerationKwargs | null; seed: number },
  ): Pending;
}

/** @throws {DocumentError} if the document is not one of this task. */
function readItem(task: Task, document: JsonObject): Item {
  switch (task.outputType) {
    case "multiple_choice": {
      const question = task.read(document);
      return {
        question: question.text,
        answer: question.choices[question.gold],
        chance: 1 / question.choices.length,
        pend: (prompted, encoder) => ({
          kind: "loglikelihood",
          sample: prepareQuestion(prompted, question, encoder),
        }),
      };
    }
    case "generate_until": {
      const problem = task.read(document);
      return {
        question: problem.text,
        answer: problem.target,
        chance: null,
        pend: (prompted, encoder, { generation, seed }) => ({
          kind: "generate",
          sample: prepareProblem(prompted, problem, task, generation ?? task.generation, seed, encoder),
        }),
      };
    }
    case "loglikelihood_rolling": {
      const text = task.read(document);
      return {
        question: "",
        answer: text,
        chance: null,
        pend: (prompted, encoder) => ({ kind: "loglikelihood", sample: prepareText(prompted, text, encoder) }),
      };
    }
  }
}

/** Adds the document's place to what is wrong with it. */
function withPlace<T>({ place }: LocatedDocument, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof DocumentError) throw new DataFileError(`${place}: ${error.message}`);
    if (error instanceof RequestError) throw new RequestError(`${place}: ${error.message}`);
    throw error;
  }
}

function documentLimit(count: number, limit: number | undefined): number {
  if (limit === undefined) return count;
  return limit < 1 ? Math.ceil(count * limit) : Math.min(count, limit);
}

/** Sends the requests of all samples in two calls and judges the answers. */
async function answerAll(
  model: LanguageModel,
  pending: readonly Pending[],
  { onProgress, signal }: EvaluationOptions,
): Promise<Map<Pending, Sample[]>> {
  const scored = pending.filter((entry) => entry.kind === "loglikelihood");
  const generated = pending.filter((entry) => entry.kind === "generate");
  const scoreRequests = scored.flatMap(({ sample }) => sample.requests);
  const generateRequests = generated.flatMap(({ sample }) => sample.requests);
  const total = scoreRequests.length + generateRequests.length;
  const report = (before: number) => (count: number) => onProgress?.(before + count, total);

  const answers = new Map<Pending, Sample[]>();
  const logLikelihoods = scoreRequests.length > 0 ? await model.loglikelihood(scoreRequests, report(0), signal) : [];
  let next = 0;
  for (const entry of scored) {
    answers.set(entry, entry.sample.judge(logLikelihoods.slice(next, next + entry.sample.requests.length)));
    next += entry.sample.requests.length;
  }
  const texts =
    generateRequests.length > 0
      ? await model.generateUntil(generateRequests, report(scoreRequests.length), signal)
      : [];
  generated.forEach((entry, index) => {
    answers.set(entry, entry.sample.judge([texts[index]]));
  });
  return answers;
}
