/** `bitnet-sweep --dry-run`: the runs, and how long they take. */
import { counted } from "../../src/errors/counted.ts";
import { textTable } from "../../src/eval/report/text_table.ts";
import type { RunConfig } from "../../training/config/run_config.ts";
import { formatDuration } from "../../training/duration.ts";
import { trainingTokens } from "../../training/sweep/budget.ts";
import type { SweepPlan } from "../../training/sweep/plan.ts";
import { say } from "../terminal/say.ts";

/** Configurations with one key take the same time. */
function costKey({ model, optimizer, training }: RunConfig): string {
  const { batch_size, sequence_length, gradient_accumulation_steps, backward_precision, recompute_layers } = training;
  const step = [batch_size, sequence_length, gradient_accumulation_steps, backward_precision, recompute_layers];
  return JSON.stringify([model, optimizer.type, step]);
}

/** @param measure seconds of an update */
export async function listRuns(
  plan: SweepPlan,
  measure: (config: RunConfig) => Promise<number>,
  processes: number,
): Promise<void> {
  const known = new Map<string, number>();
  const { tune } = plan.sweep;
  let seconds = 0;
  const rows: string[][] = [];
  for (const arm of plan.arms) {
    const { config } = plan.run(arm, plan.seeds[0], "final");
    const key = costKey(config);
    const perStep = known.get(key) ?? (await measure(config));
    known.set(key, perStep);
    const { max_steps: steps } = config.training;
    const tuning = (tune?.values?.length ?? 0) * (tune?.seeds.length ?? 0);
    const runs = plan.seeds.length + tuning;
    seconds += (runs * steps * perStep) / processes;
    const tokens = trainingTokens(config).toLocaleString("en");
    rows.push([arm.name, String(runs), String(steps), tokens, formatDuration(runs * steps * perStep)]);
  }
  console.log(textTable(["arm", "runs", "steps", "tokens a run", "time"], rows).join("\n"));
  const seeds = `${counted(plan.seeds.length, "seed")} (${plan.seeds.join(", ")})`;
  const more = tune?.extend ? ", more where the best tuned value lies at an edge" : "";
  say(`${counted(plan.arms.length, "arm")}, ${seeds}, ${counted(plan.runCount, "run")}${more}`);
  say(`time ${formatDuration(seconds)} expected without validation, ${processes} at a time`);
}
