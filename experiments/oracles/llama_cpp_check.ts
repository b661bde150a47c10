/**
 * Stock llama.cpp (node-llama-cpp's prebuilt binaries) on one of our exports, against our engine on the same file.
 *
 *     npm install --prefix /tmp/nlc --ignore-scripts node-llama-cpp
 *     npx bitnet-export runs/silu --out silu.gguf --target llama.cpp
 *     npx tsx experiments/oracles/llama_cpp_check.ts silu.gguf /tmp/nlc/node_modules/node-llama-cpp
 *
 * Prints whether both tokenize a text alike, how far their log-probabilities are apart over the whole vocabulary, and
 * how often the most likely token is the same, teacher-forced over `--positions` (2000) positions of `--text` (the
 * built-in page), in windows of the context length. llama.cpp quantizes activations per block of 256 instead of per token,
 * so a small distance is right and zero is not expected. Exit code 1 if the token ids differ, the mean distance is above
 * 0.05 nats, fewer than 98% of the most likely tokens agree, or one differs whose two best are 0.1 nats apart or more.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { sampleText } from "../../export/verify/sample_text.ts";
import { Engine } from "../../native/inference/engine.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import { LogProbDistance, ourLogProbs } from "./log_prob_distance.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { positions: { type: "string", default: "2000" }, text: { type: "string" } },
});
const [file, packageFolder] = positionals;
if (packageFolder === undefined) throw new Error("usage: llama_cpp_check.ts FILE.gguf NODE_LLAMA_CPP_FOLDER");

const engine = await Engine.load(file!);
const tokenizer = loadTokenizer(engine.tokenizerJson!);
const text = values.text === undefined ? sampleText : readFileSync(values.text, "utf8");
const ids = tokenizer.encode(text.slice(0, 100_000)).slice(0, Number(values.positions));
const windowLength = Math.min(engine.config.contextLength, 1024);
const windows = Array.from({ length: Math.ceil(ids.length / windowLength) }, (_, i) =>
  ids.slice(i * windowLength, (i + 1) * windowLength),
);

const { getLlama } = await import(pathToFileURL(path.join(packageFolder, "dist/index.js")).href);
const llama = await getLlama({ build: "never", gpu: false, logLevel: "error" });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({ contextSize: Math.max(256, windowLength) });
const sequence = context.getSequence();
const wish = { generateNext: { probabilities: true, options: { temperature: 0 } } };

const sample = tokenizer.decode(ids.slice(tokenizer.addsBos ? 1 : 0, 500));
const theirIds: number[] = Array.from(model.tokenize(sample));
const sameIds = theirIds.join() === tokenizer.encode(sample, { addSpecialTokens: false }).join();

const distance = new LogProbDistance();
for (const window of windows) {
  await sequence.clearHistory();
  const outputs: { next: { probabilities: Map<number, number> } }[] = await sequence.controlledEvaluate(
    window.map((id) => [id, wish]),
  );
  const ours = await ourLogProbs(engine, window);
  outputs.forEach(({ next }, position) => {
    distance.add(
      ours[position]!,
      Array.from(next.probabilities, ([token, probability]) => [token, Math.log(probability)] as const),
    );
  });
}

console.log(
  `${path.basename(file!)}: ${engine.config.architecture}, ${engine.config.weightType}, ${ids.length} positions`,
);
console.log(`token ids ${sameIds ? "identical" : "DIFFERENT"}`);
console.log(distance.toString());
engine.dispose();
const close = distance.mean < 0.05 && distance.agreed >= 0.98 * distance.positions && distance.widestLead < 0.1;
process.exitCode = sameIds && close ? 0 : 1;
