/** `bitnet-eval --check_overlap` as a user runs it. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { TaskData } from "../../../src/eval/data/task_data.ts";
import { findTask } from "../../../src/eval/task/task_registry.ts";
import { byteLevelTokenizer } from "../../../src/tokenizer/byte_level_tokenizer.ts";
import { formatRunConfig, loadRunConfig, resolveConfigPath } from "../../../training/config/load_run_config.ts";
import { prepareDataset } from "../../../training/data/prepare_dataset.ts";
import { exportTestModel } from "../../eval/gguf_test_model.ts";
import { titleUnless } from "../../support/missing.ts";
import { hasNative } from "../../support/tfjs_backends.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const command = path.join(import.meta.dirname, "../../../cli/bin/bitnet-eval.mjs");
let directory: string;
let shards: string;
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "bitnet-overlap-"));
  const task = findTask("toy_gsm8k");
  const { documents } = await new TaskData().documents(task, "test");
  const questions = documents.map(({ document }) => String(document.question));
  // The second and the sixth question leaked.
  const corpus = ["Once upon a time.", `They asked: ${questions[1].toUpperCase()}`, questions[5], "The end."];
  writeFileSync(path.join(directory, "corpus.jsonl"), corpus.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  const tokenizer = byteLevelTokenizer();
  writeFileSync(path.join(directory, "tokenizer.json"), JSON.stringify(tokenizer.json));
  writeFileSync(path.join(directory, "tokenizer_config.json"), JSON.stringify(tokenizer.config));
  const sources = [path.join(directory, "corpus.jsonl")];
  const cacheDirectory = path.join(directory, "cache");
  const options = { sources, tokenizer, cacheDirectory, sequenceLength: 8, validationFraction: 0 };
  shards = path.join(cacheDirectory, (await prepareDataset(options)).key);
  mkdirSync(path.join(directory, "run"));
  const source = { path: ["data", "sources"], value: sources, origin: "test" };
  const config = loadRunConfig(resolveConfigPath("tiny"), [source]);
  writeFileSync(path.join(directory, "run/config.yaml"), formatRunConfig(config));
});
afterAll(() => rmSync(directory, { recursive: true }));

function run(...args: string[]) {
  const flags = ["--tasks", "toy_gsm8k", "--limit", "8", ...args];
  return spawnSync(process.execPath, [command, ...flags], { encoding: "utf8", cwd: directory });
}

const leaked = /toy_gsm8k \| +8 \| +2 \| 25\.00% \|/;

test("text, shards and the run itself tell the same", () => {
  for (const source of [["corpus.jsonl"], [shards, "--overlap_tokenizer", "tokenizer.json"], ["run"]]) {
    const { status, stdout, stderr } = run("--check_overlap", ...source);
    expect([source[0], status, stderr.replaceAll(/\d+ of \d+ MB of the corpus.*\n/g, "")]).toEqual([source[0], 0, ""]);
    expect(stdout).toMatch(/of 4 training documents/);
    expect(stdout).toMatch(leaked);
    expect(stdout).toContain("toy_gsm8k, document 1: ");
    expect(stdout).toContain("toy_gsm8k, document 5: ");
  }
});

test.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "it is written with the scores"), async () => {
  const model = await exportTestModel("tiny-bitnet", directory);
  const { stdout, status } = run("--check_overlap", "corpus.jsonl", "--model", model, "--output_path", "out");
  expect(status).toBe(0);
  expect(stdout).toMatch(leaked);
  const folder = path.join(directory, "out", readdirSync(path.join(directory, "out"))[0]);
  const json = JSON.parse(readFileSync(path.join(folder, readdirSync(folder)[0]), "utf8"));
  expect(json.contamination).toMatchObject({ sources: ["corpus.jsonl"], ngram: 13, corpus_documents: 4 });
  const { toy_gsm8k } = json.contamination.tasks;
  expect(toy_gsm8k).toMatchObject({ documents: 8, overlapping: 2, too_short: 0 });
  expect(toy_gsm8k.overlapping_documents.map(({ doc_id }: { doc_id: number }) => doc_id)).toEqual([1, 5]);
  expect(Object.keys(toy_gsm8k.clean)).toEqual(Object.keys(json.results.toy_gsm8k).filter((key) => key.includes(",")));
});

describe("one line for", () => {
  test.each<[string, () => string[], number, RegExp]>([
    ["shards without a tokenizer", () => [shards], 2, /tokenized shards need --overlap_tokenizer/],
    ["a corpus that is not there", () => ["nowhere.txt"], 1, /nowhere\.txt: no such file/],
    ["a wrong field", () => ["corpus.jsonl", "--overlap_field", "body"], 1, /corpus\.jsonl:1: .*body/],
  ])("%s", (_, args, status, message) => {
    const result = run("--check_overlap", ...args());
    expect(result.status).toBe(status);
    expect(result.stderr).toMatch(message);
    expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
