/**
 * bitnet.cpp on one of our exports, against our engine on the same file.
 *
 *     npx bitnet-export runs/silu --out silu.gguf --target bitnet.cpp
 *     npx tsx experiments/oracles/bitnet_cpp_check.ts silu.gguf BitNet/build
 *
 * The second argument is the folder that bitnet.cpp was built in; its llama-perplexity writes the log-probabilities over
 * the second half of `--windows` (4) windows of 512 tokens (or the context length) of `--text` (the built-in page,
 * repeated; it takes names of special tokens for plain text), run in batches of `--batch` (512) tokens; 1 is decoding. It
 * stores them in steps of 16 / 65535 nats, and those more than 16 nats below the most likely token not at all.
 *
 * Prints whether both tokenize the text alike, how far their log-probabilities are apart, and how often the most likely
 * token is the same. Both quantize activations per token; bitnet.cpp's float16 attention and head differ, and a value that
 * this moves over a rounding border changes by one step of int8. Exit code 1 if the token ids differ, the mean distance is
 * above 0.05 nats, fewer than 98% of the most likely tokens agree (random weights have more ties), or one differs whose
 * two best are 0.1 nats apart or more.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { sampleText } from "../../export/verify/sample_text.ts";
import { Engine } from "../../native/inference/engine.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import { LogProbDistance, ourLogProbs } from "./log_prob_distance.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    windows: { type: "string", default: "4" },
    text: { type: "string" },
    batch: { type: "string", default: "512" },
  },
});
const [file, buildFolder] = positionals;
if (buildFolder === undefined) throw new Error("usage: bitnet_cpp_check.ts FILE.gguf BITNET_BUILD_FOLDER");

/** What llama-perplexity --save-all-logits wrote. */
interface SavedLogProbs {
  windows: number[][];
  /** Index in a window of the first position with log-probabilities; the last position has none. */
  first: number;
  /** Token and log-probability at a position of a window, without the tokens that were clipped. */
  row(window: number, position: number): Iterable<readonly [number, number]>;
}

function readSavedLogProbs(data: Buffer): SavedLogProbs {
  if (data.toString("latin1", 0, 8) !== "_logits_") throw new Error("not a file of llama-perplexity");
  const [windowLength, vocabSize, count] = [8, 12, 16].map((at) => data.readInt32LE(at)) as [number, number, number];
  const tokensEnd = 20 + 4 * windowLength * count;
  const ids = Array.from({ length: windowLength * count }, (_, i) => data.readInt32LE(20 + 4 * i));
  const first = windowLength >> 1;
  // Step and least value as float32, and a uint16 a token, padded to an even number.
  const rowBytes = 8 + 4 * Math.ceil(vocabSize / 2);
  return {
    windows: Array.from({ length: count }, (_, i) => ids.slice(i * windowLength, (i + 1) * windowLength)),
    first,
    *row(window, position) {
      const at = tokensEnd + (window * (windowLength - 1 - first) + position - first) * rowBytes;
      const step = data.readFloatLE(at);
      const least = data.readFloatLE(at + 4);
      for (let token = 0; token < vocabSize; token++) {
        const steps = data.readUInt16LE(at + 8 + 2 * token);
        if (steps > 0) yield [token, least + steps * step];
      }
    },
  };
}

function theirLogProbs(text: string, windowLength: number): SavedLogProbs {
  const folder = mkdtempSync(path.join(tmpdir(), "bitnet-cpp-"));
  try {
    const [textFile, output] = ["text.txt", "log_probs"].map((name) => path.join(folder, name)) as [string, string];
    writeFileSync(textFile, text);
    const window = ["-c", windowLength, "-b", values.batch, "--chunks", values.windows].map(String);
    const program = path.join(buildFolder!, "bin/llama-perplexity");
    execFileSync(program, ["-m", file!, "-f", textFile, ...window, "--save-all-logits", output], { stdio: "pipe" });
    return readSavedLogProbs(readFileSync(output));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const engine = await Engine.load(file!);
const tokenizer = loadTokenizer(engine.tokenizerJson!);
const windowLength = Math.min(512, engine.config.contextLength);
const wanted = windowLength * Math.max(2, Number(values.windows));
let text = values.text === undefined ? sampleText : readFileSync(values.text, "utf8").slice(0, 200_000);
while (tokenizer.encode(text).length < wanted) text += text;

const theirs = theirLogProbs(text, windowLength);
const theirIds = theirs.windows.flat();
const sameIds = theirIds.join() === tokenizer.encode(text).slice(0, theirIds.length).join();
const distance = new LogProbDistance();
for (const [index, ids] of theirs.windows.entries()) {
  // llama-perplexity begins every window with BOS, in the place of its first token.
  const window = tokenizer.addsBos ? [...tokenizer.encode(""), ...ids.slice(1)] : ids;
  const ours = await ourLogProbs(engine, window);
  for (let position = theirs.first; position < windowLength - 1; position++) {
    distance.add(ours[position]!, theirs.row(index, position));
  }
}
console.log(`${path.basename(file!)}: ${engine.config.architecture}, ${engine.config.weightType}`);
console.log(`token ids ${sameIds ? "identical" : "DIFFERENT"} (${theirIds.length})`);
console.log(distance.toString());
engine.dispose();
const close = distance.mean < 0.05 && distance.agreed >= 0.98 * distance.positions && distance.widestLead < 0.1;
process.exitCode = sameIds && close ? 0 : 1;
