/**
 * `import ... from "bitnet-lab/training"`: data sets, the training loop, optimizers and schedules.
 *
 *     const { config } = withBackwardPrecision(loadRunConfig(resolveConfigPath("small.yaml")), compute);
 *     const inputs = await prepareRun(config);
 *     const run = beginRun({ ...inputs, compute, directory: new RunDirectory("runs/mine") });
 *     await run.run({ listener: { onMetrics: console.log } });
 *
 * With `init_from`: `loadRunStart` instead of `loadRunConfig`, and `initial: await loadInitialModel(...)` for `beginRun`.
 * `compute` is what `selectBackend` of "bitnet-lab" returns. A `Trainer` does the same without a folder: its listeners
 * keep what they want to.
 */
import "../src/ops/one_tfjs.ts";

export { differingKeys } from "./config/differing_keys.ts";
export { shapeRemarks } from "./config/initial_shape.ts";
export { formatRunConfig, loadRunConfig, parseRunConfig, resolveConfigPath } from "./config/load_run_config.ts";
export { type Override, parseOverride } from "./config/overrides.ts";
export { type StartableConfig, withBackwardPrecision } from "./config/resolve_backward_precision.ts";
export { type RunConfig, runConfigSchema } from "./config/run_config.ts";
export { RunConfigError } from "./config/run_config_error.ts";
export { type RunMaterial, scheduleOf, trainerOptionsOf } from "./config/run_parts.ts";
export { stepOperations } from "./config/step_operations.ts";
export type { CorrectedRun, Correction, UpdatedMatrix } from "./corrections/correction.ts";
export { MatrixCorrections } from "./corrections/matrix_corrections.ts";
export { type CorrectionOptions, correctionSchema, makeCorrection } from "./corrections/registry.ts";
export { type PrepareOptions, prepareDataset } from "./data/prepare_dataset.ts";
export { PreparedDataset } from "./data/prepared_dataset.ts";
export { estimateRun, formatEstimate, type RunEstimate } from "./dry_run.ts";
export {
  type InitialModel,
  type LoadedModel,
  loadInitialModel,
  loadRunStart,
  openInitialModel,
  type RunStart,
} from "./initial_model.ts";
export { openTeacher } from "./losses/open_teacher.ts";
export { defaultLoss, type LossOptions, lossSchema } from "./losses/registry.ts";
export { type Teacher, TeacherError, type TeacherOpener, type TeacherScores } from "./losses/teacher.ts";
export { type MatchedRun, matchRun } from "./match_run.ts";
export type { MetricsRow } from "./metrics.ts";
export { type AdamWOptions, adamWRule } from "./optimizers/adamw.ts";
export {
  type Gradients,
  GroupedOptimizer,
  type NamedTensor,
  type OptimizedParameter,
  type Optimizer,
  type ParameterGroup,
  type ParameterUpdate,
  type RuleValues,
  stateBytes,
  type UpdateObserver,
  type UpdateRule,
  type UpdateValues,
} from "./optimizers/optimizer.ts";
export { makeOptimizer, type OptimizerOptions, optimizedParameters, optimizerSchema } from "./optimizers/registry.ts";
export {
  cacheDirectory,
  type DataProgress,
  makeTokenizer,
  openDataset,
  type PrepareRunOptions,
  prepareRun,
  type RunInputs,
  resolveSources,
  runCache,
  withVocabulary,
} from "./run_data.ts";
export { RunDirectory, RunDirectoryError } from "./run_directory.ts";
export { runNotes } from "./run_notes.ts";
export { locateSources, type RunData, recordSources } from "./run_sources.ts";
export { makeSchedule, type ScheduleOptions, scheduleSchema } from "./schedules/registry.ts";
export { agreeUpTo, type Schedule, type ScheduledValues, type ScheduleStep } from "./schedules/schedule.ts";
export { makeStaging, type StagingOptions, stagingSchema } from "./staging/registry.ts";
export type { Stage, StagedRun, Staging } from "./staging/staging.ts";
export { withStandardInput } from "./standard_input.ts";
export {
  type StraightThroughOptions,
  straightThroughSchema,
  withStraightThrough,
} from "./straight_through/registry.ts";
export { readBase } from "./sweep/base_recipe.ts";
export { SweepPlan } from "./sweep/plan.ts";
export { PreparedData } from "./sweep/prepared_data.ts";
export { loadSweep, parseSweep } from "./sweep/read_sweep.ts";
export { runSweep, type StartRun, type SweepOptions } from "./sweep/run_sweep.ts";
export { type SweepSummary, summarize } from "./sweep/summary.ts";
export { SweepDirectory } from "./sweep/sweep_directory.ts";
export { readSweepResults, type SweepResults } from "./sweep/sweep_results.ts";
export type { Histogram } from "./telemetry/histogram.ts";
export type { TelemetryOptions } from "./telemetry/telemetry_options.ts";
export type { TelemetryRow } from "./telemetry/telemetry_row.ts";
export { loadTracker, TrackerError } from "./trackers/load_tracker.ts";
export type { TrackedRun, TrackedValues, Tracker } from "./trackers/tracker.ts";
export {
  NonFiniteError,
  type StepObserver,
  type StepResult,
  type StepValues,
  type TokenBatch,
  trainStep,
} from "./train_step.ts";
export {
  type RunOptions,
  type SampleOptions,
  Trainer,
  type TrainerIntervals,
  type TrainerListener,
  type TrainerOptions,
  type TrainerProgress,
  type TrainingEnd,
} from "./trainer.ts";
export { latestCheckpoint, TrainingCheckpointError } from "./training_checkpoint.ts";
export { beginRun, type RunCall, type RunListener, TrainingRun, type TrainingRunOptions } from "./training_run.ts";
