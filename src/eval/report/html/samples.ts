/** A few answers of each task, right and wrong ones, as the models gave them. */
import { largest } from "../../../arrays/large_arrays.ts";
import { pythonStr } from "../../../python/values.ts";
import { escapeHtml } from "../../../report/markup.ts";
import type { TaskResult } from "../../evaluator.ts";
import type { Sample } from "../../request/sample.ts";
import { type EvaluatedModel, mainScore } from "../model_comparison.ts";

/** Shown of each task: so many right ones and so many wrong ones. */
const shown = 2;
/** Characters of a prompt, from its end, and of an answer. */
const mostCharacters = { prompt: 1200, answer: 600 };

/** 1 for a right answer, 0 for a wrong one; null where an answer is neither. */
function judgement(sample: Sample, metric: string): 0 | 1 | null {
  const value = sample.metrics[metric];
  return value === 0 || value === 1 ? value : null;
}

const withoutBeginning = (text: string) =>
  text.length > mostCharacters.prompt ? `… ${text.slice(-mostCharacters.prompt)}` : text;
const withoutEnd = (text: string) =>
  text.length > mostCharacters.answer ? `${text.slice(0, mostCharacters.answer)} …` : text;

/** What the model answered: each choice with its log-likelihood, or the text. */
function answerText({ arguments: requests, responses, filteredResponses }: Sample): string {
  const first = responses[0]?.[0];
  if (!Array.isArray(first)) {
    const text = withoutEnd(pythonStr(first));
    const filtered = pythonStr(filteredResponses[0]);
    return filtered === pythonStr(first) ? text : `${text}\n→ ${filtered}`;
  }
  const values = responses.map(([answer]) => Number((answer as readonly unknown[])[0]));
  const best = largest(values);
  return requests
    .map(
      ([, choice], i) => `${values[i].toFixed(3).padStart(9)}${values[i] === best ? " ▸" : "  "}${pythonStr(choice)}`,
    )
    .join("\n");
}

/** A target that is the index of a choice is told with its text. */
function targetText({ target, arguments: requests }: Sample, isChoice: boolean): string {
  const choice = isChoice && typeof target === "number" ? requests[target]?.[1] : undefined;
  return choice === undefined ? pythonStr(target) : `${target},${pythonStr(choice)}`;
}

function sampleHtml(samples: readonly (Sample | undefined)[], metric: string, names: readonly string[]): string {
  const [asked] = samples;
  if (asked === undefined) return "";
  const prompt = pythonStr(asked.arguments[0][0]);
  const isChoice = Array.isArray(asked.responses[0]?.[0]);
  const answers = samples.map((sample, model) => {
    if (sample === undefined) return "";
    const judged = judgement(sample, metric);
    const word = judged === 1 ? '<span class="right">✓ right</span>' : '<span class="wrong">✗ wrong</span>';
    const whose = names.length > 1 ? `${escapeHtml(names[model])}: ` : "";
    const what = isChoice ? " (log-likelihoods; ▸ the likeliest)" : "";
    return `<div>${whose}${word}<span class="faint">${what}</span></div><pre>${escapeHtml(answerText(sample))}</pre>`;
  });
  const right = judgement(asked, metric) === 1;
  // The last line alone is often only "Answer:".
  const lines = prompt.split("\n").filter((text) => text.trim() !== "");
  const line = lines.slice(-2).join(" ");
  return (
    `<details><summary><span class="${right ? "right" : "wrong"}">${right ? "✓" : "✗"}</span> document ${asked.docId}: ` +
    `${escapeHtml(line.length > 100 ? `… ${line.slice(-100)}` : line)}</summary>` +
    `<pre>${escapeHtml(withoutBeginning(prompt))}</pre><div>target: ${escapeHtml(targetText(asked, isChoice))}</div>${answers.join("")}</details>`
  );
}

function taskSamples(results: readonly (TaskResult | undefined)[], names: readonly string[]): string {
  const [first] = results;
  const score = first && mainScore(first.scores);
  if (first === undefined || score === undefined) return "";
  const judged = first.samples.filter(
    (sample) => sample.filter === score.filter && judgement(sample, score.metric) !== null,
  );
  const ofKind = (kind: 0 | 1) => judged.filter((sample) => judgement(sample, score.metric) === kind).slice(0, shown);
  const chosen = [...ofKind(1), ...ofKind(0)];
  if (chosen.length === 0) return "";
  const details = chosen.map((sample) => {
    const answers = results.map((result) =>
      result?.samples.find(({ docId, filter }) => docId === sample.docId && filter === sample.filter),
    );
    return sampleHtml(answers, score.metric, names);
  });
  return `<h3>${escapeHtml(first.task.name)} <span class="faint">${escapeHtml(score.metric)}</span></h3>\n${details.join("\n")}`;
}

/** Documents of the first model's right and wrong answers; "" where answers are neither, as in perplexities. */
export function sampleAnswers(models: readonly EvaluatedModel[], names: readonly string[]): string {
  return models[0].results
    .map(({ task }) => {
      const results = models.map(({ results }) => results.find((result) => result.task.name === task.name));
      return taskSamples(results, names);
    })
    .filter((html) => html !== "")
    .join("\n");
}
