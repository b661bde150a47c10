/** What the cached answers of a model are filed under: its bytes, not its path. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { modelIdentity } from "../../../cli/eval/model_identity.ts";
import { fakeLanguageModel } from "../../eval/fake_language_model.ts";
import { modelDirectory } from "../../eval/golden_lm_eval.ts";

const directory = mkdtempSync(path.join(tmpdir(), "bitnet-identity-"));
afterAll(() => rmSync(directory, { recursive: true }));
const model = (info: Record<string, string>) => ({ ...fakeLanguageModel({}), info });

test("a checkpoint: its weights, configuration, tokenizer and backend; no other file, no path", async () => {
  const source = modelDirectory("tiny-llama");
  const copy = path.join(directory, "copy");
  cpSync(source, copy, { recursive: true });
  writeFileSync(path.join(copy, "README.md"), "notes");
  const native = model({ backend: "native" });
  const identity = await modelIdentity(source, native);
  expect(await modelIdentity(copy, native)).toBe(identity);
  expect(await modelIdentity(copy, model({ backend: "wasm" }))).not.toBe(identity);
  for (const name of ["model.safetensors", "config.json", "tokenizer.json"]) {
    const file = path.join(copy, name);
    const before = readFileSync(file);
    // Still valid: a space more in the JSON, another last bit in the weights.
    const after = name.endsWith(".json") ? Buffer.concat([before, Buffer.from(" ")]) : Buffer.from(before);
    if (!name.endsWith(".json")) after[after.length - 1] ^= 1;
    writeFileSync(file, after);
    expect(await modelIdentity(copy, native), name).not.toBe(identity);
    writeFileSync(file, before);
  }
});

test("a file: its bytes; a server: its address, model, tokenizer and way of scoring", async () => {
  const [a, b, c] = ["a.gguf", "b.gguf", "c.gguf"].map((name) => path.join(directory, name));
  writeFileSync(a, "model");
  writeFileSync(b, "model");
  writeFileSync(c, "other");
  const native = model({});
  expect(await modelIdentity(a, native)).toMatch(/^bitnet-lab [\d.]+ engine [0-9a-f]{64}$/);
  const [left, right, other] = await Promise.all([a, b, c].map((file) => modelIdentity(file, native)));
  // Names of files do not count.
  expect(right).toBe(left);
  expect(other).not.toBe(left);
  const server = await modelIdentity("http://host/v1", model({ scoring: "echo" }));
  expect(server).toBe(`server fake echo ${native.tokenizer.hash}`);
  expect(await modelIdentity("http://host/v1", model({ scoring: "forced" }))).not.toBe(server);
});
