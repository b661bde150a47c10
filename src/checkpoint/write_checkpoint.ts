/** Writing a checkpoint directory: it is there completely or not at all. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { ModelConfig } from "../config/model_config.ts";
import { writeWholeDirectory } from "../files/whole_directory.ts";
import { modelParameters } from "../model/parameters.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { modelConfigJson } from "./model_config_json.ts";
import { writeSafetensors } from "./safetensors_writer.ts";

export interface CheckpointContents {
  config: ModelConfig;
  tokenizer: Tokenizer | null;
  /** Values of a parameter of `modelParameters(config)`. Asked for one at a time. */
  parameters: (name: string) => Float32Array | Promise<Float32Array>;
  /** Writes further files (optimizer state ...) into the directory before it gets its name. */
  writeExtra?: (directory: string) => Promise<void>;
}

/**
 * Writes config.json, tokenizer.json (if there is a tokenizer) and model.safetensors as the directory `directory`.
 * @throws {FileWriteError} if it cannot be written, or exists and is no checkpoint.
 */
export async function writeCheckpoint(directory: string, contents: CheckpointContents): Promise<void> {
  const { config, tokenizer, parameters, writeExtra } = contents;
  await writeWholeDirectory(directory, "config.json", async (temporary) => {
    const writeJson = (name: string, json: unknown) =>
      writeFile(path.join(temporary, name), `${JSON.stringify(json, null, 2)}\n`);
    await writeJson("config.json", modelConfigJson(config, tokenizer));
    if (tokenizer) await writeJson("tokenizer.json", tokenizer.json);
    if (tokenizer?.config) await writeJson("tokenizer_config.json", tokenizer.config);
    await writeSafetensors(
      path.join(temporary, "model.safetensors"),
      modelParameters(config).map(({ name, shape }) => ({
        name,
        shape,
        dtype: "F32" as const,
        data: () => parameters(name),
      })),
    );
    await writeExtra?.(temporary);
  });
}
