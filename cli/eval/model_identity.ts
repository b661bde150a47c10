/**
 * What the answers of a model depend on besides the request, as one string: the bytes of its files and what computes with
 * them. Neither the path nor the number of threads belongs to it.
 */
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { packageVersion } from "../../src/files/package.ts";
import type { LanguageModel } from "../../src/language_model/language_model.ts";
import { isServer } from "./server_model.ts";

/** @param named the names of the files belong to what is hashed: they say what is what */
async function hashFiles(files: readonly string[], named: boolean): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) {
    if (named) hash.update(`\0${path.basename(file)}\0`);
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}

/** @param source what `model` was opened from */
export async function modelIdentity(source: string, model: LanguageModel): Promise<string> {
  // Whatever stands behind an address may change; its name is all that is known.
  if (isServer(source)) return `server ${model.name} ${model.info.scoring} ${model.tokenizer.hash}`;
  const version = `bitnet-lab ${packageVersion()}`;
  if (!statSync(source).isDirectory()) return `${version} engine ${await hashFiles([source], false)}`;
  // A run directory stands for its newest checkpoint.
  const { openCheckpoint } = await import("../../src/checkpoint/checkpoint.ts");
  const checkpoint = await openCheckpoint(source);
  await checkpoint.tensors.close();
  const { directory } = checkpoint;
  const files = (await readdir(directory)).filter((name) =>
    /\.safetensors$|^(config|tokenizer|tokenizer_config)\.json$/.test(name),
  );
  const paths = files.sort().map((name) => path.join(directory, name));
  const hash = await hashFiles(paths, true);
  // The backends agree within a tolerance only.
  return `${version} tfjs ${model.info.backend} ${hash}`;
}
