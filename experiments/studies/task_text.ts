/**
 * The training splits of tasks as text to train on: documents of several solved examples, as they stand in front of a
 * question (never a scored split).
 *
 *     npx tsx experiments/studies/task_text.ts --data-dir DIR --tasks gsm8k,arc_easy,piqa --examples 6 --out tasks.jsonl
 *
 * For tasks whose choices are answers and for tasks that generate; `DIR/<task>/<training split>.jsonl` must be there.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { DocumentReader } from "../../src/eval/data/document_reader.ts";
import { TaskData } from "../../src/eval/data/task_data.ts";
import { TaskRegistry } from "../../src/eval/task/task_registry.ts";

const { values } = parseArgs({
  options: {
    "data-dir": { type: "string" },
    tasks: { type: "string" },
    examples: { type: "string", default: "6" },
    out: { type: "string" },
  },
});
const { "data-dir": dataDirectory, tasks: names, out } = values;
if (dataDirectory === undefined || names === undefined || out === undefined) {
  throw new Error("usage: task_text.ts --data-dir DIR --tasks a,b --out FILE");
}
const examples = Number(values.examples);

const data = new TaskData({ dataDirectory });
const lines: string[] = [];
for (const task of new TaskRegistry().select(names.split(",")).tasks) {
  const { training } = task.splits;
  if (training === undefined) throw new Error(`task ${task.name} has no training split`);
  const { documents } = await data.documents(task, training);
  const reader = new DocumentReader(task, documents[0].document);
  if (reader.hasContextChoices) throw new Error(`task ${task.name} has its choices in the context`);
  const { targetDelimiter, fewshotDelimiter } = task.prompt;
  const solved = documents.map(({ document }) => {
    const choices = reader.choices(document);
    const answer = choices === null ? reader.target(document) : choices[reader.gold(document, choices).indices[0]];
    return `${reader.text(document)}${targetDelimiter}${answer}`;
  });
  for (let i = 0; i < solved.length; i += examples) {
    lines.push(`${JSON.stringify({ text: solved.slice(i, i + examples).join(fewshotDelimiter) })}\n`);
  }
}
writeFileSync(out, lines.join(""));
console.log(`${lines.length} documents of ${examples} examples: ${out}`);
