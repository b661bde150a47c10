/** Runs as tables: how they ended, what was different, what they ran on. */
import { counted } from "../../errors/counted.ts";
import { escapeHtml, htmlTable } from "../markup.ts";
import { definitionList } from "../page.ts";
import type { MetricPoint, ReportedRun } from "./run_data.ts";

export const count = (value: number) => Math.round(value).toLocaleString("en-US");

/** `12 s`, `3.4 min`, `2.1 h` */
function durationText(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return seconds < 5400 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Of training alone: validation, samples and checkpoints do not count. */
function trainingSeconds(metrics: readonly MetricPoint[]): number {
  let [seconds, before] = [0, 0];
  for (const { tokens, tokens_per_second: speed } of metrics) {
    if (speed > 0) seconds += (tokens - before) / speed;
    before = tokens;
  }
  return seconds;
}

/** A loss that is no number stands in the file as null. */
const losses = (value: number | null | undefined) => (typeof value === "number" ? value.toFixed(4) : "");

export function summaryTable(runs: readonly ReportedRun[]): string {
  const rows = runs.map(({ name, maxSteps, metrics }) => {
    const last = metrics[metrics.length - 1];
    const validated = metrics.filter((row) => typeof row.val_loss === "number");
    const final = validated.at(-1);
    const best = validated.reduce<MetricPoint | undefined>(
      (least, row) => (least === undefined || row.val_loss! < least.val_loss! ? row : least),
      undefined,
    );
    const seconds = trainingSeconds(metrics);
    return [
      name,
      last.step < maxSteps ? `${count(last.step)} of ${count(maxSteps)}` : count(last.step),
      count(last.tokens),
      losses(final?.val_loss),
      best === undefined ? "" : `${losses(best.val_loss)} at ${count(best.step)}`,
      losses(final?.bits_per_byte),
      losses(last.loss),
      durationText(seconds),
      seconds > 0 ? count(last.tokens / seconds) : "",
    ];
  });
  const header = ["Run", "Steps", "Tokens", "Validation", "Best", "Bits/byte", "Training", "Time", "Tokens/s"];
  return htmlTable(header, rows);
}

const valueText = (value: unknown) => (typeof value === "string" ? value : (JSON.stringify(value) ?? "unset"));

/** Keys whose values differ between runs; "" for one run, or none. */
export function differencesTable(runs: readonly ReportedRun[]): string {
  const keys = new Set(runs.flatMap(({ config }) => [...config.keys()]));
  const rows = [...keys].flatMap((key) => {
    const values = runs.map(({ config }) => valueText(config.get(key)));
    return values.every((value) => value === values[0]) ? [] : [[key, ...values]];
  });
  return rows.length === 0 ? "" : htmlTable(["Key", ...runs.map(({ name }) => name)], rows);
}

/** Folded: every key of each run. */
export function configurations(runs: readonly ReportedRun[]): string {
  return runs
    .map(({ name, config }) => {
      const list = definitionList([...config].map(([key, value]) => [key, valueText(value)] as const));
      return `<details><summary>${escapeHtml(name)}: ${counted(config.size, "key")}</summary>${list}</details>`;
    })
    .join("\n");
}

/** What was changed in a run on its way. */
export function changeLines(runs: readonly ReportedRun[]): string[] {
  return runs.flatMap(({ name, changes }) =>
    changes.map(
      ({ step, key, before, now }) =>
        `${name}: after step ${step}, ${key} changed from ${valueText(before)} to ${valueText(now)}`,
    ),
  );
}

const facts: readonly (readonly [key: string, label: string])[] = [
  ["started", "Started"],
  ["cpu", "CPU"],
  ["threads", "Threads"],
  ["backend", "Backend"],
  ["kernel", "Kernels"],
  ["backward_precision", "Backward"],
  ["bitnet_lab", "bitnet-lab"],
  ["node", "Node"],
  ["platform", "Platform"],
  ["command", "Command"],
];

/** Facts of environment.json, a column for each run. */
export function environmentTable(runs: readonly ReportedRun[]): string {
  if (runs.every(({ environment }) => environment === null)) return "";
  const rows = facts.map(([key, label]) => [
    label,
    ...runs.map(({ environment }) => (environment?.[key] === undefined ? "" : valueText(environment[key]))),
  ]);
  return htmlTable(["", ...runs.map(({ name }) => name)], rows);
}
