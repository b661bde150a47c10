/** Runs a sweep to its end, or up to an interruption: waves of runs, each in a process of its own. */
import type { PlannedRun, SweepPlan } from "./plan.ts";
import type { PreparedData } from "./prepared_data.ts";
import { RunIndex } from "./run_index.ts";
import { isSettled, type RunState, readRunState } from "./run_state.ts";
import type { RunRecord, SweepDirectory } from "./sweep_directory.ts";
import { SweepError } from "./sweep_error.ts";
import type { TunedValue } from "./tuned_value.ts";
import { type SweepOutlook, sweepOutlook, type WantedRun } from "./waves.ts";

export interface RunStart {
  run: PlannedRun;
  /** Of the run. It holds config.yaml and the tokenizer: `--resume` is all that is needed, for a new run as well. */
  directory: string;
  untilStep: number;
  onStep(step: number, loss: number): void;
  signal: AbortSignal;
}

/** Trains a run in a process of its own. @returns what to say if it did not end as it should, else null */
export type StartRun = (start: RunStart) => Promise<string | null>;

export interface SweepListener {
  /** A wave begins. @param outlook what is wanted and open */
  onWave?(outlook: SweepOutlook, stateOf: (run: PlannedRun) => RunState): void;
  onStart?(wanted: WantedRun, state: RunState): void;
  onStep?(run: PlannedRun, step: number, loss: number): void;
  onEnd?(wanted: WantedRun, state: RunState, problem: string | null): void;
}

export interface SweepOptions {
  plan: SweepPlan;
  directory: SweepDirectory;
  data: PreparedData;
  /** Runs at a time. */
  processes: number;
  /** Of an earlier sweep, by arm. */
  tuned?: ReadonlyMap<string, TunedValue>;
  start: StartRun;
  listener?: SweepListener;
  signal: AbortSignal;
}

/** Writes the folder that a run begins with, unless it is there. */
function layOut(directory: SweepDirectory, folder: string, data: PreparedData, run: PlannedRun): void {
  const target = directory.run(folder);
  if (target.hasRun()) return;
  const { config, tokenizer } = data.resolve(run.config);
  target.create();
  target.writeTokenizer(tokenizer);
  target.writeConfig(config);
}

/** @throws {SweepError} if runs did not end; what they were to decide stays open. */
export async function runSweep(options: SweepOptions): Promise<"finished" | "interrupted"> {
  const { plan, directory, data, listener = {}, signal } = options;
  const index = new RunIndex(directory, (run) => data.resolve(run.config));
  for (;;) {
    // A run's state is read once a wave: it does not change meanwhile.
    const states = new Map<string, RunState>();
    const stateOf = (run: PlannedRun) => {
      const folder = index.folderOf(run);
      const state = states.get(folder) ?? readRunState(directory.run(folder));
      states.set(folder, state);
      return state;
    };
    const outlook = sweepOutlook(plan, stateOf, options.tuned ?? new Map());
    directory.writeRecords(recordsOf(outlook, index));
    if (outlook.tuned.size > 0) directory.writeTuned(Object.fromEntries(outlook.tuned));
    if (outlook.open.length === 0) return "finished";
    if (signal.aborted) return "interrupted";
    listener.onWave?.(outlook, stateOf);
    const problems = await runWave(options, index, outlook.open);
    if (signal.aborted) return "interrupted";
    if (problems.length > 0) {
      throw new SweepError(`${problems.join("\n")}\nstart the sweep again to go on with what did not end`);
    }
  }
}

function recordsOf({ wanted }: SweepOutlook, index: RunIndex): RunRecord[] {
  return wanted.map(({ run, untilStep }) => ({
    name: run.name,
    arm: run.arm,
    seed: run.seed,
    stage: run.stage,
    tuned: run.tuned,
    folder: index.folderOf(run),
    steps: run.config.training.max_steps,
    until: untilStep,
  }));
}

/** @returns what went wrong, a line for each run */
async function runWave(options: SweepOptions, index: RunIndex, open: readonly WantedRun[]): Promise<string[]> {
  const { directory, data, listener = {}, signal, processes, start } = options;
  // Two arms may be one configuration.
  const queue = [...new Map(open.map((wanted) => [index.folderOf(wanted.run), wanted])).values()];
  const problems: string[] = [];
  const work = async () => {
    for (let wanted = queue.shift(); wanted !== undefined && !signal.aborted; wanted = queue.shift()) {
      const { run, untilStep } = wanted;
      const folder = index.folderOf(run);
      const target = directory.run(folder);
      layOut(directory, folder, data, run);
      listener.onStart?.(wanted, readRunState(target));
      const onStep = (step: number, loss: number) => listener.onStep?.(run, step, loss);
      const said = await start({ run, directory: target.path, untilStep, onStep, signal });
      const state = readRunState(target);
      const problem = isSettled(state, untilStep) || signal.aborted ? null : `${run.name}: ${said ?? "did not end"}`;
      if (problem !== null) problems.push(problem);
      listener.onEnd?.(wanted, state, problem);
    }
  };
  await Promise.all(Array.from({ length: processes }, work));
  return problems;
}
