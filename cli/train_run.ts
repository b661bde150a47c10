/** What `bitnet-train` does. The command loads it, and tfjs with it, when it runs: `--help` need not wait for that. */
import { selectBackend } from "../native/backend/select_backend.ts";
import { resolveModelConfig } from "../src/config/model_config.ts";
import { packingWarnings } from "../src/config/packing_rules.ts";
import { productNotes } from "../src/config/product_notes.ts";
import { recipeNames } from "../src/config/recipes.ts";
import { firstRemarks } from "../src/data/row_source.ts";
import { counted } from "../src/errors/counted.ts";
import { lockFolder } from "../src/files/folder_lock.ts";
import { checkWritableDirectory, makeDirectory } from "../src/files/make_directory.ts";
import type { Compute } from "../src/ops/compute.ts";
import {
  beginRun,
  cacheDirectory,
  estimateRun,
  formatEstimate,
  type LoadedModel,
  latestCheckpoint,
  loadInitialModel,
  loadRunStart,
  loadTracker,
  locateSources,
  matchRun,
  type Override,
  openTeacher,
  parseOverride,
  prepareRun,
  type RunConfig,
  RunDirectory,
  RunDirectoryError,
  type RunInputs,
  type RunListener,
  type RunStart,
  resolveConfigPath,
  runCache,
  runNotes,
  shapeRemarks,
  stepOperations,
  type Teacher,
  type Tracker,
  type TrainingEnd,
  type TrainingRun,
  trainerOptionsOf,
  withBackwardPrecision,
  withStandardInput,
} from "../training/index.ts";
import { checkInteger, UsageError } from "./command.ts";
import { checkThreadFlag } from "./compute_flags.ts";
import { dashboardPort } from "./dashboard/dashboard.ts";
import { checkPort } from "./dashboard/live_server.ts";
import { withDashboard } from "./dashboard/train_dashboard.ts";
import { openEngineTeacher } from "./engine_teacher.ts";
import { tellStep } from "./parent_channel.ts";
import { Progress } from "./progress.ts";
import { readerLines } from "./reader_lines.ts";
import { say, sayAside } from "./terminal/say.ts";
import type { TrainFlags } from "./train_flags.ts";
import { TrainingProgress } from "./training_progress.ts";

/** Overrides of the command line, in order: `--set`, then the flags of their own. */
function overridesOf({ set = [], data = [], seed, "init-from": initial }: TrainFlags): Override[] {
  const overrides = set.map(parseOverride);
  if (data.length > 0) overrides.push({ path: ["data", "sources"], value: data, origin: "--data" });
  if (initial !== undefined) overrides.push({ path: ["init_from"], value: initial, origin: "--init-from" });
  if (seed !== undefined) overrides.push({ path: ["training", "seed"], value: seed, origin: "--seed" });
  return overrides;
}

/**
 * The configuration of this command line: `--config`, or when resuming without it, that of the run; and the model that it
 * begins with.
 * @throws {UsageError | RunConfigError | RunDirectoryError}
 */
async function readStart(flags: TrainFlags, directory: RunDirectory | undefined): Promise<RunStart> {
  const resumed = flags.resume ? directory : undefined;
  const progress = new Progress({ lines: "none" });
  try {
    return await loadRunStart(configFile(flags, directory), overridesOf(flags), resumed, (done, total) =>
      progress.update("downloading", done, total),
    );
  } finally {
    progress.close();
  }
}

function configFile(flags: TrainFlags, directory: RunDirectory | undefined): string {
  if (flags.config !== undefined) return resolveConfigPath(flags.config);
  if (!flags.resume || directory === undefined) {
    throw new UsageError(`--config is missing: a YAML file, or one of ${recipeNames().join(", ")}`);
  }
  if (!directory.hasRun()) {
    throw new RunDirectoryError(`${directory.path}: nothing to resume: there is no config.yaml in it`);
  }
  return directory.configFile;
}

/** Standard input among the sources is kept in the cache and named there. */
async function withInput(config: RunConfig): Promise<RunConfig> {
  const sources = await withStandardInput(config.data.sources, () => cacheDirectory(config));
  return { ...config, data: { ...config.data, sources } };
}

function checkFresh(directory: RunDirectory): void {
  if (latestCheckpoint(directory.checkpoints) === undefined) return;
  throw new RunDirectoryError(
    `${directory.path} holds a run already: continue it with --resume, or choose another --out`,
  );
}

/** `2 threads`, with the reason if they are fewer than there are CPUs for. */
function threadsText(compute: Compute, config: RunConfig): string {
  const before = compute.threads;
  compute.fitThreads?.(stepOperations(config));
  const { threads } = compute;
  const reason = threads < before ? ` of ${before}: a step of this model and batch is too small to share` : "";
  return `${counted(threads, "thread")}${reason}`;
}

function printHeader(inputs: RunInputs, compute: Compute, reason?: string): void {
  const { config, tokenizer, dataset } = inputs;
  const count = (value: number) => value.toLocaleString("en-US");
  const split = dataset.split === "none" ? "no validation part" : `${count(dataset.validationTokens)} for validation`;
  const documents = count(dataset.documents);
  say(`files     ${dataset.source.description}: ${documents} document${dataset.documents === 1 ? "" : "s"} read`);
  say(`data      ${count(dataset.trainTokens)} training tokens, ${split}; cached in ${cacheDirectory(config)}`);
  say(`tokenizer ${config.tokenizer.type}, ${tokenizer.vocabSize} ids`);
  say(`backend   ${compute.backend} (${compute.variant}), ${threadsText(compute, config)}`);
  say(`backward  ${config.training.backward_precision}${reason === undefined ? "" : ` (auto: ${reason})`}`);
  for (const line of readerLines(resolveModelConfig(config.model), tokenizer)) say(line);
  for (const line of firstRemarks(dataset.source.remarks)) sayAside(`note: ${line}`);
  for (const line of packingWarnings(resolveModelConfig(config.model))) sayAside(`warning: ${line}`);
  for (const line of runNotes(inputs)) sayAside(`note: ${line}`);
  for (const line of productNotes(resolveModelConfig(config.model))) sayAside(`note: ${line}`);
}

/** What the trainer tells, shown; and stops when `untilStep` is reached. */
function listenerOf(shown: RunListener, untilStep: number, pause: AbortController): RunListener {
  return {
    onStep: (step, loss) => {
      shown.onStep?.(step, loss);
      tellStep(step, loss);
      if (step >= untilStep) pause.abort();
    },
    onMetrics: (row) => shown.onMetrics?.(row),
    onSample: (step, text) => shown.onSample?.(step, text),
    onRemark: (line) => shown.onRemark?.(line),
    onStart: (validation) => shown.onStart?.(validation),
    onCheckpoint: (step, directory) => shown.onCheckpoint?.(step, directory),
  };
}

interface TrainCall {
  compute: Compute;
  untilStep: number;
  signal: AbortSignal;
  trackers: readonly Tracker[];
  /** Of the live page; undefined for none. */
  port: number | undefined;
}

/** Trains, and shows it. Returns how it ended; `paused` after the update `untilStep`. */
async function train(
  inputs: RunInputs & { teacher?: Teacher; initial?: LoadedModel },
  directory: RunDirectory,
  { compute, untilStep, signal, trackers, port }: TrainCall,
): Promise<TrainingEnd | "paused"> {
  const { config } = inputs;
  makeDirectory(directory.path);
  const unlock = lockFolder(directory.path);
  let run: TrainingRun | undefined;
  let progress: TrainingProgress | undefined;
  try {
    run = beginRun({ ...inputs, directory, compute });
    const note = await run.resume();
    if (run.step > 0) say(`resumed   at step ${run.step} of ${config.training.max_steps}`);
    if (run.step >= config.training.max_steps) {
      say("finished  --set training.max_steps=N makes it longer");
    }
    if (note !== null) sayAside(`note: ${note}`);
    progress = new TrainingProgress({
      maxSteps: config.training.max_steps,
      startStep: run.step,
      stream: process.stdout,
    });
    const pause = new AbortController();
    if (run.step >= untilStep) pause.abort();
    const trained = run;
    return await withDashboard(port, { run, inputs, directory }, progress, async (shown) => {
      const listener = listenerOf(shown, untilStep, pause);
      const end = await trained.run({ listener, signal: AbortSignal.any([signal, pause.signal]), trackers });
      return end === "interrupted" && !signal.aborted ? "paused" : end;
    });
  } finally {
    progress?.close();
    run?.dispose();
    unlock();
  }
}

/** @throws {UsageError} and the errors of configuration, data, run directory and checkpoint. */
export async function runTraining(flags: TrainFlags, signal: AbortSignal): Promise<void> {
  checkThreadFlag(flags.threads);
  checkInteger("seed", flags.seed, 0);
  checkInteger("until-step", flags["until-step"], 1);
  const isDryRun = flags["dry-run"];
  const port = isDryRun ? undefined : dashboardPort(flags.dashboard);
  if (port !== undefined) await checkPort(port);
  if (flags.out === undefined && !isDryRun) throw new UsageError("--out is missing: the folder of the run");
  const trackers = await Promise.all((flags.tracker ?? []).map(loadTracker));
  const directory = flags.out === undefined ? undefined : new RunDirectory(flags.out);
  const start = await readStart(flags, directory);
  try {
    await trainFrom(start, { flags, directory, trackers, port, signal });
  } finally {
    await start.initial?.close();
  }
}

interface TrainRequest {
  flags: TrainFlags;
  directory: RunDirectory | undefined;
  trackers: readonly Tracker[];
  port: number | undefined;
  signal: AbortSignal;
}

async function trainFrom(start: RunStart, { flags, directory, trackers, port, signal }: TrainRequest): Promise<void> {
  const isDryRun = flags["dry-run"];
  const { initial } = start;
  const given = await withInput(start.config);
  // The folder of the run that goes on; none if the old one died before it had written anything.
  const resumed = flags.resume && directory?.hasRun() ? directory : undefined;
  if (directory && !flags.resume && !isDryRun) checkFresh(directory);
  const { config: matched, remarks } = resumed ? matchRun(given, resumed) : { config: given, remarks: [] };
  const isNamed = overridesOf(flags).some(({ path }) => path.join(".") === "data.sources");
  const located = resumed ? locateSources(matched, resumed.readData(), resumed.path, isNamed) : matched;

  const cache = runCache(matched);
  if (cache.remark !== null) sayAside(`note: ${cache.remark}`);
  if (directory && !isDryRun) checkWritableDirectory(directory.path);

  const compute = await selectBackend(flags.backend, flags.threads);
  const { config, reason } = withBackwardPrecision(located, compute);
  const progress = new Progress({ stream: process.stdout, lines: "beginnings" });
  const inputs = await prepareRun(config, {
    storedTokenizer: resumed?.tokenizerFile,
    initialTokenizer: initial?.checkpoint.tokenizer,
    onProgress: (phase, done, total) => progress.update(phase, done, total),
    signal,
  }).finally(() => progress.close());
  try {
    printHeader(inputs, compute, reason);
    for (const line of remarks) sayAside(`note: ${line}`);
    if (start.shape !== null) {
      for (const line of shapeRemarks(start.shape, resolveModelConfig(inputs.config.model))) sayAside(`note: ${line}`);
    }
    const teacher = await openTeacher(inputs.config, inputs.tokenizer, (file) =>
      openEngineTeacher(file, flags.threads),
    );
    if (teacher !== undefined) say(`teacher   ${teacher.name}`);
    const begun = initial === null ? undefined : await loadInitialModel(initial, inputs.config);
    if (begun !== undefined) say(`weights   ${begun.record.source}`);
    if (isDryRun || directory === undefined) {
      const estimate = await estimateRun(
        trainerOptionsOf(inputs.config, { ...inputs, compute, teacher, initial: begun }),
      );
      const { keep_checkpoints } = inputs.config.training;
      for (const line of formatEstimate(estimate, inputs.dataset.trainTokens, keep_checkpoints)) say(line);
      return;
    }
    const untilStep = flags["until-step"] ?? Number.POSITIVE_INFINITY;
    const end = await train({ ...inputs, teacher, initial: begun }, directory, {
      compute,
      untilStep,
      signal,
      trackers,
      port,
    });
    if (end === "interrupted" || end === "paused") {
      if (end === "interrupted") process.exitCode = 130;
      console.log(`${end}: continue with bitnet-train --resume --out ${directory.path}`);
    } else {
      console.log(`done: ${directory.path}; next: bitnet-export ${directory.path} --out model.gguf`);
    }
  } finally {
    await inputs.dataset.close();
  }
}
