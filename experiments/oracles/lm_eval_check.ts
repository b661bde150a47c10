/**
 * Every shipped task, and task files that ask for what no shipped one does (test/golden/lm_eval/option_tasks), against
 * lm-evaluation-harness itself: prompts, continuations, draws, filters, metrics, groups.
 *
 *     python3 -m venv venv && venv/bin/pip install lm_eval[hf,ifeval]
 *     npx tsx experiments/oracles/lm_eval_check.ts --python venv/bin/python [--data DIR] [--tasks a,b]
 *
 * First with a model that answers by hashing its input, so that every character of every request counts, in several
 * settings (examples, system instruction, chat template), and again where a request is sampled more than once; then with real models (`--models`, default the two of the
 * tests: transformers in float32 there, the training forward here). lm-evaluation-harness runs its own task files.
 * Documents come from `--data` (folders named as the tasks), where there are none from a generator. Log-likelihoods may
 * differ by 1e-4 + 2e-6 |ll| (float models), and in a BitNet by 0.1 + 5e-4 |ll|, what the int8 codes of activations that
 * PyTorch rounds the other way make of it. A document may be judged differently if the two best answers are closer than
 * the programs differ about them; a text may part where its two best tokens are. Exit code 1 if anything else differs.
 *
 * An export is checked as both programs see it, `--limit 0` leaving the hashing model out:
 *
 *     npx tsx experiments/oracles/lm_eval_check.ts --python venv/bin/python --data DIR --tasks arc_easy,piqa,gsm8k \
 *       --models small-hf=small.gguf --limit 0 --model-limit 500 --shots 5 --max-gen-toks 160 --batch-size 16
 *
 * With `--served`, lm-evaluation-harness asks `bitnet-serve` for the GGUF file of each entry `FOLDER=FILE.gguf`, by its
 * `local-completions`, with the tokenizer of the folder: every log-likelihood and text must be the one of bitnet-eval.
 *
 *     npx tsx experiments/oracles/lm_eval_check.ts --python venv/bin/python --served --models small-hf=small.gguf \
 *       --limit 0 --model-limit 50 --tasks arc_easy,piqa,gsm8k,wikitext,lambada_openai
 *
 * `--results FILE` appends a line for each metric (experiments/results/lm_eval_agreement.jsonl).
 *
 * `--golden FILE` keeps the documents and what lm-evaluation-harness said of the hashing model, for the tests:
 *
 *     npx tsx experiments/oracles/lm_eval_check.ts --python venv/bin/python --models "" --documents 8 --limit 4 \
 *       --golden test/golden/lm_eval/tasks.json --tasks TASKS
 *
 * (TASKS: all but mmlu, option_tasks too, and mmlu_abstract_algebra,mmlu_philosophy,mmlu_nutrition,mmlu_econometrics.)
 */
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openModel } from "../../native/open_model.ts";
import { TaskData } from "../../src/eval/data/task_data.ts";
import { evaluate } from "../../src/eval/evaluator.ts";
import { scoreGroups } from "../../src/eval/group_scores.ts";
import { TaskRegistry } from "../../src/eval/task/task_registry.ts";
import type { LanguageModel } from "../../src/language_model/language_model.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import {
  type Agreement,
  type FollowedText,
  followTexts,
  type GeneratedTokens,
} from "../../test/support/lm_eval/lm_eval_agreement.ts";
import { LmEvalComparison, type LmEvalOutput } from "../../test/support/lm_eval/lm_eval_comparison.ts";
import { scriptedAnswers } from "../../test/support/lm_eval/lm_eval_fixtures.ts";
import {
  chatTemplate,
  evaluationOptions,
  goldenOf,
  optionTasks,
  resamples,
  type Settings,
} from "../../test/support/lm_eval/lm_eval_golden.ts";
import { hashingModel } from "../../test/support/lm_eval/lm_eval_hashing_model.ts";
import { writeDocuments } from "./lm_eval_data.ts";

const golden = fileURLToPath(new URL("../../test/golden/lm_eval/models", import.meta.url));
const { values } = parseArgs({
  options: {
    python: { type: "string" },
    data: { type: "string" },
    tasks: { type: "string" },
    models: { type: "string", default: `${path.join(golden, "tiny-llama")},${path.join(golden, "tiny-bitnet")}` },
    limit: { type: "string", default: "100" },
    "model-limit": { type: "string", default: "10" },
    documents: { type: "string", default: "60" },
    golden: { type: "string" },
    shots: { type: "string" },
    "max-gen-toks": { type: "string" },
    "batch-size": { type: "string", default: "1" },
    results: { type: "string" },
    served: { type: "boolean", default: false },
  },
});
if (values.python === undefined) throw new Error("usage: lm_eval_check.ts --python PYTHON [--data DIR] [--tasks a,b]");
const { python } = values;

const hashedSettings: Record<string, Settings> = {
  "as the task says": {},
  "3 examples": { num_fewshot: 3 },
  "2 examples, system instruction": { num_fewshot: 2, system_instruction: "Be brief." },
  "chat, 2 examples as turns": {
    num_fewshot: 2,
    system_instruction: "Be brief.",
    apply_chat_template: true,
    fewshot_as_multiturn: true,
  },
  "chat, 2 examples in one message": { num_fewshot: 2, apply_chat_template: true },
};
const shots = values.shots === undefined ? undefined : Number(values.shots);
const generation = { gen_kwargs: `max_gen_toks=${values["max-gen-toks"] ?? 24},do_sample=false` };
const modelSettings: Record<string, Settings> =
  shots === undefined
    ? { "as the task says": generation, "2 examples": { num_fewshot: 2, ...generation } }
    : { [`${shots} examples`]: { num_fewshot: shots, ...generation } };

type ModelKind = "hashing" | "float" | "bitnet";

const work = mkdtempSync(path.join(tmpdir(), "lm-eval-check-"));
const dataDirectory = path.join(work, "data");
const registry = new TaskRegistry([optionTasks]);
const own = /^(toy_|probe_|rolling$|mmlu_)/;
const names =
  values.tasks?.split(",") ??
  registry
    .list()
    .tasks.filter(({ task }) => !own.test(task))
    .map(({ task }) => task)
    .concat("mmlu");
const { tasks, groups } = registry.select(names);

/** One output for each of `settings`; starting lm-evaluation-harness takes longer than running it here. */
function runLmEval(request: object, settings: Record<string, Settings>, limit: number): LmEvalOutput[] {
  const out = path.join(work, "out.json");
  const script = fileURLToPath(new URL("lm_eval_answers.py", import.meta.url));
  const input = JSON.stringify({
    data: dataDirectory,
    tasks: names,
    include_path: optionTasks,
    resamples,
    out,
    limit,
    runs: Object.values(settings),
    ...request,
  });
  const run = spawnSync(python, [script], { input, encoding: "utf8", maxBuffer: 2 ** 30 });
  if (run.status !== 0) throw new Error(run.stderr.slice(-4000));
  return JSON.parse(readFileSync(out, "utf8"));
}

/** `bitnet-serve` in a process of its own. */
async function serve(file: string): Promise<{ url: string; name: string; stop(): void }> {
  const command = fileURLToPath(new URL("../../cli/bin/bitnet-serve.mjs", import.meta.url));
  const child = spawn(process.execPath, [command, "--model", file, "--port", "0"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface(child.stderr)) {
    const url = line.match(/^listening on (\S+)$/)?.[1];
    if (url !== undefined) return { url: `${url}v1`, name: path.basename(file, ".gguf"), stop: () => child.kill() };
  }
  throw new Error(`bitnet-serve does not serve ${file}`);
}

/** @returns the number of differences */
async function compare(
  model: LanguageModel,
  kind: ModelKind,
  settings: Record<string, Settings>,
  limit: number,
  theirs: object,
) {
  const expected = runLmEval(theirs, settings, limit);
  if (values.golden !== undefined && kind === "hashing") {
    writeFileSync(values.golden, goldenOf(dataDirectory, names, limit, settings, expected));
    console.log(`wrote ${values.golden}`);
  }
  let differences = 0;
  for (const [index, [title, chosen]] of Object.entries(settings).entries()) {
    const options = evaluationOptions(chosen, limit, model.tokenizer);
    const results = await evaluate(model, tasks, new TaskData({ dataDirectory }), options);
    const ofGroups = scoreGroups(groups, results);
    const comparison = new LmEvalComparison(expected[index], kind, await followGenerated(model, expected[index]));
    for (const result of results) comparison.task(result);
    comparison.groups(ofGroups);
    comparison.table(results, ofGroups);
    console.log(`\n${path.basename(model.name)}, ${title}: ${comparison.summary()}`);
    for (const line of comparison.deviations.slice(0, 20)) console.log(`  ${line}`);
    if (comparison.deviations.length > 20) console.log(`  and ${comparison.deviations.length - 20} more`);
    for (const row of comparison.agreements) report(row);
    if (values.results !== undefined && kind !== "hashing") {
      const rows = comparison.agreements.map((row) => ({ model: path.basename(model.name), ...row }));
      appendFileSync(values.results, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    }
    differences += comparison.deviations.length;
  }
  return differences;
}

/** Our model along every text that theirs generated, by task and document. */
async function followGenerated(model: LanguageModel, { samples }: LmEvalOutput): Promise<Map<string, FollowedText>> {
  const texts = new Map<string, GeneratedTokens>();
  for (const [task, list] of Object.entries(samples)) {
    for (const { doc_id: document, generated } of list) {
      if (generated && generated.tokens.length > 0) texts.set(`${task} ${document}`, generated);
    }
  }
  const followed = await followTexts(model, [...texts.values()]);
  return new Map([...texts.keys()].map((key, i) => [key, followed[i]]));
}

function report(row: Agreement): void {
  console.log(
    `  ${row.task} ${row.metric}: ${row.lm_eval.toFixed(4)} there, ${row.bitnet_eval.toFixed(4)} here; of ${row.documents} ` +
      `documents ${row.judged_differently} judged differently (two best up to ${row.widest_margin.toExponential(1)} nats ` +
      `apart), ${row.near_ties} near ties; differences: median ${row.median_difference.toExponential(1)}, largest ` +
      `${row.largest_difference.toExponential(1)}`,
  );
}

let failures = 0;
try {
  const real = writeDocuments(dataDirectory, tasks, values.data, Number(values.documents));
  const generated = tasks.map(({ name }) => name).filter((name) => !real.has(name));
  console.log(`${tasks.length} tasks; documents generated for ${generated.join(", ") || "none"}`);

  const hashed = path.join(work, "hashing");
  cpSync(path.join(golden, "tiny-bitnet"), hashed, { recursive: true });
  const config = path.join(hashed, "tokenizer_config.json");
  const withTemplate = { ...JSON.parse(readFileSync(config, "utf8")), chat_template: chatTemplate };
  writeFileSync(config, JSON.stringify(withTemplate));
  if (Number(values.limit) > 0) {
    const model = hashingModel(loadTokenizer(hashed), scriptedAnswers);
    const request = { tokenizer: hashed, answers: scriptedAnswers };
    failures += await compare(model, "hashing", hashedSettings, Number(values.limit), request);
  }
  for (const entry of values.models.split(",").filter((name) => name !== "")) {
    const [directory, ours = directory] = entry.split("=");
    const model = await openModel(ours);
    const limit = Number(values["model-limit"]);
    if (values.served) {
      const { url, name, stop } = await serve(ours);
      const theirs = { served: url, name, tokenizer: directory, max_length: model.maxLength };
      failures += await compare(model, "hashing", modelSettings, limit, theirs);
      stop();
    } else {
      const config = JSON.parse(readFileSync(path.join(directory, "config.json"), "utf8"));
      const kind = config.model_type === "bitnet" ? "bitnet" : "float";
      const theirs = { model: directory, batch_size: Number(values["batch-size"]) };
      failures += await compare(model, kind, modelSettings, limit, theirs);
    }
    model.dispose();
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(failures === 0 ? "\nEverything agrees." : `\n${failures} differences.`);
process.exitCode = failures === 0 ? 0 : 1;
