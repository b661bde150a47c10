import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parseProbe } from "../../src/probes/registry.ts";
import { generateWorld } from "../../src/world/generator.ts";
import { loadRunConfig, resolveConfigPath } from "../../training/config/load_run_config.ts";
import { parseOverride } from "../../training/config/overrides.ts";
import type { RunConfig } from "../../training/config/run_config.ts";
import { cacheDirectory, makeTokenizer, openDataset, resolveSources, withVocabulary } from "../../training/run_data.ts";
import { recordSources } from "../../training/run_sources.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "run-data-"));
  vi.stubEnv("BITNET_CACHE", path.join(folder, "cache"));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function tiny(...sets: string[]): RunConfig {
  return loadRunConfig(resolveConfigPath("tiny.yaml"), sets.map(parseOverride));
}

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe("resolveSources", () => {
  it("writes the generated world as rows with the field that will be read", () => {
    const [file] = resolveSources(tiny("data.world_documents=5", "data.text_field=story"));
    const rows = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(rows.map((row) => JSON.parse(row).story)).toEqual([...generateWorld().trainingDocuments(5)]);
  });

  it("writes the text of a synthetic probe, one file for each difficulty", () => {
    const config = tiny(`data.sources=["probe:addition?documents=5", "probe:addition?documents=5&digits=9", world]`);
    const [file, harder, world] = resolveSources(config);
    expect(path.basename(world)).toMatch(/^world/);
    expect(harder).not.toBe(file);
    const rows = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(rows.map((row) => JSON.parse(row).text)).toEqual([...parseProbe("addition?documents=5").documents()]);
    expect(() => resolveSources(tiny("data.sources=probe:subtraction"))).toThrow(/there is no probe subtraction/);
    // A question mark is no pattern here: nothing of this machine is written down.
    expect(recordSources(config, "key", folder).sources.every((source) => source.path === null)).toBe(true);
  });

  it("keeps other sources as they are, in order", () => {
    const sources = resolveSources(tiny("data.sources=[a.txt, world, owner/name]"));
    expect(sources[0]).toBe("a.txt");
    expect(path.basename(sources[1])).toMatch(/^world-\d+-400\.jsonl$/);
    expect(sources[2]).toBe("owner/name");
  });

  it("says how to give data when there is none", () => {
    expect(() => resolveSources(tiny("data.sources=[]"))).toThrow(/no training data: give --data/);
  });
});

describe("cacheDirectory", () => {
  it("is the configuration's, else BITNET_CACHE, else in the user's cache folder", () => {
    expect(cacheDirectory(tiny("data.cache_directory=/x"))).toBe("/x");
    expect(cacheDirectory(tiny())).toBe(path.join(folder, "cache"));
    vi.stubEnv("BITNET_CACHE", undefined);
    vi.stubEnv("XDG_CACHE_HOME", "/user/cache");
    expect(cacheDirectory(tiny())).toBe("/user/cache/bitnet-lab");
    vi.stubEnv("BITNET_CACHE", path.join(folder, "cache"));
  });
});

describe("makeTokenizer", () => {
  const text = "the cat sat on the mat and the cat ran. ".repeat(20);

  it("trains a BPE vocabulary on the data, from the first characters only if told so", async () => {
    const source = write("cats.txt", text);
    const unread = write("dogs.txt", "wolf ".repeat(50));
    const config = tiny("tokenizer.type=bpe", "tokenizer.vocab_size=300", "tokenizer.max_training_characters=100");
    const tokenizer = await makeTokenizer(config, [source, unread]);
    expect(tokenizer.vocabSize).toBeLessThanOrEqual(300);
    expect(tokenizer.encode("the cat").length).toBeLessThan("the cat".length);
    expect(tokenizer.encode("wolf").length).toBe("wolf".length);
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it("reads an existing file", async () => {
    const byte = await makeTokenizer(tiny(), []);
    const file = write("tokenizer.json", JSON.stringify(byte.json));
    const config = tiny("tokenizer.type=file", `tokenizer.path=${JSON.stringify(file)}`);
    expect((await makeTokenizer(config, [])).hash).toBe(byte.hash);
  });
});

describe("withVocabulary", () => {
  it("takes the tokenizer's size, allows more rows and refuses fewer", async () => {
    const tokenizer = await makeTokenizer(tiny(), []);
    expect(withVocabulary(tiny(), tokenizer).model.vocab_size).toBe(257);
    expect(withVocabulary(tiny("model.vocab_size=320"), tokenizer).model.vocab_size).toBe(320);
    expect(() => withVocabulary(tiny("model.vocab_size=256"), tokenizer)).toThrow(/is 256, but the tokenizer has 257/);
  });
});

describe("openDataset", () => {
  it("cuts text files at the separator, and holds out the configured part", async () => {
    const source = write("stories.txt", Array.from({ length: 40 }, (_, i) => `Story ${i} ends.`).join("\n<END>\n"));
    const config = tiny('data.document_separator="\\n<END>\\n"', "data.validation_fraction=0.25");
    const dataset = await openDataset(config, [source], await makeTokenizer(config, []));
    expect(dataset.documents).toBe(40);
    expect(dataset.split).toBe("documents");
    expect(dataset.validationTokens).toBeGreaterThan(0);
    await dataset.close();
  });
});
