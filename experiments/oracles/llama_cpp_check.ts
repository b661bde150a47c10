/**
 * Stock llama.cpp (node-llama-cpp's prebuilt binaries) on one of our exports, against our engine on the same file.
 *
 *     npm install --prefix /tmp/nlc --ignore-scripts node-llama-cpp
 *     npx bitnet-export runs/silu --out silu.gguf --target llama.cpp
 *     npx tsx experiments/oracles/llama_cpp_check.ts silu.gguf /tmp/nlc/node_modules/node-llama-cpp
 *
 * Prints whether both tokenize a text alike, how far their log-probabilities are apart over the whole vocabulary, and
 * how often the most likely token is the same. llama.cpp quantizes activations per block of 256 instead of per token,
 * so a small distance is right and zero is not expected. Exit code 1 if the token ids differ, the mean distance is
 * above 0.05 nats, or fewer than 90% of the most likely tokens agree.
 */
import path from "node:path";
import { pathToFileURL } from "node:url";
import { sampleText } from "../../export/sample_text.ts";
import { Engine } from "../../native/inference/engine.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";

const [file, packageFolder] = process.argv.slice(2);
if (packageFolder === undefined) throw new Error("usage: llama_cpp_check.ts FILE.gguf NODE_LLAMA_CPP_FOLDER");

const engine = await Engine.load(file);
const tokenizer = loadTokenizer(engine.tokenizerJson!);
const ids = tokenizer.encode(sampleText).slice(0, Math.min(200, engine.config.contextLength));

/** log P(token | ids[0 .. position]) for every position and token. */
async function ourLogProbs(): Promise<Float32Array[]> {
  const session = engine.createSession({ capacity: ids.length });
  const rows: Float32Array[] = [];
  for (const id of ids) {
    const logits = await session.decode(id);
    const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const logSum = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    rows.push(logits.map((logit) => logit - logSum));
  }
  session.dispose();
  return rows;
}

const { getLlama } = await import(pathToFileURL(path.join(packageFolder, "dist/index.js")).href);
const llama = await getLlama({ build: "never", gpu: false, logLevel: "error" });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({ contextSize: Math.max(256, ids.length) });
const wish = { generateNext: { probabilities: true, options: { temperature: 0 } } };
const outputs = await context.getSequence().controlledEvaluate(ids.map((id) => [id, wish]));

const text = tokenizer.decode(ids.slice(tokenizer.addsBos ? 1 : 0));
const theirIds: number[] = Array.from(model.tokenize(text));
const sameIds = theirIds.join() === tokenizer.encode(text, { addSpecialTokens: false }).join();

const ours = await ourLogProbs();
let largest = 0;
let sum = 0;
let count = 0;
let agreed = 0;
outputs.forEach((output: { next: { probabilities: Map<number, number> } }, position: number) => {
  let best = -1;
  let bestProbability = -1;
  for (const [token, probability] of output.next.probabilities) {
    if (probability > bestProbability) [best, bestProbability] = [token, probability];
    const distance = Math.abs(Math.log(probability) - ours[position][token]);
    largest = Math.max(largest, distance);
    sum += distance;
    count++;
  }
  if (ours[position].indexOf(Math.max(...ours[position])) === best) agreed++;
});

console.log(
  `${path.basename(file)}: ${engine.config.architecture}, ${engine.config.weightType}, ${ids.length} positions`,
);
console.log(`token ids ${sameIds ? "identical" : "DIFFERENT"}`);
console.log(
  `log-probabilities: mean distance ${(sum / count).toExponential(2)}, largest ${largest.toExponential(2)} nats`,
);
console.log(`most likely token: ${agreed} of ${ids.length} the same`);
engine.dispose();
process.exitCode = sameIds && sum / count < 0.05 && agreed >= 0.9 * ids.length ? 0 : 1;
