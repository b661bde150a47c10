/** The summary of a sweep for people: Markdown that also reads well in a terminal. */
import path from "node:path";
import { counted } from "../../src/errors/counted.ts";
import { textTable } from "../../src/eval/report/text_table.ts";
import type { Interval } from "../../src/statistics/sample.ts";
import type { ArmComparison, ArmSummary, ComparisonSummary, SweepSummary } from "./summary.ts";

const digits = 4;
const number = (value: number | null | undefined) => (value == null ? "" : value.toFixed(digits));
const signed = (value: number) => `${value < 0 ? "" : "+"}${value.toFixed(digits)}`;
const interval = (value: Interval | null) => (value === null ? "" : `${signed(value.low)} to ${signed(value.high)}`);
const probability = (p: number | null) => (p === null ? "" : p < 0.001 ? "<0.001" : p.toFixed(3));
const percent = (share: number) => `${Number((100 * share).toFixed(2))}%`;

/** Columns of which at least one cell says something. */
function filledTable(columns: readonly (readonly [header: string, cells: readonly string[]])[]): string[] {
  const filled = columns.filter(([, cells]) => cells.some((cell) => cell !== ""));
  const rows = (filled[0]?.[1] ?? []).map((_, row) => filled.map(([, cells]) => cells[row]));
  return textTable(
    filled.map(([header]) => header),
    rows,
  );
}

/** @param isWide with all columns; else what 80 columns hold */
export function armTable({ arms, metric }: SweepSummary, isWide: boolean): string[] {
  const column = (cell: (arm: ArmSummary) => string) => arms.map(cell);
  const spread = ({ mean, sd }: ArmSummary) => `${number(mean)}${sd === null ? "" : ` ± ${number(sd)}`}`;
  const wide: [string, string[]][] = [
    ["failed", column(({ failed }) => (failed > 0 ? String(failed) : ""))],
    ["open or stopped", column(({ unfinished }) => (unfinished > 0 ? String(unfinished) : ""))],
    ["tokens", column(({ tokens }) => tokens?.toLocaleString("en") ?? "")],
    ["KL to the float twin", column(({ floatTwin }) => number(floatTwin?.kl))],
    ["same top token", column(({ floatTwin }) => (floatTwin ? percent(floatTwin.top1Agreement) : ""))],
  ];
  return filledTable([
    ["arm", column(({ arm }) => arm)],
    ["n", column(({ n }) => String(n))],
    [metric.name, column(spread)],
    ["bits/byte", column(({ bitsPerByte }) => number(bitsPerByte))],
    ["learning rate", column(({ learningRate }) => (learningRate === null ? "" : String(learningRate)))],
    ...(isWide ? wide : []),
  ]);
}

/** @see armTable */
export function comparisonTable({ arms, ranking }: ComparisonSummary, confidence: number, isWide: boolean): string[] {
  const column = (cell: (arm: ArmComparison) => string) => arms.map(cell);
  const place = ({ arm }: ArmComparison) => {
    const { best, worst } = ranking.find((each) => each.arm === arm) ?? {};
    return best === undefined ? "" : best === worst ? String(best) : `${best} to ${worst}`;
  };
  const wide: [string, string[]][] = [
    ["standard error", column(({ standardError }) => number(standardError))],
    ["bootstrap interval", column(({ bootstrapInterval }) => interval(bootstrapInterval))],
    ["widened by Holm", column(({ adjustedInterval }) => interval(adjustedInterval))],
    ["place", column(place)],
    ["seeds needed", column(({ neededSeeds, sd }) => (sd ? String(neededSeeds ?? "over 1000") : ""))],
  ];
  return filledTable([
    ["arm", column(({ arm }) => arm)],
    ["pairs", column(({ n }) => String(n))],
    ["difference", column(({ n, mean }) => (n === 0 ? "" : signed(mean)))],
    [`${percent(confidence)} t interval`, column(({ tInterval }) => interval(tInterval))],
    ["p, Holm", column(({ adjustedP }) => probability(adjustedP))],
    ["verdict", column(({ verdict }) => verdict)],
    ...(isWide ? wide : []),
  ]);
}

/** What the tables do not say: edges, failures, unequal budgets, the rule. */
export function summaryNotes(summary: SweepSummary): string[] {
  const { arms, runs, decision, metric, seeds, validation } = summary;
  const edges = arms.flatMap(({ arm, tuned }) =>
    tuned?.edge
      ? [`${arm}: ${tuned.value} is the ${tuned.edge} value that was tried; a better one may lie beyond`]
      : [],
  );
  const failures = runs.flatMap(({ name, failure }) => (failure === null ? [] : [`${name} failed: ${failure}`]));
  const tokens = new Set(arms.map((arm) => arm.tokens));
  const pairs = `Differences are arm minus baseline, in pairs of the same seed (${seeds.join(", ")}).`;
  const rules = { two_standard_errors: "|mean| >= 2 standard errors", t_interval: "the t interval leaves out 0" };
  const words: Record<string, string> = {
    ...rules,
    bootstrap_interval: "the bootstrap interval leaves out 0",
    holm: `p < ${Number((1 - decision.confidence).toFixed(6))} after Holm's correction over the arms of a comparison`,
  };
  const verdict = `Better or worse: ${decision.rule.map((rule) => words[rule]).join(", and ")}.`;
  const small = decision.negligible > 0 ? ` Below ${decision.negligible} a difference is called negligible.` : "";
  return [
    ...edges,
    ...failures,
    ...(tokens.size > 1 ? ["the arms trained on different numbers of tokens"] : []),
    `${metric.name}: ${metric.take} of the run, ${metric.goal}d. ${validation === "" ? "" : `Validation: ${validation}.`}`,
    `${pairs} ${verdict}${small}`,
  ];
}

/** report.md. */
export function reportMarkdown(summary: SweepSummary, folder: string): string {
  const { comparisons, decision, runs } = summary;
  const place =
    "A place is a range: one more than the arms found better, to all that are not found worse (pairwise, with Holm's " +
    "correction). Seeds needed: to find a difference of this size in four of five studies.";
  return [
    `# ${summary.name ?? path.basename(folder)}`,
    `${counted(runs.length, "run")}; made by bitnet-sweep report from summary.json.`,
    armTable(summary, true).join("\n"),
    ...comparisons.flatMap((comparison) => [
      `## ${comparison.name}: against ${comparison.baseline}`,
      comparisonTable(comparison, decision.confidence, true).join("\n"),
    ]),
    place,
    summaryNotes(summary)
      .map((line) => `- ${line}`)
      .join("\n"),
    "",
  ].join("\n\n");
}
