/** What the tests keep of lm-evaluation-harness's answers (test/golden/lm_eval/tasks.json), and the settings asked with. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseGenKwargs } from "../../../cli/eval/gen_kwargs.ts";
import type { EvaluationOptions } from "../../../src/eval/evaluator.ts";
import { ChatPrompt } from "../../../src/eval/prompt/chat_prompt.ts";
import type { Tokenizer } from "../../../src/tokenizer/tokenizer.ts";
import type { LmEvalOutput } from "./lm_eval_comparison.ts";
import { requestsHash } from "./lm_eval_hashing_model.ts";

/** lm-evaluation-harness's names of the settings. */
export interface Settings {
  num_fewshot?: number;
  system_instruction?: string;
  apply_chat_template?: boolean;
  fewshot_as_multiturn?: boolean;
  gen_kwargs?: string;
}

export interface LmEvalGolden {
  /** Lines of each file below the data folder. */
  data: Record<string, string[]>;
  tasks: string[];
  limit: number;
  runs: { title: string; settings: Settings; expected: LmEvalOutput }[];
}

/** Task files for what no shipped task asks for. */
export const optionTasks = fileURLToPath(new URL("../../golden/lm_eval/option_tasks", import.meta.url));

/** Of the bootstrap; few, because scikit-learn is slow. */
export const resamples = 200;

/** Given to the tokenizer of the hashing model. */
export const chatTemplate =
  "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] | trim }}\n" +
  "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}";

export function evaluationOptions(settings: Settings, limit: number, tokenizer: Tokenizer): EvaluationOptions {
  return {
    numFewshot: settings.num_fewshot,
    systemInstruction: settings.system_instruction,
    chatTemplate: settings.apply_chat_template ? new ChatPrompt(tokenizer) : undefined,
    fewshotAsMultiturn: settings.fewshot_as_multiturn,
    generation: settings.gen_kwargs ? parseGenKwargs(settings.gen_kwargs) : undefined,
    limit,
    seed: 1234,
    confirmUnsafeCode: true,
    resamples,
  };
}

/** The file's text, one line for each task of each run. Requests are kept as hashes: the log-likelihoods hash them too. */
export function goldenOf(
  dataDirectory: string,
  tasks: readonly string[],
  limit: number,
  settings: Readonly<Record<string, Settings>>,
  outputs: readonly LmEvalOutput[],
): string {
  const files = readdirSync(dataDirectory, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".jsonl") && !file.startsWith(".cache"),
  );
  const lines = (file: string) => readFileSync(path.join(dataDirectory, file), "utf8").trimEnd().split("\n");
  const data = files.sort().map((file) => `${JSON.stringify(file)}: ${JSON.stringify(lines(file))}`);
  const runs = Object.entries(settings).map(([title, chosen], i) => {
    const { samples, configs: _, ...rest } = outputs[i];
    const kept = Object.entries(samples).map(([task, list]) => {
      const short = list.map(({ arguments: requests, resps, ...sample }) => ({
        ...sample,
        repeats: resps?.[0].length,
        requests: requestsHash(requests ?? []),
      }));
      return `${JSON.stringify(task)}: ${JSON.stringify(short)}`;
    });
    const head = JSON.stringify(rest).slice(1, -1);
    return `{"title": ${JSON.stringify(title)}, "settings": ${JSON.stringify(chosen)}, "expected": {${head},\n"samples": {\n${kept.join(",\n")}}}}`;
  });
  return `{"tasks": ${JSON.stringify(tasks)}, "limit": ${limit},\n"data": {\n${data.join(",\n")}},\n"runs": [\n${runs.join(",\n")}]}\n`;
}
