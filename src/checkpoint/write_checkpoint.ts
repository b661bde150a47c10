/**
 * Writing a checkpoint directory so that it is there completely or not at all: everything goes into a temporary
 * sibling, is flushed to the device, and takes the name by renames.
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ModelConfig } from "../config/model_config.ts";
import { modelParameters } from "../model/parameters.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { CheckpointError, reasonOf } from "./checkpoint_error.ts";
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

/** Flushes a file or directory to the device. */
async function flush(target: string): Promise<void> {
  // Windows cannot open directories; its renames are durable without.
  if (process.platform === "win32") return;
  const handle = await open(target, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Fills a temporary sibling of `directory` and gives it the name. An existing directory of that name is replaced.
 * On failure nothing is left behind and the old directory stays.
 * @throws {CheckpointError} if the system refuses (no space, no permission); errors of `fill` pass through.
 */
export async function replaceDirectory(directory: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const parent = path.dirname(path.resolve(directory));
  const suffix = `${process.pid}-${randomBytes(4).toString("hex")}`;
  const temporary = path.join(parent, `.${path.basename(directory)}.new-${suffix}`);
  const retired = path.join(parent, `.${path.basename(directory)}.old-${suffix}`);
  try {
    await mkdir(temporary, { recursive: true });
    await fill(temporary);
    for (const name of await readdir(temporary)) await flush(path.join(temporary, name));
    await flush(temporary);
    const replaced = await rename(directory, retired).then(
      () => true,
      (error) => {
        if (error.code === "ENOENT") return false;
        throw error;
      },
    );
    await rename(temporary, directory);
    await flush(parent);
    if (replaced) await rm(retired, { recursive: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new CheckpointError(`cannot write ${directory}: ${reasonOf(error)}`);
  }
}

/** Writes config.json, tokenizer.json (if there is a tokenizer) and model.safetensors into `directory`. */
export async function writeCheckpoint(directory: string, contents: CheckpointContents): Promise<void> {
  const { config, tokenizer, parameters, writeExtra } = contents;
  await replaceDirectory(directory, async (temporary) => {
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
