import { appendFileSync, existsSync, mkdirSync, readdirSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { byteLevelTokenizer } from "../../../src/tokenizer/byte_level_tokenizer.ts";
import { loadTokenizer } from "../../../src/tokenizer/load_tokenizer.ts";
import type { Batch } from "../../../training/data/batch.ts";
import type { BatchIterator } from "../../../training/data/batch_iterator.ts";
import { type PrepareOptions, prepareDataset } from "../../../training/data/prepare_dataset.ts";
import type { PreparedDataset } from "../../../training/data/prepared_dataset.ts";
import { generatedText } from "../../golden/tokenizer/generated_text.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const bytes = byteLevelTokenizer();
const endOfText = bytes.eosTokenId!;

/** Documents "doc 0 ...", "doc 1 ..." as JSON lines. */
function writeDocuments(folder: string, count: number): { file: string; documents: string[] } {
  const documents = Array.from({ length: count }, (_, i) => `doc ${i} ${generatedText(5 + (i % 7), i + 1)}`);
  const file = path.join(folder, "corpus.jsonl");
  writeFileSync(file, documents.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  return { file, documents };
}

function prepare(
  folder: string,
  options: Partial<PrepareOptions> & Pick<PrepareOptions, "sources">,
): Promise<PreparedDataset> {
  const cacheDirectory = path.join(folder, "cache");
  return prepareDataset({ tokenizer: bytes, cacheDirectory, sequenceLength: 32, workers: 0, ...options });
}

async function collect(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

async function take(iterator: BatchIterator, count: number): Promise<number[][]> {
  const batches: number[][] = [];
  for (let i = 0; i < count; i++) batches.push([...(await iterator.next()).ids]);
  return batches;
}

/** Every sequence of an epoch, by its place in the stream: sequences are recognized by their content. */
async function epochText(dataset: PreparedDataset): Promise<Set<string>> {
  const iterator = dataset.trainBatches({ batchSize: 1, seed: 3 });
  const rows = new Set<string>();
  for (let i = 0; i < dataset.sequences; i++) rows.add((await iterator.next()).ids.join(" "));
  return rows;
}

describe("prepareDataset", () => {
  it("packs documents with end-of-text between them, and splits by document", async () => {
    const folder = temporaryFolder();
    const { file, documents } = writeDocuments(folder, 300);
    const dataset = await prepare(folder, { sources: [file], validationFraction: 0.1, seed: 5 });
    expect(dataset).toMatchObject({ documents: 300, split: "documents" });
    expect(dataset.bytes).toBe(documents.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
    expect(dataset.trainTokens + dataset.validationTokens).toBe(dataset.bytes + 300);

    const validation = await collect(dataset.validationBatches({ batchSize: 4 }));
    const ids = validation.flatMap((batch) => [...batch.ids]);
    const heldOut = ids.join(",").split(`,${endOfText},`).slice(0, -1);
    const known = new Set(documents.map((text) => bytes.encode(text).join(",")));
    expect(heldOut.length).toBeGreaterThan(15);
    for (const document of heldOut) expect(known.has(document)).toBe(true);
    expect(Math.abs(dataset.validationTokens / (dataset.bytes + 300) - 0.1)).toBeLessThan(0.05);

    const trained = [...(await epochText(dataset))].join(" ").replaceAll(" ", ",");
    for (const document of heldOut) expect(trained).not.toContain(`,${document.split(",").slice(0, 10).join(",")},`);
    await dataset.close();
  });

  it("counts the bytes behind the targets, so that bits per byte can be computed", async () => {
    const folder = temporaryFolder();
    const { file } = writeDocuments(folder, 40);
    const tokenizer = loadTokenizer("test/golden/tokenizer/tokenizers/gpt2.json");
    const dataset = await prepare(folder, { sources: [file], tokenizer, validationFraction: 0.25 });
    for (const batch of await collect(dataset.validationBatches({ batchSize: 3 }))) {
      const targets = [...batch.targets].filter((id) => id >= 0);
      expect(batch.tokens).toBe(targets.length);
      expect(batch.bytes).toBe(Buffer.byteLength(Buffer.from(targets.flatMap((id) => [...tokenizer.tokenBytes(id)]))));
      for (let row = 0; row < batch.batchSize; row++) {
        const start = row * batch.sequenceLength;
        expect([...batch.targets.subarray(start, start + 31)]).toEqual([...batch.ids.subarray(start + 1, start + 32)]);
      }
    }
    await dataset.close();
  });

  it("visits every sequence once in an epoch, in another order in the next", async () => {
    const folder = temporaryFolder();
    const { file } = writeDocuments(folder, 60);
    const dataset = await prepare(folder, { sources: [file], validationFraction: 0 });
    expect(dataset).toMatchObject({ split: "none", validationTokens: 0 });
    expect(await collect(dataset.validationBatches({ batchSize: 2 }))).toEqual([]);
    const n = dataset.sequences;
    const iterator = dataset.trainBatches({ batchSize: 1, seed: 9 });
    const first = (await take(iterator, n)).map(String);
    const second = (await take(iterator, n)).map(String);
    expect(iterator.epoch).toBe(2);
    expect(new Set(first).size).toBe(n);
    expect([...second].sort()).toEqual([...first].sort());
    expect(second).not.toEqual(first);
    await dataset.close();
  });

  it("resumes at the cursor", async () => {
    const folder = temporaryFolder();
    const { file } = writeDocuments(folder, 50);
    const dataset = await prepare(folder, { sources: [file], sequenceLength: 16 });
    const options = { batchSize: 7, seed: 11 };
    const whole = dataset.trainBatches(options);
    await take(whole, 5);
    const cursor = JSON.parse(JSON.stringify(whole.state()));
    const rest = await take(whole, 2 * Math.ceil(dataset.sequences / 7));
    const again = await prepare(folder, { sources: [file], sequenceLength: 16 });
    const resumed = again.trainBatches(options);
    resumed.restore(cursor);
    expect(await take(resumed, rest.length)).toEqual(rest);
    expect(resumed.state()).toEqual(whole.state());

    const other = dataset.trainBatches({ batchSize: 7, seed: 12 });
    expect(() => other.restore(cursor)).toThrow("the data cursor has seed 11, but this run has 12");
    await dataset.close();
    await again.close();
  });

  it("splits a single document by position", async () => {
    const folder = temporaryFolder();
    const text = generatedText(2000);
    writeFileSync(path.join(folder, "one.txt"), text);
    const dataset = await prepare(folder, { sources: [path.join(folder, "one.txt")], validationFraction: 0.1 });
    const tokens = [...bytes.encode(text), endOfText];
    expect(dataset).toMatchObject({ documents: 1, split: "position", validationTokens: Math.ceil(tokens.length / 10) });
    const [batch] = await collect(dataset.validationBatches({ batchSize: 2, limit: 1 }));
    const start = dataset.trainTokens;
    expect([...batch.ids.subarray(0, 32)]).toEqual(tokens.slice(start, start + 32));
    expect([...batch.targets.subarray(0, 32)]).toEqual(tokens.slice(start + 1, start + 33));
    await dataset.close();
  });

  it("spreads limited validation over the whole part, and pads a part shorter than a sequence", async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, "one.txt"), generatedText(2000));
    const sources = [path.join(folder, "one.txt")];
    const dataset = await prepare(folder, { sources, validationFraction: 0.2 });
    const all = (await collect(dataset.validationBatches({ batchSize: 1 }))).map((batch) => String(batch.ids));
    const some = (await collect(dataset.validationBatches({ batchSize: 1, limit: 4 }))).map((batch) =>
      String(batch.ids),
    );
    expect(some).toEqual([0, 1, 2, 3].map((i) => all[Math.floor((i * all.length) / 4)]));
    await dataset.close();

    const long = await prepare(folder, { sources, validationFraction: 0.001, sequenceLength: 64 });
    const [padded, ...none] = await collect(long.validationBatches({ batchSize: 4 }));
    expect(none).toEqual([]);
    expect(padded).toMatchObject({ batchSize: 1, tokens: long.validationTokens - 1 });
    expect([...padded.targets].filter((id) => id >= 0)).toHaveLength(padded.tokens);
    await long.close();
  });

  it("gives the same files for any number of workers", async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, "text.txt");
    for (let i = 0; i < 40; i++) appendFileSync(file, `${generatedText(6000, i + 1)}<|doc|>`);
    const tokenizer = loadTokenizer("test/golden/tokenizer/tokenizers/llama3.json");
    const run = (workers: number) => {
      const cacheDirectory = path.join(folder, `cache${workers}`);
      return prepare(folder, { sources: [file], tokenizer, workers, documentSeparator: "<|doc|>", cacheDirectory });
    };
    const inline = await run(0);
    const threaded = await run(2);
    expect(threaded.key).toBe(inline.key);
    const options = { batchSize: 16, seed: 1 };
    const count = Math.ceil(inline.sequences / 16);
    expect(count).toBeGreaterThan(100);
    const rows = await take(threaded.trainBatches(options), count);
    expect(rows).toEqual(await take(inline.trainBatches(options), count));
    // BOS opens every document, end-of-text closes it.
    const validation = await collect(inline.validationBatches({ batchSize: 8 }));
    const ids = [...rows.flat(), ...validation.flatMap((batch) => [...batch.ids])];
    expect(ids.filter((id) => id === tokenizer.bosTokenId).length).toBeGreaterThanOrEqual(38);
    await inline.close();
    await threaded.close();
  });

  it("caches by content, tokenizer and settings, not by name or date", async () => {
    const folder = temporaryFolder();
    const { file } = writeDocuments(folder, 30);
    const phases: string[] = [];
    const run = async (options: Partial<PrepareOptions> = {}): Promise<boolean> => {
      phases.length = 0;
      const onProgress = (phase: string): void => void phases.push(phase);
      await (await prepare(folder, { sources: [file], onProgress, ...options })).close();
      return phases.includes("tokenizing");
    };
    expect(await run()).toBe(true);
    expect(await run()).toBe(false);
    utimesSync(file, 1, 1);
    expect(await run({ sequenceLength: 8 })).toBe(false);
    expect(await run({ seed: 1 })).toBe(true);
    expect(await run({ tokenizer: byteLevelTokenizer({ specialTokens: ["<|eot_id|>"] }) })).toBe(true);
    appendFileSync(file, '{"text":"more"}\n');
    expect(await run()).toBe(true);
  });

  it("makes a damaged or abandoned cache anew", async () => {
    const folder = temporaryFolder();
    const { file } = writeDocuments(folder, 30);
    const dataset = await prepare(folder, { sources: [file] });
    const before = await take(dataset.trainBatches({ batchSize: 2, seed: 0 }), 3);
    await dataset.close();
    truncateSync(path.join(folder, "cache", dataset.key, "train-00000.arrow"), 100);
    const again = await prepare(folder, { sources: [file] });
    expect(await take(again.trainBatches({ batchSize: 2, seed: 0 }), 3)).toEqual(before);
    await again.close();
  });

  it("leaves nothing behind when it fails", async () => {
    const folder = temporaryFolder();
    const { file } = writeDocuments(folder, 30);
    appendFileSync(file, "{broken\n");
    await expect(prepare(folder, { sources: [file] })).rejects.toThrow(/corpus\.jsonl:31: not valid JSON/);
    expect(readdirSync(path.join(folder, "cache"))).toEqual([]);
    const controller = new AbortController();
    controller.abort();
    writeDocuments(folder, 30);
    await expect(prepare(folder, { sources: [file], signal: controller.signal })).rejects.toThrow(/abort/);
    expect(readdirSync(path.join(folder, "cache"))).toEqual([]);
  });

  it("answers bad input with one line", async () => {
    const folder = temporaryFolder();
    const empty = path.join(folder, "empty.txt");
    writeFileSync(empty, " \n\n");
    const short = path.join(folder, "short.txt");
    writeFileSync(short, "only this");
    const fails = (options: Partial<PrepareOptions> & Pick<PrepareOptions, "sources">, message: string | RegExp) =>
      expect(prepare(folder, options)).rejects.toThrow(message);
    await fails({ sources: [empty] }, `the corpus is empty: no text in ${empty}`);
    await fails({ sources: [short] }, "the corpus is too short: 9 training tokens, and one sequence needs 33");
    await fails({ sources: [short], validationFraction: 2 }, "validation_fraction 2 is not between 0 and 0.5");
    const json = structuredClone(bytes.json) as { added_tokens: unknown[] };
    json.added_tokens = [];
    const noEnd = loadTokenizer(json);
    await fails(
      { sources: [short], tokenizer: noEnd },
      "the tokenizer has no end-of-text token: name one as eos_token",
    );
    const blocked = path.join(folder, "blocked");
    writeFileSync(blocked, "a file where the cache should be");
    await fails({ sources: [short], cacheDirectory: blocked }, /cannot write .*blocked/);
  });

  it("reads the real corpora", async (context) => {
    const source = "../shared/data/tinyshakespeare/input.txt";
    if (!existsSync(source)) context.skip("needs ../shared/data");
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, "cache"), { recursive: true });
    const dataset = await prepare(folder, { sources: [source], validationFraction: 0.1 });
    expect(dataset).toMatchObject({ documents: 1, bytes: 1115394, split: "position" });
    await dataset.close();
  });
});
