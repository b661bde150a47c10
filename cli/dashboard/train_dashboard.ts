/** `bitnet-train --dashboard`: trains with a live page, if one is asked for. */
import path from "node:path";
import { counted } from "../../src/errors/counted.ts";
import { messageOf } from "../../src/errors/user_error.ts";
import type { MetricPoint } from "../../src/report/run/run_data.ts";
import type { RunInputs, RunListener, TrainingEnd, TrainingRun } from "../../training/index.ts";
import { type RunDirectory, readRows } from "../../training/run_directory.ts";
import { say } from "../terminal/say.ts";
import { Dashboard } from "./dashboard.ts";
import type { LiveFacts } from "./live_run.ts";

function factsOf({ config, dataset }: RunInputs, directory: RunDirectory, startStep: number): LiveFacts {
  const { model, optimizer, schedule, training } = config;
  const sequences = training.batch_size * training.gradient_accumulation_steps;
  return {
    name: path.basename(path.resolve(directory.path)),
    maxSteps: training.max_steps,
    startStep,
    facts: [
      ["folder", path.resolve(directory.path)],
      ["model", `${counted(model.num_hidden_layers, "layer")} of width ${model.hidden_size}`],
      ["data", `${dataset.source.description}, ${dataset.trainTokens.toLocaleString("en-US")} training tokens`],
      ["update", `${counted(sequences, "sequence")} of ${training.sequence_length} tokens`],
      ["optimizer", `${optimizer.type}, peak learning rate ${optimizer.learning_rate}, schedule ${schedule.type}`],
      ["backward", training.backward_precision],
      ["seed", String(training.seed)],
    ],
  };
}

export interface TrainedRun {
  run: TrainingRun;
  inputs: RunInputs;
  directory: RunDirectory;
}

/**
 * What `train` returns; it gets the listener, which also tells the page where there is one.
 * @param port undefined for no page, 0 for a free port
 */
export async function withDashboard<End extends string = TrainingEnd>(
  port: number | undefined,
  { run, inputs, directory }: TrainedRun,
  listener: RunListener,
  train: (listener: RunListener) => Promise<End>,
): Promise<End> {
  if (port === undefined) return train(listener);
  const rows = readRows<MetricPoint>(directory.metricsFile);
  const dashboard = await Dashboard.open(port, factsOf(inputs, directory, run.step), rows);
  say(`dashboard ${dashboard.url}`);
  let text = "the run ended";
  try {
    const end = await train(dashboard.listening(listener));
    text = end;
    return end;
  } catch (error) {
    text = `failed: ${messageOf(error)}`;
    throw error;
  } finally {
    await dashboard.close(text);
  }
}
