/** What a run will take, before it starts: parameters, memory, tokens and time, the last from a few real steps. */
import { hasTernaryWeights } from "../src/config/model_quantizers.ts";
import { modelParameters, parameterCount, parameterSize } from "../src/model/parameters.ts";
import { formatDuration } from "./duration.ts";
import { stateBytes } from "./optimizers/optimizer.ts";
import { stagePrecision } from "./staging/staging.ts";
import { trainStep } from "./train_step.ts";
import { type TrainerOptions, teachingOf } from "./trainer.ts";
import { nextBatches } from "./update_batches.ts";

const timedSteps = 2;
const float32Bytes = 4;
/** A forward pass over a batch costs about a third of a training step on it. */
const forwardShare = 1 / 3;

export interface RunEstimate {
  parameters: number;
  /** Of those, in ternary matrices. */
  ternaryParameters: number;
  /** Weights, gradients and optimizer state. */
  stateBytes: number;
  /** Peak resident memory of this process, measured over the timed steps. */
  peakBytes: number;
  checkpointBytes: number;
  steps: number;
  tokensPerStep: number;
  tokens: number;
  secondsPerStep: number;
  /** Training and validation. */
  seconds: number;
}

/**
 * Times a few steps on the current backend. Writes nothing, but trains: the model and the optimizer of `options` are
 * not new afterwards.
 */
export async function estimateRun(options: TrainerOptions): Promise<RunEstimate> {
  const { model, dataset, batchSize, accumulation, maxSteps, intervals } = options;
  const secondsPerStep = await timeSteps(options, timedSteps);
  const allBatches = Math.ceil(Math.floor(dataset.validationTokens / dataset.sequenceLength) / batchSize);
  const validationBatches = options.evalBatches > 0 ? Math.min(options.evalBatches, allBatches) : allBatches;
  const validations = 1 + (intervals.eval > 0 ? Math.floor((maxSteps - 1) / intervals.eval) : 0);
  const parameters = parameterCount(model.config);
  const weightBytes = float32Bytes * parameters;
  const optimizerBytes = stateBytes(options.optimizer);
  const averageBytes = options.emaDecay ? weightBytes : 0;
  const matrices = modelParameters(model.config).filter(({ kind }) => kind === "matrix");
  const tokensPerStep = batchSize * accumulation * dataset.sequenceLength;
  return {
    parameters,
    ternaryParameters: hasTernaryWeights(model.config)
      ? matrices.reduce((sum, spec) => sum + parameterSize(spec), 0)
      : 0,
    stateBytes: 2 * weightBytes + optimizerBytes + averageBytes,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    checkpointBytes: weightBytes + optimizerBytes + averageBytes,
    steps: maxSteps,
    tokensPerStep,
    tokens: maxSteps * tokensPerStep,
    secondsPerStep,
    seconds:
      maxSteps * secondsPerStep + validations * validationBatches * (secondsPerStep / accumulation) * forwardShare,
  };
}

/** Mean seconds of `count` updates after a first one, which also fills the backend's memory pool. */
export async function timeSteps(options: TrainerOptions, count: number): Promise<number> {
  const { model, optimizer, schedule, staging, dataset, batchSize, accumulation, precision, seed, recomputesLayers } =
    options;
  const batches = dataset.trainBatches({ batchSize, seed });
  // The stage that most of the run is in.
  const { quantization } = staging?.at(Math.ceil(options.maxSteps / 2)) ?? model;
  model.quantization = quantization;
  const update = async (step: number) => {
    const { learningRate, weightDecay } = schedule.values(step);
    const values = {
      step,
      learningRate,
      weightDecay,
      precision: stagePrecision(precision, quantization),
      seed,
      recomputesLayers,
      dropout: options.dropout,
      loss: options.loss,
    };
    trainStep(model, optimizer, await nextBatches(batches, accumulation, teachingOf(options)), values);
  };
  await update(1);
  const started = performance.now();
  for (let step = 2; step < 2 + count; step++) await update(step);
  return (performance.now() - started) / 1000 / count;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

/**
 * The estimate as lines for people.
 * @param trainTokens of the data
 */
export function formatEstimate(estimate: RunEstimate, trainTokens: number, keptCheckpoints: number): string[] {
  const { parameters, ternaryParameters, tokens, steps } = estimate;
  const tokensPerSecond = Math.round(estimate.tokensPerStep / estimate.secondsPerStep);
  return [
    `parameters  ${parameters.toLocaleString("en")} (${ternaryParameters.toLocaleString("en")} ternary)`,
    `memory      ${megabytes(estimate.peakBytes)} measured; weights, gradients and optimizer ${megabytes(estimate.stateBytes)}`,
    `disk        ${megabytes(estimate.checkpointBytes)} a checkpoint, ${keptCheckpoints} kept`,
    `tokens      ${tokens.toLocaleString("en")} in ${steps} steps (${(tokens / trainTokens).toFixed(2)} epochs)`,
    `time        ${formatDuration(estimate.seconds)} expected, ${tokensPerSecond} tokens/s (${timedSteps} steps timed)`,
  ];
}
