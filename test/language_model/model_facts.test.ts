/** What is reported of a model, and what its cached answers are filed under: its bytes, not its path. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { type CheckpointFacts, describeModel, filesIdentity } from "../../src/language_model/model_facts.ts";
import { CompletionsClient } from "../../src/language_model/server/completions_client.ts";
import { CompletionsLanguageModel, type Scoring } from "../../src/language_model/server/completions_language_model.ts";
import { TfjsLanguageModel } from "../../src/language_model/tfjs_language_model.ts";
import { tinyTokenizer } from "../eval/fake_language_model.ts";
import { modelDirectory } from "../eval/golden_lm_eval.ts";
import { useBackend } from "../support/tfjs_backends.ts";

const directory = mkdtempSync(path.join(tmpdir(), "bitnet-facts-"));
afterAll(() => rmSync(directory, { recursive: true }));

const native = { backend: "native", variant: "avx2", threads: 2 };

async function facts(source: string, compute: CheckpointFacts["compute"]): Promise<CheckpointFacts> {
  await useBackend("cpu");
  const model = await TfjsLanguageModel.open(source, compute);
  model.dispose();
  return model.facts;
}

test("a checkpoint: its weights, configuration, tokenizer and backend; no other file, no path", async () => {
  const source = modelDirectory("tiny-llama");
  const copy = path.join(directory, "copy");
  cpSync(source, copy, { recursive: true });
  writeFileSync(path.join(copy, "README.md"), "notes");
  const identity = await (await facts(source, native)).identity();
  expect(identity).toMatch(/^bitnet-lab [\d.]+ tfjs native [0-9a-f]{64}$/);
  expect(await (await facts(copy, { ...native, threads: 3 })).identity()).toBe(identity);
  const other = await facts(copy, { ...native, backend: "wasm" });
  expect(await other.identity()).not.toBe(identity);
  const names = ["model.safetensors", "config.json", "tokenizer.json"];
  expect(readdirSync(copy)).toEqual(expect.arrayContaining(names));
  for (const name of names) {
    const file = path.join(copy, name);
    const before = readFileSync(file);
    // Still valid: a space more in the JSON, another last bit in the weights.
    const after = name.endsWith(".json") ? Buffer.concat([before, Buffer.from(" ")]) : Buffer.from(before);
    if (!name.endsWith(".json")) after[after.length - 1] ^= 1;
    writeFileSync(file, after);
    expect(await (await facts(copy, native)).identity(), name).not.toBe(identity);
    writeFileSync(file, before);
  }
});

test("what the user says of the linear layers is part of what a checkpoint is", async () => {
  const copy = path.join(directory, "silent");
  cpSync(modelDirectory("tiny-bitnet"), copy, { recursive: true });
  const file = path.join(copy, "config.json");
  const { quantization_config: _, ...silent } = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify(silent));
  await useBackend("cpu");
  await expect(TfjsLanguageModel.open(copy, native)).rejects.toThrow("without quantization_config is a float model");
  const models = await Promise.all(
    (["online", "none"] as const).map((quantization) => TfjsLanguageModel.open(copy, native, { quantization })),
  );
  expect(models.map(({ facts: { shape } }) => shape?.ternary)).toEqual([true, false]);
  const [online, none] = await Promise.all(models.map(({ facts: { identity } }) => identity()));
  expect(online).not.toBe(none);
  for (const model of models) model.dispose();
});

test("a checkpoint is described by its size and what computes", async () => {
  const known = await facts(modelDirectory("tiny-bitnet"), native);
  expect(known.shape).toMatchObject({ ternary: true });
  expect(known.linearBytes).toBe(4 * known.shape!.linearWeights);
  expect(describeModel({ name: "m", facts: known })).toBe(
    `m: parameters ${known.parameters}, backend native, isa avx2, threads 2`,
  );
});

test("a file is its bytes: names do not count, unless they say what is what", async () => {
  const files = ["a.gguf", "b.gguf", "c.gguf"].map((name) => path.join(directory, name));
  for (const [i, content] of ["model", "model", "other"].entries()) writeFileSync(files[i], content);
  const [a, b, c] = await Promise.all(files.map((file) => filesIdentity("engine", [file], false)));
  expect(a).toMatch(/^bitnet-lab [\d.]+ engine [0-9a-f]{64}$/);
  expect(b).toBe(a);
  expect(c).not.toBe(a);
  const named = await Promise.all(files.map((file) => filesIdentity("engine", [file], true)));
  expect(new Set(named).size).toBe(3);
});

test("a server is its address, model, tokenizer and way of scoring", async () => {
  const tokenizer = tinyTokenizer();
  const client = new CompletionsClient({ url: "http://host/v1" });
  const open = (scoring: Scoring) =>
    new CompletionsLanguageModel({ client, model: "m", tokenizer, maxLength: 9, scoring, parameters: 12 });
  const model = open("echo");
  expect(await model.facts.identity()).toBe(`server http://host/v1 m echo ${tokenizer.hash}`);
  expect(await open("forced").facts.identity()).not.toBe(await model.facts.identity());
  expect(describeModel(model)).toBe(
    `http://host/v1 m: backend completions server, model m, scoring echo, prompts ids, ` +
      `tokenizer ${tokenizer.hash.slice(0, 12)}, parameters 12`,
  );
});
