/** What a sweep shows while it goes: a line with the runs done and the time left, and a line for each run that ends. */
import { counted } from "../../src/errors/counted.ts";
import type { PlannedRun } from "../../training/sweep/plan.ts";
import { isSettled, metricValue, type RunState } from "../../training/sweep/run_state.ts";
import type { SweepListener } from "../../training/sweep/run_sweep.ts";
import type { Metric, SweepFile } from "../../training/sweep/sweep_schema.ts";
import type { SweepOutlook, WantedRun } from "../../training/sweep/waves.ts";
import { Progress, type ProgressOptions } from "../progress.ts";

export class SweepProgress implements SweepListener {
  private readonly metric: Metric;
  private readonly tunedKey: string | undefined;
  private readonly progress: Progress;
  /** Of the wave: updates wanted and made, and runs. */
  private wanted = 0;
  private readonly made = new Map<PlannedRun, number>();
  private isFirst = true;
  private runs = 0;
  private ended = 0;

  constructor(
    stream: NodeJS.WriteStream,
    { metric, tune }: Pick<SweepFile, "metric" | "tune">,
    options: Pick<ProgressOptions, "env" | "now"> = {},
  ) {
    this.metric = metric;
    this.tunedKey = tune?.parameter;
    this.progress = new Progress({ ...options, stream, lines: "none" });
  }

  onWave({ wanted, open, tuned }: SweepOutlook, stateOf: (run: PlannedRun) => RunState): void {
    this.made.clear();
    this.wanted = 0;
    for (const { run, untilStep } of wanted) {
      const { step, failure } = stateOf(run);
      this.wanted += untilStep;
      this.made.set(run, failure === null ? Math.min(step, untilStep) : untilStep);
    }
    this.runs = wanted.length;
    this.ended = wanted.length - open.length;
    // Later waves go on with what this process has done.
    if (this.isFirst && this.ended > 0) this.note(`${counted(this.ended, "run")} of ${this.runs} done before`);
    this.isFirst = false;
    for (const [arm, { value, edge }] of open.every(({ run }) => run.stage === "final") ? tuned : []) {
      const doubt = edge === null ? "" : `, the ${edge} that was tried: a better one may lie beyond`;
      this.note(`${arm}: ${this.tunedKey} ${value}${doubt}`);
    }
    this.show("");
  }

  onStep(run: PlannedRun, step: number, loss: number): void {
    this.made.set(run, step);
    this.show(`${run.name} ${loss.toFixed(3)}`);
  }

  onEnd({ run, untilStep }: WantedRun, state: RunState, problem: string | null): void {
    if (!isSettled(state, untilStep) && problem === null) return;
    this.ended++;
    this.made.set(run, untilStep);
    const value = metricValue(state, this.metric, untilStep);
    const result =
      problem !== null ? "did not end" : state.failure ? `failed: ${state.failure.reason}` : `step ${state.step}`;
    const told = value === null ? "" : `${this.metric.name} ${value.toFixed(4)}`;
    this.progress.printFields([`${this.ended}/${this.runs}`, run.name, result, told].filter((text) => text !== ""));
    this.show("");
  }

  note(line: string): void {
    this.progress.print(`note: ${line}`);
  }

  close(): void {
    this.progress.close();
  }

  private show(detail: string): void {
    const made = [...this.made.values()].reduce((sum, step) => sum + step, 0);
    this.progress.update("sweep", made, this.wanted, [
      { text: `${this.ended}/${this.runs} runs`, rank: 1 },
      // Names of arms may be long: they go before the bar does.
      { text: detail, rank: 200 },
    ]);
  }
}
