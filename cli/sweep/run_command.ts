/** What `bitnet-sweep` does when it runs a sweep. */
import { parse, stringify } from "yaml";
import { selectBackend } from "../../native/backend/select_backend.ts";
import { counted } from "../../src/errors/counted.ts";
import { messageOf } from "../../src/errors/user_error.ts";
import { lockFolder } from "../../src/files/folder_lock.ts";
import { writeWholeFileSync } from "../../src/files/whole_file.ts";
import { allowedThreads } from "../../src/machine/threads.ts";
import { parseOverride } from "../../training/config/overrides.ts";
import type { RunConfig } from "../../training/config/run_config.ts";
import { baseRoot, readBase, seedKey, storedBase } from "../../training/sweep/base_recipe.ts";
import { baseTime, type StepTimes } from "../../training/sweep/budget.ts";
import { earlierTuning } from "../../training/sweep/earlier_tuning.ts";
import { measureTwins } from "../../training/sweep/measure_twins.ts";
import { SweepPlan } from "../../training/sweep/plan.ts";
import { PreparedData } from "../../training/sweep/prepared_data.ts";
import { loadSweep, parseSweep } from "../../training/sweep/read_sweep.ts";
import { runSweep, type SweepOptions } from "../../training/sweep/run_sweep.ts";
import { stepSeconds } from "../../training/sweep/step_time.ts";
import { summarize } from "../../training/sweep/summary.ts";
import { SweepDirectory } from "../../training/sweep/sweep_directory.ts";
import { readSweepResults } from "../../training/sweep/sweep_results.ts";
import { checkInteger, UsageError } from "../command.ts";
import { Progress } from "../progress.ts";
import type { SweepFlags } from "../sweep_flags.ts";
import { say, sayAside } from "../terminal/say.ts";
import { listRuns } from "./list_runs.ts";
import { runProcess } from "./start_run.ts";
import { SweepProgress } from "./sweep_progress.ts";

/** Updates that a step's time is the mean of. */
const timedSteps = 8;

/** `optimizer.learning_rate=1e-3,2e-3`, values in YAML. @throws {UsageError} */
function parseAxis(text: string): [key: string, values: unknown[]] {
  const equals = text.indexOf("=");
  if (equals <= 0) throw new UsageError(`unexpected argument "${text}": an axis is section.key=a,b,c`);
  try {
    return [text.slice(0, equals), parse(`[${text.slice(equals + 1)}]`)];
  } catch (error) {
    throw new UsageError(`${text}: ${messageOf(error).split("\n")[0]}`);
  }
}

/** The sweep of the command line, or the one that its folder has. @param times of the arms, when they are known */
function readPlan(
  flags: SweepFlags,
  axisTexts: readonly string[],
  directory: SweepDirectory | undefined,
  times: () => StepTimes,
): SweepPlan {
  const overrides = (flags.set ?? []).map(parseOverride);
  const goesOn = flags.config === undefined && flags.base === undefined && directory?.hasSweep() === true;
  const file = goesOn ? directory.sweepFile : (flags.config ?? "the command line");
  const read = goesOn || flags.config !== undefined ? loadSweep(file) : parseSweep("", file);
  const { [seedKey]: seeds, ...axes } = Object.fromEntries(axisTexts.map(parseAxis));
  const asked = seeds === undefined ? read : { ...read, seeds: parseSweep(stringify({ seeds }), seedKey).seeds };
  const sweep = { ...asked, axes: { ...read.axes, ...axes } };
  if (flags.base !== undefined) return new SweepPlan(sweep, readBase(flags.base, overrides), times);
  if (sweep.base === undefined) throw new UsageError("--base is missing: the recipe that the arms change");
  return new SweepPlan(sweep, storedBase(sweep.base, file, overrides), times);
}

/** @throws {UsageError} if the processes are more than the CPUs have threads for. */
function shareCpus(flags: SweepFlags, { sweep, runCount }: SweepPlan): { processes: number; threads: number } {
  checkInteger("processes", flags.processes, 1);
  checkInteger("threads", flags.threads, 1);
  const cpus = allowedThreads();
  const asked = flags.processes ?? sweep.processes;
  const threads = flags.threads ?? sweep.threads ?? Math.max(1, Math.floor(cpus / (asked ?? Math.min(cpus, runCount))));
  const processes = asked ?? Math.max(1, Math.floor(cpus / threads));
  if (processes * threads > cpus && processes > 1) {
    throw new UsageError(
      `${processes} processes of ${counted(threads, "thread")} are more than the ${counted(cpus, "CPU")} that this machine lets them use`,
    );
  }
  return { processes, threads };
}

/** Measures what a budget of time needs and `times` does not have yet; keeps it in the folder. */
async function measureTimes(
  plan: SweepPlan,
  times: Record<string, number>,
  measure: (config: RunConfig) => Promise<number>,
  { directory, progress }: { directory: SweepDirectory | undefined; progress: Progress },
): Promise<void> {
  const configs = [
    ...(plan.sweep.budget.seconds === undefined ? [{ name: baseTime, config: plan.baseConfig }] : []),
    ...plan.arms.map((arm) => ({ name: arm.name, config: plan.config(arm) })),
  ].filter(({ name }) => times[name] === undefined);
  for (const [i, { name, config }] of configs.entries()) {
    progress.update("timing", i, configs.length, [name]);
    times[name] = await measure(config);
    directory?.writeTimes(times);
  }
}

/** @throws {UsageError} and the errors of sweep, recipe, data and folder. */
export async function runSweepCommand(flags: SweepFlags, axes: readonly string[], signal: AbortSignal): Promise<void> {
  const isDryRun = flags["dry-run"];
  if (flags.out === undefined && !isDryRun) throw new UsageError("--out is missing: the folder of the sweep");
  const directory = flags.out === undefined ? undefined : new SweepDirectory(flags.out);
  const times: Record<string, number> = { ...directory?.readTimes() };
  const plan = readPlan(flags, axes, directory, () => times);
  const { processes, threads } = shareCpus(flags, plan);
  const { tune, budget } = plan.sweep;
  const tuned = tune?.from === undefined ? new Map() : earlierTuning(plan, tune);
  const kept = isDryRun ? undefined : directory;
  kept?.create();
  const unlock = kept === undefined ? () => {} : lockFolder(kept.path);
  const progress = new Progress({ stream: process.stdout, lines: isDryRun ? "none" : "beginnings" });
  try {
    kept?.writeSweep({ ...plan.sweep, base: baseRoot(plan.base) });
    const compute = await selectBackend(flags.backend, threads);
    const data = new PreparedData(kept, compute);
    const onProgress = (phase: string, done: number, total: number) => progress.update(phase, done, total);
    for (const config of plan.configs()) await data.prepare(config, { onProgress, signal });
    const measure = (config: RunConfig) => stepSeconds(config, data, compute, timedSteps);
    if (budget.equal === "time") await measureTimes(plan, times, measure, { directory: kept, progress });
    progress.close();
    if (kept === undefined) return await listRuns(plan, measure, processes);
    await train({ plan, directory: kept, data, processes, tuned, signal }, { threads, backend: flags.backend });
  } finally {
    progress.close();
    unlock();
  }
}

/** The distances from the float twins, which the summary has. */
async function compareTwins({ directory, data, signal }: Pick<SweepOptions, "directory" | "data" | "signal">) {
  const progress = new Progress({ stream: process.stdout, lines: "beginnings" });
  const onProgress = (done: number, total: number, run: string) =>
    progress.update("comparing with the float twins", done, total, [run]);
  const left = await measureTwins({ directory, data, onProgress, signal }).finally(() => progress.close());
  if (left.length > 0) {
    sayAside(`note: not compared with a float twin, for want of checkpoints or of equal tokens: ${left.join(", ")}`);
  }
}

/** Runs the sweep, and shows it. */
async function train(
  sweep: Omit<SweepOptions, "start" | "listener">,
  { threads, backend }: { threads: number; backend: string | undefined },
): Promise<void> {
  const { plan, directory, processes } = sweep;
  say(`sweep     ${counted(plan.arms.length, "arm")}, ${counted(plan.seeds.length, "seed")}, in ${directory.path}`);
  say(`machine   ${processes} at a time, each with ${counted(threads, "thread")}`);
  const listener = new SweepProgress(process.stdout, plan.sweep);
  const onWait = (folder: string, writer: number) =>
    listener.note(`waiting for process ${writer}, which still trains in ${folder}`);
  const start = runProcess({ threads, backend, onWait });
  const end = await runSweep({ ...sweep, start, listener }).finally(() => listener.close());
  if (end === "finished" && plan.sweep.float_twin !== undefined) await compareTwins(sweep);
  if (end === "interrupted") {
    process.exitCode = 130;
    say(`interrupted: continue with bitnet-sweep --out ${directory.path}`);
  } else {
    const summary = summarize(readSweepResults(directory));
    writeWholeFileSync(directory.summaryFile, `${JSON.stringify(summary, null, 2)}\n`);
    say(`done: ${directory.summaryFile}; next: bitnet-sweep report ${directory.path}`);
  }
}
