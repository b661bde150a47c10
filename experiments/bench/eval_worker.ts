/**
 * One contender of the evaluation benchmark: scores ARC-Easy on a GGUF file, by our engine or by llama.cpp.
 *
 *     tsx experiments/bench/eval_worker.ts FILE.gguf THREADS                      our engine
 *     tsx experiments/bench/eval_worker.ts FILE.gguf THREADS PACKAGE SEQUENCES    llama.cpp, through node-llama-cpp
 *
 * Each line on stdin is a data folder with arc_easy/test.jsonl in it; it answers with a line of JSON,
 * {@link TimedEvaluation}. lm_eval_worker.py does the same with lm-evaluation-harness.
 */
import path from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { NativeLanguageModel } from "../../native/inference/native_language_model.ts";
import { TaskData } from "../../src/eval/data/task_data.ts";
import { evaluate } from "../../src/eval/evaluator.ts";
import { TaskRegistry } from "../../src/eval/task/task_registry.ts";
import type {
  LanguageModel,
  LoglikelihoodRequest,
  LoglikelihoodResult,
} from "../../src/language_model/language_model.ts";

export interface TimedEvaluation {
  /** From the documents' file to the scores; the model is loaded before. */
  seconds: number;
  acc: number;
  acc_norm: number;
  peak_rss_mb: number;
}

/** What we use of node-llama-cpp, which is no dependency. */
interface LlamaSequence {
  nextTokenIndex: number;
  clearHistory(): Promise<void>;
  eraseContextTokenRanges(ranges: { start: number; end: number }[]): Promise<void>;
  controlledEvaluate(input: unknown[]): Promise<({ next: LlamaLogits } | undefined)[]>;
}

interface LlamaLogits {
  /** Of the tokens that were asked for and the largest, largest first. */
  logits: Map<number, number>;
  /** Sum of exp(logit - largest). */
  totalLogitWeight: number;
}

/** Requests with the same context, which is run once for all of them. */
interface Question {
  context: readonly number[];
  requests: { index: number; continuation: readonly number[] }[];
}

function questionsOf(requests: readonly LoglikelihoodRequest[]): Question[] {
  const questions = new Map<string, Question>();
  requests.forEach(({ context, continuation }, index) => {
    const key = context.join();
    const question = questions.get(key) ?? { context, requests: [] };
    question.requests.push({ index, continuation });
    questions.set(key, question);
  });
  return [...questions.values()];
}

/** llama.cpp as well as its API allows: shared contexts once, questions side by side, only the logits that are needed. */
class LlamaCppScorer {
  readonly #sequences: LlamaSequence[];

  private constructor(sequences: LlamaSequence[]) {
    this.#sequences = sequences;
  }

  static async open(file: string, threads: number, folder: string, count: number): Promise<LlamaCppScorer> {
    const { getLlama } = await import(pathToFileURL(path.join(folder, "dist/index.js")).href);
    const llama = await getLlama({ build: "never", gpu: false, logLevel: "error", maxThreads: threads });
    const model = await llama.loadModel({ modelPath: file });
    const context = await model.createContext({ contextSize: 512, batchSize: 512, threads, sequences: count });
    return new LlamaCppScorer(Array.from({ length: count }, () => context.getSequence()));
  }

  async loglikelihood(requests: readonly LoglikelihoodRequest[]): Promise<LoglikelihoodResult[]> {
    const results = new Array<LoglikelihoodResult>(requests.length);
    const waiting = questionsOf(requests);
    await Promise.all(
      this.#sequences.map(async (sequence) => {
        for (let question = waiting.pop(); question !== undefined; question = waiting.pop()) {
          await scoreQuestion(sequence, question, results);
        }
      }),
    );
    return results;
  }
}

/** Asks for the logits of `tokens` after `token`. */
function withLogits(token: number, tokens: readonly number[]) {
  const logits = { filter: { tokens: [...new Set(tokens)], includeMax: true } };
  return [token, { generateNext: { logits, totalLogitWeight: true } }];
}

function logprobOf(token: number, { logits, totalLogitWeight }: LlamaLogits): { logprob: number; isGreedy: boolean } {
  const [largest] = logits.values();
  const logit = logits.get(token)!;
  return { logprob: logit - largest! - Math.log(totalLogitWeight), isGreedy: logit === largest };
}

async function scoreQuestion(
  sequence: LlamaSequence,
  { context, requests }: Question,
  results: LoglikelihoodResult[],
): Promise<void> {
  await sequence.clearHistory();
  const last = context.at(-1)!;
  const firstTokens = requests.map(({ continuation }) => continuation[0]!);
  const outputs = await sequence.controlledEvaluate([...context.slice(0, -1), withLogits(last, firstTokens)]);
  const afterContext = outputs.at(-1)!.next;
  for (const { index, continuation } of requests) {
    const rest = await sequence.controlledEvaluate(
      continuation.slice(0, -1).map((token, i) => withLogits(token, [continuation[i + 1]!])),
    );
    if (sequence.nextTokenIndex > context.length) {
      await sequence.eraseContextTokenRanges([{ start: context.length, end: sequence.nextTokenIndex }]);
    }
    const scores = continuation.map((token, i) => logprobOf(token, i === 0 ? afterContext : rest[i - 1]!.next));
    const tokenLogprobs = Float32Array.from(scores, ({ logprob }) => logprob);
    results[index] = {
      logprob: tokenLogprobs.reduce((sum, logprob) => sum + logprob, 0),
      isGreedy: scores.every(({ isGreedy }) => isGreedy),
      tokenLogprobs,
    };
  }
}

const [file, threads, folder, sequences] = process.argv.slice(2);
const engine = await NativeLanguageModel.open(file!, { threads: Number(threads) });
let model: LanguageModel = engine;
if (folder !== undefined) {
  const scorer = await LlamaCppScorer.open(file!, Number(threads), folder, Number(sequences));
  const { name, tokenizer, maxLength, facts } = engine;
  const loglikelihood = (requests: readonly LoglikelihoodRequest[]) => scorer.loglikelihood(requests);
  const none = () => {
    throw new Error("only log-likelihoods are scored here");
  };
  model = { name, tokenizer, maxLength, facts, loglikelihood, generateUntil: none, stream: none, dispose: none };
  engine.dispose();
}
const tasks = [new TaskRegistry().find("arc_easy")];

console.log("{}");
for await (const dataDirectory of createInterface({ input: process.stdin })) {
  const start = performance.now();
  const [result] = await evaluate(model, tasks, new TaskData({ dataDirectory }));
  const seconds = (performance.now() - start) / 1000;
  const score = (metric: string) => result!.scores.find((each) => each.metric === metric)!.value;
  const timed: TimedEvaluation = {
    seconds,
    acc: score("acc"),
    acc_norm: score("acc_norm"),
    peak_rss_mb: process.resourceUsage().maxRSS / 1000,
  };
  console.log(JSON.stringify(timed));
}
