/** Measures how far the finished runs of a sweep are from their float twins, once: float_twin.json in the folder of a run. */
import { existsSync } from "node:fs";
import { type Checkpoint, loadCausalLM, openCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import type { CausalLM } from "../../src/model/causal_lm.ts";
import { armName } from "./arm_names.ts";
import { twinDistance } from "./float_twin.ts";
import type { PreparedData } from "./prepared_data.ts";
import type { SweepDirectory } from "./sweep_directory.ts";
import { type RunResult, readSweepResults } from "./sweep_results.ts";

export interface TwinOptions {
  directory: SweepDirectory;
  data: PreparedData;
  onProgress?(done: number, total: number, run: string): void;
  signal?: AbortSignal;
}

async function modelOf(directory: SweepDirectory, folder: string): Promise<CausalLM> {
  const checkpoint: Checkpoint = await openCheckpoint(directory.run(folder).path);
  try {
    return await loadCausalLM(checkpoint);
  } finally {
    await checkpoint.tensors.close();
  }
}

/**
 * Over all validation tokens of each run, in windows of its training length. Runs without checkpoints (of which only the
 * results were kept), and those whose text is cut into other tokens than their twin's, are left out.
 * @returns names of the runs that were left out
 */
export async function measureTwins({ directory, data, onProgress, signal }: TwinOptions): Promise<string[]> {
  const { sweep, runs } = readSweepResults(directory);
  const finished = runs.filter(({ stage, status }) => stage === "final" && status === "finished");
  const twinArm = armName(sweep.float_twin ?? "");
  const twins = new Map(finished.filter(({ arm }) => arm === twinArm).map((run) => [run.seed, run]));
  const pairs = finished.flatMap((run): { run: RunResult; twin: RunResult }[] => {
    const twin = twins.get(run.seed);
    const isKnown = twin === undefined || twin.folder === run.folder || run.floatTwin?.twin === twin.folder;
    return isKnown ? [] : [{ run, twin }];
  });
  const left: string[] = [];
  for (const [i, { run, twin }] of pairs.entries()) {
    signal?.throwIfAborted();
    onProgress?.(i, pairs.length, run.name);
    const [own, others] = [run, twin].map(({ folder }) => directory.run(folder));
    const isWhole = existsSync(own.checkpoints) && existsSync(others.checkpoints);
    if (!isWhole || own.readData()?.dataset !== others.readData()?.dataset) {
      left.push(run.name);
      continue;
    }
    await measurePair(run, twin, { directory, data });
  }
  return left;
}

async function measurePair(run: RunResult, twin: RunResult, { directory, data }: TwinOptions): Promise<void> {
  const config = run.config!;
  const { dataset } = await data.open(config);
  const model = await modelOf(directory, run.folder);
  const float = await modelOf(directory, twin.folder);
  try {
    const batches = dataset.validationBatches({ batchSize: config.training.batch_size });
    const distance = await twinDistance(model, float, batches);
    directory.writeTwinDistance(run.folder, { twin: twin.folder, ...distance });
  } finally {
    model.dispose();
    float.dispose();
    await dataset.close();
  }
}
