/**
 * A checkpoint of ours after transformers has saved it again, as any fine-tuning ends: exported here, its log-likelihoods
 * against those of transformers on the same directory.
 *
 *     python3 -m venv venv && venv/bin/pip install torch transformers accelerate
 *     npx tsx experiments/oracles/resaved_check.ts runs/small venv/bin/python
 *
 * Exit code 1 if a sentence is off by more than 0.01 nats per token: transformers computes weight scales in float32 and
 * leaves the embedding as it is, ours round both to float16, and PyTorch adds in another order, which now and then moves
 * an int8 code of an activation by one. Another base of the rotary embedding is off by 0.02 and more.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { exportModel, planExport, sampleText, verifyExport, verifyMeaning } from "../../export/index.ts";
import { Engine } from "../../native/inference/engine.ts";
import { openCheckpoint, parameterReader } from "../../src/checkpoint/checkpoint.ts";

const budget = 0.01;

const [source, python] = process.argv.slice(2);
if (python === undefined) throw new Error("usage: resaved_check.ts CHECKPOINT PYTHON");

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-resaved-"));
const resaved = path.join(folder, "resaved");
const original = await openCheckpoint(source);
await original.tensors.close();
const { tokenizer, config } = original;
const sentences = sampleText
  .split("\n\n")
  .map((text) => tokenizer!.encode(text).slice(0, config.maxPositionEmbeddings));

const run = spawnSync(python, [fileURLToPath(new URL("resave.py", import.meta.url)), original.directory, resaved], {
  input: JSON.stringify(sentences),
  encoding: "utf8",
  env: { ...process.env, TORCHDYNAMO_DISABLE: "1" },
});
if (run.status !== 0) throw new Error(run.stderr);
const theirs: number[] = JSON.parse(run.stdout);
copyFileSync(path.join(original.directory, "tokenizer.json"), path.join(resaved, "tokenizer.json"));

const checkpoint = await openCheckpoint(resaved);
const plan = planExport(checkpoint.config, checkpoint.tokenizer, { target: "bitnet-lab" });
const file = path.join(folder, "resaved.gguf");
const read = parameterReader(checkpoint);
await exportModel(plan, file, read);
await verifyExport(plan, file, read);
await verifyMeaning(plan, file, checkpoint);
await checkpoint.tensors.close();

const engine = await Engine.load(file);
const scores = await engine.score(sentences.map((ids) => Int32Array.from(ids)));
engine.dispose();
let worst = 0;
scores.forEach(({ logprobs }, i) => {
  const ours = logprobs.reduce((sum, value) => sum + value, 0);
  const distance = Math.abs(ours - theirs[i]) / logprobs.length;
  worst = Math.max(worst, distance);
  console.log(`${logprobs.length} tokens: ${ours.toFixed(3)} here, ${theirs[i].toFixed(3)} by transformers`);
});
console.log(`at most ${worst.toExponential(2)} nats per token apart, of ${budget} allowed`);
rmSync(folder, { recursive: true });
process.exitCode = worst <= budget ? 0 : 1;
