/** A sweep as tables: arms, differences with verdicts, runs. */
import { htmlTable } from "../markup.ts";
import { count } from "../run/tables.ts";
import type {
  ReportedArm,
  ReportedComparison,
  ReportedDifference,
  ReportedSweep,
  ReportedSweepRun,
  SpanOf,
} from "./sweep_data.ts";

const number = (value: number | null | undefined, digits = 4) => (value == null ? "" : value.toFixed(digits));
const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;
const span = (value: SpanOf | null) => (value === null ? "" : `${signed(value.low)} to ${signed(value.high)}`);
const probability = (p: number | null) => (p === null ? "" : p < 0.001 ? "<0.001" : p.toFixed(3));
const percent = (share: number) => `${Number((100 * share).toFixed(2))}%`;

type Column<Row> = readonly [header: string, cell: (row: Row) => string];

/** Without the columns that say nothing. */
function filledTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const filled = columns.filter(([, cell]) => rows.some((row) => cell(row) !== ""));
  return htmlTable(
    filled.map(([header]) => header),
    rows.map((row) => filled.map(([, cell]) => cell(row))),
  );
}

export function armsTable({ arms, metric }: ReportedSweep): string {
  const columns: Column<ReportedArm>[] = [
    ["Arm", ({ arm }) => arm],
    ["Runs", ({ n }) => String(n)],
    [`${metric.name}, mean`, ({ mean }) => number(mean)],
    ["s.d.", ({ sd }) => number(sd)],
    ["Bits/byte", ({ bitsPerByte }) => number(bitsPerByte)],
    ["Learning rate", ({ learningRate }) => (learningRate === null ? "" : String(learningRate))],
    ["Tokens", ({ tokens }) => (tokens === null ? "" : count(tokens))],
    ["KL to the float twin", ({ floatTwin }) => number(floatTwin?.kl)],
    ["Same top token", ({ floatTwin }) => (floatTwin === null ? "" : percent(floatTwin.top1Agreement))],
    ["Failed", ({ failed }) => (failed > 0 ? String(failed) : "")],
    ["Open or stopped", ({ unfinished }) => (unfinished > 0 ? String(unfinished) : "")],
  ];
  return filledTable(columns, arms);
}

const placeText = (best: number, worst: number) => (best === worst ? String(best) : `${best} to ${worst}`);

export function differencesTable({ arms, ranking }: ReportedComparison, confidence: number): string {
  const place = ({ arm }: ReportedDifference) => {
    const found = ranking.find((each) => each.arm === arm);
    return found === undefined ? "" : placeText(found.best, found.worst);
  };
  const columns: Column<ReportedDifference>[] = [
    ["Arm", ({ arm }) => arm],
    ["Verdict", ({ verdict }) => verdict],
    ["Pairs", ({ n }) => String(n)],
    ["Difference", ({ n, mean }) => (n === 0 ? "" : signed(mean))],
    [`${percent(confidence)} t interval`, ({ tInterval }) => span(tInterval)],
    ["Bootstrap interval", ({ bootstrapInterval }) => span(bootstrapInterval)],
    ["Standard error", ({ standardError }) => number(standardError)],
    ["p, Holm", ({ adjustedP }) => probability(adjustedP)],
    ["Place", place],
    ["Seeds needed", ({ neededSeeds, standardError }) => (standardError ? String(neededSeeds ?? "over 1000") : "")],
  ];
  return filledTable(columns, arms);
}

export function rankingTable({ ranking }: ReportedComparison): string {
  return htmlTable(
    ["Place", "Arm", "Mean"],
    ranking.map(({ arm, mean, best, worst }) => [placeText(best, worst), arm, number(mean)]),
  );
}

export function runsTable({ runs, tunedKey }: ReportedSweep): string {
  const columns: Column<ReportedSweepRun>[] = [
    ["Run", ({ name }) => name],
    ["Arm", ({ arm }) => arm],
    ["Seed", ({ seed }) => String(seed)],
    ["Stage", ({ stage }) => (tunedKey === null ? "" : stage)],
    [tunedKey ?? "", ({ tuned }) => (tuned === undefined ? "" : String(tuned))],
    ["Status", ({ status }) => status],
    ["Steps", ({ step }) => count(step)],
    ["Value", ({ value }) => number(value)],
    ["Failure", ({ failure }) => failure ?? ""],
  ];
  return filledTable(columns, runs);
}
