/** The tables of a study from what is kept of its sweep (keep_sweep.ts): arms by comparison, and the rates that were tried. */

import type { ArmComparison, ArmSummary, SweepSummary } from "../../training/sweep/summary.ts";
import { summarize } from "../../training/sweep/summary.ts";
import { SweepDirectory } from "../../training/sweep/sweep_directory.ts";
import { readSweepResults } from "../../training/sweep/sweep_results.ts";
import { table } from "../pages/blocks.ts";

const fixed = (value: number | null | undefined) => (value == null ? "" : value.toFixed(4));
const signed = (value: number) => `${value < 0 ? "" : "+"}${value.toFixed(4)}`;

function armCells({ arm, n, mean, sd, bitsPerByte, learningRate }: ArmSummary): (string | number)[] {
  const loss = mean === null ? "" : `${fixed(mean)}${sd === null ? "" : ` ± ${fixed(sd)}`}`;
  return [arm, n, learningRate ?? "", loss, fixed(bitsPerByte)];
}

function differenceCells({ n, mean, adjustedInterval, verdict }: ArmComparison): string[] {
  const interval =
    adjustedInterval === null ? "" : `${signed(adjustedInterval.low)} to ${signed(adjustedInterval.high)}`;
  return [n === 0 ? "" : signed(mean), interval, verdict];
}

/** One row an arm; the baseline stands first in each comparison. */
function comparisonsTable({ arms, comparisons }: SweepSummary): string {
  const armOf = (name: string) => arms.find(({ arm }) => arm === name)!;
  const rows = comparisons.flatMap(({ name, baseline, arms: compared }) => [
    [name, ...armCells(armOf(baseline)), "", "", ""],
    ...compared.map((each) => ["", ...armCells(armOf(each.arm)), ...differenceCells(each)]),
  ]);
  const header = [
    "",
    "arm",
    "seeds",
    "rate",
    "loss, nats",
    "bits/byte",
    "difference",
    "95%, widened by Holm",
    "verdict",
  ];
  return table(header, rows);
}

/** Losses by learning rate, on the seed that chooses it. */
function ratesTable({ arms }: SweepSummary): string {
  const rates = [...new Set(arms.flatMap(({ tuned }) => tuned?.tried.map(({ value }) => value) ?? []))];
  rates.sort((a, b) => Number(a) - Number(b));
  const rows = arms.map(({ arm, tuned }) => [
    arm,
    ...rates.map((rate) => fixed(tuned?.tried.find(({ value }) => value === rate)?.metric)),
  ]);
  return table(["arm, by learning rate", ...rates.map(String)], rows);
}

/** @param folder what `keep_sweep.ts` has kept */
export function studyTables(folder: string): string {
  const summary = summarize(readSweepResults(new SweepDirectory(folder)));
  return `${comparisonsTable(summary)}\n\n${ratesTable(summary)}`;
}
