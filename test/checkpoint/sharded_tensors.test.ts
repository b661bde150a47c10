import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Checkpoint, openCheckpoint, readParameter } from "../../src/checkpoint/checkpoint.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { writeCheckpoint } from "../../src/checkpoint/write_checkpoint.ts";
import { tokenizerMetadata } from "../../src/gguf/tokenizer_metadata.ts";
import { modelParameters, type ParameterSpec } from "../../src/model/parameters.ts";
import { byteLevelTokenizer } from "../../src/tokenizer/byte_level_tokenizer.ts";
import { smallConfig, smallParameters } from "../export/small_model.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-shards-"));
afterAll(() => rmSync(folder, { recursive: true }));

const config = smallConfig({ num_hidden_layers: 1, vocab_size: 257 });
const specs = modelParameters(config);
const parameters = smallParameters(config);
const shardName = (number: number) => `model-0000${number}-of-00002.safetensors`;
const entry = (spec: ParameterSpec, change = 0) => ({
  ...spec,
  dtype: "F32" as const,
  data: () => parameters.get(spec.name)!.map((value) => value + change),
});

/** A checkpoint in two files, as transformers writes one. `extra` goes into the second, too. */
async function shardedCheckpoint(name: string, extra: ReturnType<typeof entry>[] = []): Promise<string> {
  const directory = path.join(folder, name);
  const tokenizer = byteLevelTokenizer();
  await writeCheckpoint(directory, { config, tokenizer, parameters: (parameter) => parameters.get(parameter)! });
  rmSync(path.join(directory, "model.safetensors"));
  const half = specs.length >> 1;
  const shards = [specs.slice(0, half), specs.slice(half)];
  const files = shards.map((shard, i) => [...shard.map((spec) => entry(spec)), ...(i === 1 ? extra : [])]);
  for (const [i, tensors] of files.entries()) await writeSafetensors(path.join(directory, shardName(i + 1)), tensors);
  const places = shards.flatMap((shard, i) => shard.map((spec) => [spec.name, shardName(i + 1)]));
  writeIndex(directory, { metadata: {}, weight_map: Object.fromEntries(places) });
  return directory;
}

function writeIndex(directory: string, index: object): void {
  writeFileSync(path.join(directory, "model.safetensors.index.json"), JSON.stringify(index));
}

async function checkParameters(checkpoint: Checkpoint): Promise<void> {
  for (const spec of specs) expect(await readParameter(checkpoint, spec)).toEqual(parameters.get(spec.name));
  await checkpoint.tensors.close();
}

describe("weights in several files", () => {
  test("are read by their index", async () => {
    await checkParameters(await openCheckpoint(await shardedCheckpoint("two")));
  });

  test("may hold the same tensor twice, but not two different ones", async () => {
    await checkParameters(await openCheckpoint(await shardedCheckpoint("same", [entry(specs[0])])));
    await expect(openCheckpoint(await shardedCheckpoint("other", [entry(specs[0], 1)]))).rejects.toThrow(
      `${shardName(1)} and ${shardName(2)} have different tensors ${specs[0].name}`,
    );
  });

  test("are missed by name, and an index that is wrong says where", async () => {
    const directory = await shardedCheckpoint("missing");
    const index = JSON.parse(readFileSync(path.join(directory, "model.safetensors.index.json"), "utf8"));
    const reason = (map: object) => {
      writeIndex(directory, { weight_map: map });
      return openCheckpoint(directory);
    };
    await expect(reason({ ...index.weight_map, [specs[0].name]: shardName(2) })).rejects.toThrow(
      `${specs[0].name} is not in ${shardName(2)}, which the index names for it`,
    );
    await expect(reason({ x: "../other.safetensors" })).rejects.toThrow(/names no file beside it for x/);
    writeIndex(directory, {});
    await expect(openCheckpoint(directory)).rejects.toThrow(/index\.json: it has no weight_map/);
    writeIndex(directory, index);
    rmSync(path.join(directory, shardName(2)));
    await expect(openCheckpoint(directory)).rejects.toThrow(`${shardName(2)} is missing (of 2 weight files)`);
  });
});

describe("a tokenizer with a pad token more than the model has rows", () => {
  test("runs, and refuses texts with that token alone", async () => {
    const directory = await shardedCheckpoint("pad");
    const file = path.join(directory, "tokenizer.json");
    const json = JSON.parse(readFileSync(file, "utf8"));
    json.added_tokens.push({ ...json.added_tokens[0], id: 257, content: "[PAD]" });
    writeFileSync(file, JSON.stringify(json));
    const { tokenizer, tensors } = await openCheckpoint(directory);
    await tensors.close();
    expect(tokenizer!.vocabSize).toBe(257);
    expect(tokenizer!.encode("fox")).toEqual([...Buffer.from("fox")]);
    expect(() => tokenizer!.encode("a[PAD]")).toThrow(
      `the text has the token "[PAD]", whose id 257 is beyond the model's 257 embedding rows`,
    );
    const entries = new Map(tokenizerMetadata(tokenizer!, 257));
    expect((entries.get("tokenizer.ggml.tokens")!.value as string[]).slice(256)).toEqual(["<|endoftext|>"]);
  });
});
