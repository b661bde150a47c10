/**
 * Keeps of a sweep what its report is made of, without weights, and draws the report again from that:
 *
 *     npx tsx experiments/studies/keep_sweep.ts SWEEP KEPT      copies, then reports
 *     npx tsx experiments/studies/keep_sweep.ts KEPT            reports alone, from what is there
 *
 * KEPT is a sweep's folder like any other (`bitnet-sweep report KEPT`); its runs have config.yaml and metrics.jsonl only.
 */
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { reportOn } from "../../cli/report/report_on.ts";
import { showReport } from "../../cli/sweep/report.ts";

const sweepFiles = ["sweep.yaml", "runs.json", "tuned.json", "times.json"];
const runFiles = ["config.yaml", "metrics.jsonl", "failed.json", "float_twin.json"];

function copy(from: string, to: string, names: readonly string[]): void {
  mkdirSync(to, { recursive: true });
  for (const name of names) if (existsSync(path.join(from, name))) cpSync(path.join(from, name), path.join(to, name));
}

function keep(sweep: string, kept: string): void {
  copy(sweep, kept, sweepFiles);
  for (const run of readdirSync(path.join(sweep, "runs"))) {
    copy(path.join(sweep, "runs", run), path.join(kept, "runs", run), runFiles);
  }
}

const [from, to = from] = process.argv.slice(2);
if (from === undefined) throw new Error("usage: keep_sweep.ts SWEEP [KEPT]");
if (to !== from) keep(from, to);
await showReport(to, false);
for (const line of await reportOn([to], { out: path.join(to, "report.html"), png: true, weights: false })) {
  console.log(line);
}
