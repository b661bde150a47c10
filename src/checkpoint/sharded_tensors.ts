/**
 * Weights in several safetensors files, listed by `model.safetensors.index.json`:
 *
 *     { "metadata": {...}, "weight_map": { "model.norm.weight": "model-00002-of-00002.safetensors", ... } }
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { systemErrorText } from "../errors/system_error.ts";
import { CheckpointError } from "./checkpoint_error.ts";
import { SafetensorsFile } from "./safetensors_file.ts";
import type { TensorInfo } from "./safetensors_header.ts";

/** Where the weights of a checkpoint are read from. */
export interface TensorSource {
  /** For messages. */
  readonly path: string;
  names(): string[];
  has(name: string): boolean;
  /** @throws {CheckpointError} if there is no such tensor. */
  info(name: string): TensorInfo;
  /** The tensor's bytes as stored, in a buffer of their own. */
  readBytes(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Values of an F32, F16 or BF16 tensor; the conversion is exact. */
  readFloat32(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

const weightsFile = "model.safetensors";

/** The file of each tensor. @throws {CheckpointError} if the index is not one. */
async function readWeightMap(index: string): Promise<Map<string, string>> {
  let json: { weight_map?: unknown } | null;
  try {
    json = JSON.parse(await readFile(index, "utf8"));
  } catch (error) {
    const reason = error instanceof SyntaxError ? "not valid JSON" : systemErrorText(error);
    throw new CheckpointError(`${index}: ${reason}`);
  }
  const map = json?.weight_map;
  if (map === null || typeof map !== "object") throw new CheckpointError(`${index}: it has no weight_map`);
  for (const [name, file] of Object.entries(map)) {
    // Only files beside the index: it may come from anywhere.
    if (typeof file === "string" && file === path.basename(file) && file !== "") continue;
    throw new CheckpointError(`${index}: weight_map names no file beside it for ${name}: ${JSON.stringify(file)}`);
  }
  return new Map(Object.entries(map as Record<string, string>));
}

class ShardedTensors implements TensorSource {
  readonly path: string;
  private readonly shards: readonly SafetensorsFile[];
  private readonly byName: ReadonlyMap<string, SafetensorsFile>;

  constructor(path: string, shards: readonly SafetensorsFile[], byName: ReadonlyMap<string, SafetensorsFile>) {
    this.path = path;
    this.shards = shards;
    this.byName = byName;
  }

  names(): string[] {
    return [...this.byName.keys()];
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  info(name: string): TensorInfo {
    return this.shardOf(name).info(name);
  }

  readBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.shardOf(name).readBytes(name);
  }

  readFloat32(name: string): Promise<Float32Array> {
    return this.shardOf(name).readFloat32(name);
  }

  async close(): Promise<void> {
    await Promise.all(this.shards.map((shard) => shard.close()));
  }

  private shardOf(name: string): SafetensorsFile {
    const shard = this.byName.get(name);
    if (!shard) throw new CheckpointError(`${this.path} has no tensor ${name}`);
    return shard;
  }
}

/** Places of all tensors. A tensor in two files must be the same in both: programs differ in which one they take. */
async function locate(index: string, map: Map<string, string>, files: Map<string, SafetensorsFile>) {
  const byName = new Map<string, SafetensorsFile>();
  for (const shard of files.values()) {
    for (const name of shard.names()) {
      const other = byName.get(name);
      if (other && Buffer.compare(await other.readBytes(name), await shard.readBytes(name)) !== 0) {
        const names = [other, shard].map((file) => path.basename(file.path)).join(" and ");
        throw new CheckpointError(`${index}: ${names} have different tensors ${name}`);
      }
      byName.set(name, shard);
    }
  }
  for (const [name, file] of map) {
    const shard = files.get(file)!;
    if (!shard.has(name))
      throw new CheckpointError(`${index}: ${name} is not in ${file}, which the index names for it`);
    byName.set(name, shard);
  }
  return byName;
}

async function openShards(index: string): Promise<TensorSource> {
  const map = await readWeightMap(index);
  const names = [...new Set(map.values())].sort();
  const missing = names.filter((name) => !existsSync(path.join(path.dirname(index), name)));
  if (missing.length > 0) {
    const verb = missing.length === 1 ? "is" : "are";
    throw new CheckpointError(`${index}: ${missing.join(", ")} ${verb} missing (of ${names.length} weight files)`);
  }
  const files = new Map<string, SafetensorsFile>();
  try {
    for (const name of names) files.set(name, await SafetensorsFile.open(path.join(path.dirname(index), name)));
    return new ShardedTensors(index, [...files.values()], await locate(index, map, files));
  } catch (error) {
    await Promise.all([...files.values()].map((file) => file.close()));
    throw error;
  }
}

/**
 * The weights of a checkpoint folder: `model.safetensors`, else the files that its index lists.
 * @throws {CheckpointError} if a file is missing, damaged, or not what the index says.
 */
export function openTensors(directory: string): Promise<TensorSource> {
  const file = path.join(directory, weightsFile);
  const index = `${file}.index.json`;
  return !existsSync(file) && existsSync(index) ? openShards(index) : SafetensorsFile.open(file);
}
