/**
 * Compares what templates of the world become here and in Python: chat templates with transformers, those of lm_eval's
 * task files, and random ones (jinja_random.py), with lm_eval. Prints each difference, and counts.
 *
 *     npx tsx experiments/oracles/template_check.ts --python PYTHON [--tasks] [--random] [FILE_OR_FOLDER_OF_JINJA ...]
 *
 * PYTHON has transformers and lm_eval. Chat templates to try: those in the packages trl, axolotl and vllm, and
 * `models/templates` of llama.cpp (the source package of llama-cpp-python has it).
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { Template } from "../../src/eval/task/template.ts";
import { ChatTemplate } from "../../src/tokenizer/chat_template.ts";

interface Row {
  name: string;
  template: string;
  /** What Python rendered, or why it did not. */
  text?: string;
  error?: string;
  /** In code points. */
  spans?: [number, number][];
  settings: Record<string, unknown> & { messages: { role: string }[] };
  document: Record<string, unknown>;
}

interface Outcome {
  text?: string;
  spans?: [number, number][];
  error?: string;
}

const { values, positionals } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    tasks: { type: "boolean", default: false },
    random: { type: "boolean", default: false },
  },
  allowPositionals: true,
});

function pythonRows(...args: string[]): Row[] {
  const script = new URL("template_values.py", import.meta.url).pathname;
  return JSON.parse(execFileSync(values.python, [script, ...args], { encoding: "utf8", maxBuffer: 2 ** 30 }));
}

function chatOutcome({ template, settings }: Row): Outcome {
  const { messages, add_generation_prompt, tools, ...variables } = settings;
  const options = { addGenerationPrompt: Boolean(add_generation_prompt), tools: tools as object[], variables };
  const { text, generated } = new ChatTemplate(template, null, "template").renderWithSpans(messages, options);
  const codePoints = (unit: number) => [...text.slice(0, unit)].length;
  return { text, spans: generated.map(([start, end]) => [codePoints(start), codePoints(end)]) };
}

function outcome(action: () => Outcome): Outcome {
  try {
    return action();
  } catch (error) {
    return { error: String(error) };
  }
}

function compare(what: string, rows: readonly Row[], ours: (row: Row) => Outcome): void {
  const templates = new Set(rows.map(({ template }) => template));
  const counts = { equal: 0, "refused by both": 0, different: 0 };
  for (const row of rows) {
    const result = outcome(() => ours(row));
    const isEqual =
      result.text === row.text && (result.text === undefined || String(result.spans ?? []) === String(row.spans ?? []));
    counts[isEqual ? (row.error === undefined ? "equal" : "refused by both") : "different"]++;
    if (!isEqual) {
      console.log(`${row.name}: ${JSON.stringify(row.template).slice(0, 300)}`);
      console.log(
        `  Python ${JSON.stringify(row.text ?? row.error)}\n  ours   ${JSON.stringify(result.text ?? result.error)}`,
      );
      if (result.text === row.text) console.log(`  spans ${row.spans} ours ${result.spans}`);
    }
  }
  console.log(`${what}: ${templates.size} templates, ${rows.length} renderings`, counts);
}

if (positionals.length > 0) compare("chat", pythonRows("chat", ...positionals), chatOutcome);
const taskOutcome = ({ template, document }: Row): Outcome => ({ text: new Template(template).render(document) });
if (values.tasks) compare("tasks", pythonRows("tasks"), taskOutcome);
if (values.random) compare("random", pythonRows("random"), taskOutcome);
