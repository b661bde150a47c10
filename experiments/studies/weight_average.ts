/**
 * What the average of the weights costs or gives, in pairs of the same run: val_loss_ema - val_loss at its end.
 *
 *     npx tsx experiments/studies/weight_average.ts SWEEP
 */
import { pairedDifference } from "../../src/statistics/paired.ts";
import { mean } from "../../src/statistics/sample.ts";
import { SweepDirectory } from "../../training/sweep/sweep_directory.ts";
import { readSweepResults } from "../../training/sweep/sweep_results.ts";
import { table } from "../pages/blocks.ts";

const confidence = 0.95;
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: weight_average.ts SWEEP");
const { arms, runs } = readSweepResults(new SweepDirectory(folder));

const signed = (value: number) => `${value < 0 ? "" : "+"}${value.toFixed(4)}`;
const rows = arms.flatMap((arm) => {
  const ends = runs.filter((run) => run.arm === arm && run.status === "finished").map((run) => run.rows.at(-1)!);
  if (ends.length === 0) return [];
  const own = ends.map((row) => row.val_loss!);
  const { mean: difference, tInterval } = pairedDifference(
    ends.map((row) => row.val_loss_ema! - row.val_loss!),
    confidence,
  );
  const interval = tInterval === null ? "" : `${signed(tInterval.low)} to ${signed(tInterval.high)}`;
  return [[arm, ends.length, mean(own).toFixed(4), signed(difference), interval]];
});
console.log(table(["arm", "runs", "val_loss", "of the average: difference", "95% t interval"], rows));
