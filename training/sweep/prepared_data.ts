/** Tokenizers and token caches of a sweep's runs, made once before the first of them starts. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { makeDirectory } from "../../src/files/make_directory.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import {
  type BackwardMachine,
  type StartableConfig,
  withBackwardPrecision,
} from "../config/resolve_backward_precision.ts";
import type { RunConfig } from "../config/run_config.ts";
import { type DataProgress, prepareRun, type RunInputs, withVocabulary } from "../run_data.ts";
import type { SweepDirectory } from "./sweep_directory.ts";

/** What a run's folder begins with. */
export interface PreparedRun {
  /** With the tokenizer's vocabulary and a backward precision of this machine. */
  config: StartableConfig;
  tokenizer: Tokenizer;
  /** Key of the tokenized data set. */
  dataset: string;
}

const dataKey = ({ tokenizer, data, training }: RunConfig) =>
  createHash("sha256")
    .update(JSON.stringify([tokenizer, data, training.sequence_length]))
    .digest("hex")
    .slice(0, 12);

export class PreparedData {
  private readonly directory: SweepDirectory | undefined;
  private readonly machine: Pick<BackwardMachine, "variant">;
  private readonly known = new Map<string, Pick<PreparedRun, "tokenizer" | "dataset">>();

  /** @param directory where trained tokenizers are kept; without one they are made anew */
  constructor(directory: SweepDirectory | undefined, machine: Pick<BackwardMachine, "variant">) {
    this.directory = directory;
    this.machine = machine;
  }

  /** Makes what runs of this configuration need, unless it was made before. */
  async prepare(config: RunConfig, options: { onProgress?: DataProgress; signal?: AbortSignal } = {}): Promise<void> {
    const key = dataKey(config);
    if (this.known.has(key)) return;
    const { tokenizer, dataset } = await this.open(config, options);
    await dataset.close();
    this.known.set(key, { tokenizer, dataset: dataset.key });
  }

  /** Tokenizer and opened data. Close the data set. */
  async open(config: RunConfig, options: { onProgress?: DataProgress; signal?: AbortSignal } = {}): Promise<RunInputs> {
    const kept = config.tokenizer.type === "bpe" ? this.directory?.tokenizer(dataKey(config)) : undefined;
    const { config: startable } = withBackwardPrecision(config, this.machine);
    const inputs = await prepareRun(startable, { ...options, storedTokenizer: kept?.tokenizerFile });
    if (kept !== undefined && !existsSync(kept.tokenizerFile)) {
      makeDirectory(kept.path);
      kept.writeTokenizer(inputs.tokenizer);
    }
    return inputs;
  }

  /** A configuration whose data were prepared, as its run will have it. */
  resolve(config: RunConfig): PreparedRun {
    const { tokenizer, dataset } = this.known.get(dataKey(config))!;
    const { config: startable } = withBackwardPrecision(config, this.machine);
    return { config: withVocabulary(startable, tokenizer), tokenizer, dataset };
  }
}
