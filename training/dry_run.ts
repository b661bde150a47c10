/** What a run will take, before it starts: parameters, memory, tokens and time, the last from a few real steps. */

import { type ModelConfig, resolveModelConfig } from "../src/config/model_config.ts";
import { hasTernaryWeights } from "../src/config/model_quantizers.ts";
import { CausalLM } from "../src/model/causal_lm.ts";
import { modelParameters, parameterCount, parameterSize } from "../src/model/parameters.ts";
import type { StartableConfig } from "./config/resolve_backward_precision.ts";
import { optimizerOf } from "./config/run_parts.ts";
import type { PreparedDataset } from "./data/prepared_dataset.ts";
import { formatDuration } from "./duration.ts";
import { stateBytes } from "./optimizers/optimizer.ts";
import { passValues, trainStep } from "./train_step.ts";
import { nextBatches, tokensPerUpdate } from "./update_batches.ts";

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
  tokensPerStep: number;
  tokens: number;
  secondsPerStep: number;
  /** Training and validation. */
  seconds: number;
}

/** Times a few steps on the current backend. Writes nothing. */
export async function estimateRun(config: StartableConfig, dataset: PreparedDataset): Promise<RunEstimate> {
  const modelConfig = resolveModelConfig(config.model);
  const { max_steps, eval_every, eval_batches, gradient_accumulation_steps } = config.training;
  const { secondsPerStep, optimizerBytes } = await timeSteps(modelConfig, config, dataset);
  const validationSequences = Math.floor(dataset.validationTokens / config.training.sequence_length);
  const allBatches = Math.ceil(validationSequences / config.training.batch_size);
  const validationBatches = eval_batches > 0 ? Math.min(eval_batches, allBatches) : allBatches;
  const validations = 1 + (eval_every > 0 ? Math.floor((max_steps - 1) / eval_every) : 0);
  const secondsPerBatch = secondsPerStep / gradient_accumulation_steps;
  const parameters = parameterCount(modelConfig);
  const weightBytes = float32Bytes * parameters;
  const matrices = modelParameters(modelConfig).filter(({ kind }) => kind === "matrix");
  return {
    parameters,
    ternaryParameters: hasTernaryWeights(modelConfig)
      ? matrices.reduce((sum, spec) => sum + parameterSize(spec), 0)
      : 0,
    stateBytes: 2 * weightBytes + optimizerBytes,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    checkpointBytes: weightBytes + optimizerBytes,
    tokensPerStep: tokensPerUpdate(config),
    tokens: max_steps * tokensPerUpdate(config),
    secondsPerStep,
    seconds: max_steps * secondsPerStep + validations * validationBatches * secondsPerBatch * forwardShare,
  };
}

interface TimedSteps {
  /** Mean of an update, without the first one, which also fills the backend's memory pool. */
  secondsPerStep: number;
  optimizerBytes: number;
}

async function timeSteps(
  modelConfig: ModelConfig,
  config: StartableConfig,
  dataset: PreparedDataset,
): Promise<TimedSteps> {
  const { training } = config;
  const batches = dataset.trainBatches({ batchSize: training.batch_size, seed: training.seed });
  const model = new CausalLM(modelConfig, { seed: training.seed });
  const optimizer = optimizerOf(config, model);
  const update = async (step: number) => {
    trainStep(model, optimizer, await nextBatches(batches, training.gradient_accumulation_steps), {
      step,
      learningRate: config.optimizer.learning_rate,
      weightDecay: config.optimizer.weight_decay,
      ...passValues(config),
    });
  };
  await update(1);
  const started = performance.now();
  for (let step = 2; step < 2 + timedSteps; step++) await update(step);
  const secondsPerStep = (performance.now() - started) / 1000 / timedSteps;
  const optimizerBytes = stateBytes(optimizer);
  model.dispose();
  optimizer.dispose();
  return { secondsPerStep, optimizerBytes };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

/** The estimate as lines for people. */
export function formatEstimate(estimate: RunEstimate, config: StartableConfig, dataset: PreparedDataset): string[] {
  const { parameters, ternaryParameters, tokens } = estimate;
  const tokensPerSecond = Math.round(estimate.tokensPerStep / estimate.secondsPerStep);
  return [
    `parameters  ${parameters.toLocaleString("en")} (${ternaryParameters.toLocaleString("en")} ternary)`,
    `memory      ${megabytes(estimate.peakBytes)} measured; weights, gradients and optimizer ${megabytes(estimate.stateBytes)}`,
    `disk        ${megabytes(estimate.checkpointBytes)} a checkpoint, ${config.training.keep_checkpoints} kept`,
    `data        ${dataset.trainTokens.toLocaleString("en")} training tokens`,
    `tokens      ${tokens.toLocaleString("en")} in ${config.training.max_steps} steps (${(tokens / dataset.trainTokens).toFixed(2)} epochs)`,
    `time        ${formatDuration(estimate.seconds)} expected, ${tokensPerSecond} tokens/s (${timedSteps} steps timed)`,
  ];
}
