/** GGUF files of small random models, for tests of the engine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { exportModel } from "../../../export/export_model.ts";
import { planExport } from "../../../export/export_plan.ts";
import type { ModelConfig, ModelConfigJson } from "../../../src/config/model_config.ts";
import type { ExportType } from "../../../src/config/tensor_fit.ts";
import { CounterRng } from "../../../src/random/counter_rng.ts";
import type { Tokenizer } from "../../../src/tokenizer/tokenizer.ts";
import { readerOf, smallConfig, smallParameters } from "../../export/small_model.ts";

/** A folder that is removed with `remove()`. */
export function temporaryFolder(prefix: string): { path: string; remove: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  return { path: folder, remove: () => rmSync(folder, { recursive: true }) };
}

export interface ExportedModel {
  file: string;
  config: ModelConfig;
  parameters: ReadonlyMap<string, Float32Array>;
}

/** Writes a random model for our engine: 2 layers, grouped-query attention, vocabulary of 300. */
export async function exportSmallModel(
  file: string,
  type: ExportType,
  changes: Partial<ModelConfigJson> = {},
  tokenizer: Tokenizer | null = null,
): Promise<ExportedModel> {
  return exportParameters(file, type, smallParameters(smallConfig(changes)), changes, tokenizer);
}

/** Writes a model of that shape with these latent parameters. */
export async function exportParameters(
  file: string,
  type: ExportType,
  parameters: ReadonlyMap<string, Float32Array>,
  changes: Partial<ModelConfigJson> = {},
  tokenizer: Tokenizer | null = null,
): Promise<ExportedModel> {
  const config = smallConfig(changes);
  const plan = planExport(config, tokenizer, { target: "bitnet-lab", type, name: "test" });
  await exportModel(plan, file, readerOf(parameters));
  return { file, config, parameters };
}

/** Random ids below `vocabulary`, one sequence per length. */
export function randomSequences(lengths: readonly number[], vocabulary: number): Int32Array[] {
  const rng = new CounterRng(11, "sequences");
  return lengths.map((length) => Int32Array.from({ length }, () => Math.floor(rng.uniform() * vocabulary)));
}
