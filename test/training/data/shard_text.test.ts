/** Text read back from tokenized shards. */

import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { trainBpe } from "../../../src/tokenizer/bpe_trainer.ts";
import { byteLevelTokenizer } from "../../../src/tokenizer/byte_level_tokenizer.ts";
import type { Tokenizer } from "../../../src/tokenizer/tokenizer.ts";
import { prepareDataset } from "../../../training/data/prepare_dataset.ts";
import { isShardFolder, readShardText } from "../../../training/data/shard_text.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const documents = Array.from(
  { length: 40 },
  (_, i) => `Document ${i}: naïve café — 東京 ${"and more ".repeat(i * i)}😀`,
);

async function shards(tokenizer: Tokenizer): Promise<string> {
  const folder = temporaryFolder();
  const file = path.join(folder, "corpus.jsonl");
  writeFileSync(file, documents.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  const cacheDirectory = path.join(folder, "cache");
  const dataset = await prepareDataset({
    sources: [file],
    tokenizer,
    cacheDirectory,
    sequenceLength: 8,
    validationFraction: 0,
  });
  return path.join(cacheDirectory, dataset.key);
}

async function read(folderPath: string, tokenizer: Tokenizer): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text, first } of readShardText(folderPath, tokenizer)) {
    if (first) texts.push(text);
    else texts[texts.length - 1] += text;
  }
  return texts;
}

test("the documents are those that were tokenized, also beyond one read", async () => {
  const bytes = byteLevelTokenizer();
  const folderPath = await shards(bytes);
  expect(isShardFolder(folderPath)).toBe(true);
  expect(await read(folderPath, bytes)).toEqual(documents);
  const bpe = await trainBpe(documents, { vocabSize: 320, preTokenizer: "gpt2" });
  expect(await read(await shards(bpe), bpe)).toEqual(documents);
});

test("another tokenizer, or a folder that is not whole, is said", async () => {
  const bytes = byteLevelTokenizer();
  const bpe = await trainBpe(documents, { vocabSize: 320, preTokenizer: "gpt2" });
  await expect(read(await shards(bpe), bytes)).rejects.toThrow("these shards were not made with this tokenizer");
  const folderPath = await shards(bytes);
  writeFileSync(path.join(folderPath, "manifest.json"), "{}");
  await expect(read(folderPath, bytes)).rejects.toThrow("the shards are incomplete or of another version");
  expect(isShardFolder(path.dirname(folderPath))).toBe(false);
});
