/** `bitnet-sweep status`: what is done, what is open, of each arm. */
import { counted } from "../../src/errors/counted.ts";
import { textTable } from "../../src/eval/report/text_table.ts";
import { SweepDirectory } from "../../training/sweep/sweep_directory.ts";
import { type RunResult, type RunStatus, readSweepResults } from "../../training/sweep/sweep_results.ts";
import { say } from "../terminal/say.ts";

const order: readonly RunStatus[] = ["finished", "stopped", "failed", "running", "open"];

/** `3 finished, 1 open`. */
function counts(runs: readonly RunResult[]): string {
  const of = (status: RunStatus) => runs.filter((run) => run.status === status).length;
  return order.flatMap((status) => (of(status) > 0 ? [`${of(status)} ${status}`] : [])).join(", ");
}

export function showStatus(folder: string): void {
  const { runs, arms } = readSweepResults(new SweepDirectory(folder));
  say(`${folder}: ${counted(runs.length, "run")}, ${counts(runs)}`);
  const cells = (arm: string) => {
    const own = runs.filter((run) => run.arm === arm);
    const steps = own.reduce((sum, { step, until }) => sum + Math.min(step, until), 0);
    const all = own.reduce((sum, { until }) => sum + until, 0);
    return [arm, String(own.length), `${Math.floor((100 * steps) / all)}%`, counts(own)];
  };
  console.log(textTable(["arm", "runs", "done", "status"], arms.map(cells)).join("\n"));
  for (const { name, failure } of runs) if (failure !== null) say(`${name} failed: ${failure}`);
  const running = runs.filter(({ status }) => status === "running");
  for (const { name, step, steps } of running) say(`${name} is at step ${step} of ${steps}`);
  if (runs.some(({ status }) => status === "open")) say(`go on: bitnet-sweep --out ${folder}`);
  else say(`what it shows: bitnet-sweep report ${folder}`);
}
