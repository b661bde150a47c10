/**
 * A real completions server against our engine on the same GGUF file: every log-likelihood, verdict and greedy text.
 *
 *     llama-server -m silu.gguf --port 8080                                     # or
 *     python -m llama_cpp.server --model silu.gguf --n_ctx 0 --port 8080
 *     npx tsx experiments/oracles/server_check.ts silu.gguf http://localhost:8080/v1 --data DIR
 *
 * `--args` adds to `--model_args` (num_concurrent=4 ...), `--tasks`, `--shots` and `--limit` choose the requests, `--tokens`
 * the length of the generated texts. Prints, besides, requests and seconds per document. llama.cpp quantizes activations
 * per block of 256 instead of per token, so some distance is right (llama_cpp_check.ts measures it without a server). Exit
 * code 1 if the mean distance of log-probabilities is above 0.05 nats per token, if more than a tenth of the tokens are
 * greedy for one and not for the other, or if more than a fifth of the documents are judged differently.
 */
import { parseArgs } from "node:util";
import { chooseTasks } from "../../cli/eval/choose_tasks.ts";
import { openServerModel } from "../../cli/eval/server_model.ts";
import type { TaskOptions } from "../../cli/eval/task_flags.ts";
import { openModel } from "../../native/open_model.ts";
import { evaluate } from "../../src/eval/evaluator.ts";
import type { Task } from "../../src/eval/task/task.ts";
import type { LanguageModel, LoglikelihoodResult } from "../../src/language_model/language_model.ts";
import { describeModel } from "../../src/language_model/model_facts.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string" },
    tasks: { type: "string", default: "arc_easy,piqa,gsm8k" },
    shots: { type: "string", default: "0" },
    limit: { type: "string", default: "20" },
    tokens: { type: "string", default: "32" },
    args: { type: "string" },
  },
});
const [file, url] = positionals;
if (url === undefined) throw new Error("usage: server_check.ts FILE.gguf http://host:port/v1 [--data DIR]");

const largestMeanDistance = 0.05;
const largestGreedyShare = 0.1;
const largestVerdictShare = 0.2;

let httpRequests = 0;
const originalFetch = globalThis.fetch;
globalThis.fetch = (...call) => {
  httpRequests++;
  return originalFetch(...call);
};

/** What a model answered, in the order of the requests, and how it was judged. */
interface Transcript {
  scores: LoglikelihoodResult[];
  texts: string[];
  verdicts: number[];
  httpRequests: number;
  seconds: number;
}

const chosen = chooseTasks({
  tasks: [values.tasks],
  num_fewshot: Number(values.shots),
  limit: Number(values.limit),
  "data-dir": values.data,
  gen_kwargs: `max_gen_toks=${values.tokens}`,
  seed: "0,1234,1234,1234",
} as TaskOptions);

/** @param maxLength the smaller of the two models', so that both get the same requests */
async function transcribe(model: LanguageModel, task: Task, maxLength: number): Promise<Transcript> {
  const scores: LoglikelihoodResult[] = [];
  const texts: string[] = [];
  const recorded: LanguageModel = {
    name: model.name,
    tokenizer: model.tokenizer,
    facts: model.facts,
    maxLength,
    async loglikelihood(...call) {
      const answers = await model.loglikelihood(...call);
      scores.push(...answers);
      return answers;
    },
    async generateUntil(...call) {
      const answers = await model.generateUntil(...call);
      texts.push(...answers);
      return answers;
    },
    stream: model.stream.bind(model),
    dispose: () => {},
  };
  const start = performance.now();
  httpRequests = 0;
  const [{ samples }] = await evaluate(recorded, [task], chosen.data, chosen.evaluation);
  const seconds = (performance.now() - start) / 1000;
  const verdicts = samples.map(({ metrics }) => Number(metrics.acc_norm ?? Object.values(metrics)[0]));
  return { scores, texts, verdicts, httpRequests, seconds };
}

function share(count: number, total: number): string {
  return `${count} of ${total}`;
}

/** Prints how far the two are apart. @returns whether they agree */
function compare(task: string, ours: Transcript, theirs: Transcript): boolean {
  const distances = ours.scores.flatMap(({ tokenLogprobs }, i) =>
    Array.from(tokenLogprobs, (value, k) => Math.abs(value - theirs.scores[i].tokenLogprobs[k])),
  );
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / Math.max(1, distances.length);
  const greedy = ours.scores.filter(({ isGreedy }, i) => isGreedy !== theirs.scores[i].isGreedy).length;
  const verdicts = ours.verdicts.filter((verdict, i) => verdict !== theirs.verdicts[i]).length;
  const equalTexts = ours.texts.filter((text, i) => text === theirs.texts[i]).length;
  const documents = Number(values.limit);
  console.log(
    `${task}: ${(theirs.httpRequests / documents).toFixed(1)} requests and ${(theirs.seconds / documents).toFixed(3)} s ` +
      `per document; the engine ${(ours.seconds / documents).toFixed(3)} s`,
  );
  if (distances.length > 0) {
    const largest = distances.reduce((a, b) => Math.max(a, b));
    console.log(
      `  ${distances.length} tokens: mean distance ${mean.toExponential(2)}, largest ${largest.toExponential(2)} nats; ` +
        `greedy differs in ${share(greedy, ours.scores.length)}`,
    );
  }
  if (ours.texts.length > 0) console.log(`  texts: ${share(equalTexts, ours.texts.length)} equal`);
  console.log(`  verdicts: ${share(verdicts, ours.verdicts.length)} differ`);
  return (
    mean <= largestMeanDistance &&
    greedy <= largestGreedyShare * ours.scores.length &&
    verdicts <= largestVerdictShare * ours.verdicts.length
  );
}

const engine = await openModel(file);
const server = await openServerModel(url, [`tokenizer=${file}`, values.args ?? ""].join());
const maxLength = Math.min(engine.maxLength, server.maxLength);
console.log(describeModel(server));
let agreed = true;
for (const task of chosen.tasks) {
  const ours = await transcribe(engine, task, maxLength);
  agreed = compare(task.name, ours, await transcribe(server, task, maxLength)) && agreed;
}
engine.dispose();
process.exitCode = agreed ? 0 : 1;
