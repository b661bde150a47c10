/** The parts of a run that a configuration stands for: where its keys become what the loop takes. */
import { resolveModelConfig } from "../../src/config/model_config.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import type { Compute } from "../../src/ops/compute.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { MatrixCorrections } from "../corrections/matrix_corrections.ts";
import { makeCorrection } from "../corrections/registry.ts";
import type { PreparedDataset } from "../data/prepared_dataset.ts";
import type { LoadedModel } from "../initial_model.ts";
import type { Teacher } from "../losses/teacher.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { makeOptimizer, optimizedParameters } from "../optimizers/registry.ts";
import { makeSchedule } from "../schedules/registry.ts";
import type { Schedule } from "../schedules/schedule.ts";
import { makeStaging } from "../staging/registry.ts";
import type { Staging } from "../staging/staging.ts";
import { withStraightThrough } from "../straight_through/registry.ts";
import type { TrainerOptions } from "../trainer.ts";
import type { StartableConfig } from "./resolve_backward_precision.ts";
import type { RunConfig } from "./run_config.ts";

/** A model with the initial weights of the run's seed. */
function modelOf({ model, training }: RunConfig): CausalLM {
  return new CausalLM(resolveModelConfig(model), { seed: training.seed });
}

/** The optimizer of `model`, with fresh state. */
function optimizerOf({ optimizer, training }: RunConfig, model: CausalLM): Optimizer {
  return makeOptimizer(optimizer, optimizedParameters(model), training.max_grad_norm);
}

export function scheduleOf({ schedule, optimizer, training }: RunConfig): Schedule {
  const peak = { learningRate: optimizer.learning_rate, weightDecay: optimizer.weight_decay };
  return makeSchedule(schedule, peak, training.max_steps);
}

function stagingOf({ quantization, training }: RunConfig, { quantization: final }: CausalLM): Staging {
  return makeStaging(quantization.staging, {
    final: withStraightThrough(quantization.straight_through, final),
    maxSteps: training.max_steps,
  });
}

function correctionsOf(config: RunConfig, model: CausalLM): MatrixCorrections | undefined {
  const { quantization, training } = config;
  const quantizer = model.quantization.weights;
  if (quantizer === null) return undefined;
  const run = { quantizer, maxSteps: training.max_steps, seed: training.seed };
  const correction = makeCorrection(quantization.correction, run);
  return correction ? new MatrixCorrections(model, correction) : undefined;
}

/** What a run works with besides its configuration. */
export interface RunMaterial {
  tokenizer: Tokenizer;
  dataset: PreparedDataset;
  compute: Compute;
  /** Of `loss.distillation`: see openTeacher. The trainer disposes of it. */
  teacher?: Teacher;
  /** Of `init_from`: see loadInitialModel. The trainer disposes of it; missing: random weights of the run's seed. */
  initial?: LoadedModel;
}

/** The options of the configuration's trainer, with a model and an optimizer made for it. */
export function trainerOptionsOf(
  config: StartableConfig,
  { tokenizer, dataset, compute, teacher, initial }: RunMaterial,
): TrainerOptions {
  const { training } = config;
  const model = initial?.model ?? modelOf(config);
  return {
    model,
    optimizer: optimizerOf(config, model),
    schedule: scheduleOf(config),
    staging: stagingOf(config, model),
    corrections: correctionsOf(config, model),
    loss: config.loss,
    teacher,
    dataset,
    compute,
    maxSteps: training.max_steps,
    batchSize: training.batch_size,
    accumulation: training.gradient_accumulation_steps,
    seed: training.seed,
    precision: training.backward_precision,
    recomputesLayers: training.recompute_layers,
    dropout: training.dropout,
    emaDecay: training.ema_decay,
    intervals: {
      log: training.log_every,
      eval: training.eval_every,
      checkpoint: training.checkpoint_every,
      sample: training.sample_every,
    },
    telemetry: config.telemetry,
    evalBatches: training.eval_batches,
    sample: {
      tokenizer,
      prompt: training.sample_prompt,
      maxTokens: training.sample_max_tokens,
      temperature: training.sample_temperature,
    },
  };
}
