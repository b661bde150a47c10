/**
 * Hugging Face transformers on a directory of ours, against the training forward on the checkpoint it came from.
 *
 *     python3 -m venv venv && venv/bin/pip install torch transformers accelerate
 *     npx bitnet-export runs/small --out small-hf --target transformers
 *     npx tsx experiments/oracles/transformers_check.ts runs/small small-hf venv/bin/python
 *
 * Prints whether both tokenize a text alike, how far their log-probabilities are apart over the whole vocabulary, and
 * how often the most likely token is the same. PyTorch adds in another order, and now and then that moves an int8 code
 * of an activation by one, which all later positions inherit: about 1e-5 nats in a trained model, 1e-2 in one with
 * random weights. Exit code 1 if the token ids differ, the first position is off by more than 1e-5 nats in the mean, the
 * whole by more than 0.05, or fewer than 90% of the most likely tokens agree.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { sampleText } from "../../export/verify/sample_text.ts";
import { selectBackend } from "../../native/backend/select_backend.ts";
import { loadCausalLM, openCheckpoint } from "../../src/checkpoint/checkpoint.ts";

const [source, directory, python] = process.argv.slice(2);
if (python === undefined) throw new Error("usage: transformers_check.ts CHECKPOINT DIRECTORY PYTHON");

await selectBackend();
const checkpoint = await openCheckpoint(source);
const model = await loadCausalLM(checkpoint);
const all = checkpoint.tokenizer!.encode(sampleText);
const ids = all.slice(0, Math.min(200, checkpoint.config.maxPositionEmbeddings));
const ours = tf.tidy(() => tf.logSoftmax(model.logits(tf.tensor2d([ids], [1, ids.length], "int32"))).arraySync())[0];

const script = fileURLToPath(new URL("transformers_logprobs.py", import.meta.url));
const run = spawnSync(python, [script, directory], {
  input: JSON.stringify([ids, sampleText]),
  encoding: "utf8",
  maxBuffer: 2 ** 30,
  env: { ...process.env, TORCHDYNAMO_DISABLE: "1" },
});
if (run.status !== 0) throw new Error(run.stderr);
const theirs: { tokens: number[]; logProbs: number[][]; model: string } = JSON.parse(run.stdout);

const arg = (row: readonly number[]) => row.indexOf(row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY));
let largest = 0;
let agreed = 0;
/** Mean distance over the vocabulary, by position. */
const means = ours.map((row, position) => {
  let sum = 0;
  row.forEach((value, token) => {
    const distance = Math.abs(value - theirs.logProbs[position][token]);
    largest = Math.max(largest, distance);
    sum += distance;
  });
  if (arg(row) === arg(theirs.logProbs[position])) agreed++;
  return sum / row.length;
});
const mean = means.reduce((a, b) => a + b) / means.length;
const sameIds = theirs.tokens.join() === all.join();

console.log(`${directory}: ${theirs.model}, ${ids.length} positions`);
console.log(`token ids ${sameIds ? "identical" : "DIFFERENT"}`);
console.log(
  `log-probabilities: mean distance ${mean.toExponential(2)} (first position ${means[0].toExponential(2)}), ` +
    `largest ${largest.toExponential(2)} nats`,
);
console.log(`most likely token: ${agreed} of ${ids.length} the same`);
await checkpoint.tensors.close();
process.exitCode = sameIds && means[0] < 1e-5 && mean < 0.05 && agreed >= 0.9 * ids.length ? 0 : 1;
