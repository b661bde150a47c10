/**
 * Our BPE tokenizers in stock llama.cpp, on texts of any size: a tokenizer is trained on the beginning of the texts, written
 * into a GGUF file as exports write it, and the ids of every piece of text are compared.
 *
 *     npm install --prefix /tmp/nlc --ignore-scripts node-llama-cpp
 *     npx tsx experiments/oracles/tokenizer_llama_cpp.ts /tmp/nlc/node_modules/node-llama-cpp TEXT...
 *
 * Pieces are of about 64 KB and end with a line. Exit code 1 if the ids of one differ; the first piece is shown.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { writeGguf } from "../../export/index.ts";
import { tokenizerMetadata } from "../../src/gguf/tokenizer_metadata.ts";
import { trainBpe } from "../../src/tokenizer/bpe_trainer.ts";
import { leastModel } from "../../test/gguf/vocabulary_file.ts";

const [packageFolder, ...files] = process.argv.slice(2);
if (files.length === 0) throw new Error("usage: tokenizer_llama_cpp.ts NODE_LLAMA_CPP_FOLDER TEXT...");

const vocabSize = 8192;
const trainingCharacters = 1 << 20;
const pieceLength = 1 << 16;

/** node-llama-cpp passes texts as C strings. */
const text = files
  .map((file) => readFileSync(file, "utf8"))
  .join("\n")
  .replaceAll("\0", " ");

function* pieces(): Generator<string> {
  for (let begin = 0; begin < text.length; ) {
    const lineEnd = text.indexOf("\n", begin + pieceLength);
    const end = lineEnd < 0 ? text.length : lineEnd + 1;
    yield text.slice(begin, end);
    begin = end;
  }
}

/** A sample of all files. */
function trainingTexts(): string[] {
  const all = [...pieces()];
  const each = Math.max(1, Math.floor((all.length * pieceLength) / trainingCharacters));
  return all.filter((_, i) => i % each === 0);
}

const { getLlama } = await import(pathToFileURL(path.join(packageFolder, "dist/index.js")).href);
const llama = await getLlama({ build: "never", gpu: false, logLevel: "disabled" });
const folder = mkdtempSync(path.join(tmpdir(), "tokenizer-llama-cpp-"));
let differences = 0;
for (const preTokenizer of ["llama3", "gpt2"] as const) {
  const tokenizer = await trainBpe(trainingTexts(), { vocabSize, preTokenizer });
  const file = path.join(folder, `${preTokenizer}.gguf`);
  await writeGguf(file, new Map([...leastModel, ...tokenizerMetadata(tokenizer, tokenizer.vocabSize)]), []);
  const theirs = await llama.loadModel({ modelPath: file, vocabOnly: true });
  let bytes = 0;
  let tokens = 0;
  let wrong = 0;
  for (const piece of pieces()) {
    const expected: readonly number[] = theirs.tokenize(piece, true);
    const ids = tokenizer.encode(piece, { addSpecialTokens: false });
    bytes += Buffer.byteLength(piece);
    tokens += ids.length;
    const at = ids.length === expected.length ? ids.findIndex((id, i) => id !== expected[i]) : 0;
    if (at < 0) continue;
    if (wrong++ > 0) continue;
    const first = ids.findIndex((id, i) => id !== expected[i]);
    console.log(`differs after ${JSON.stringify(tokenizer.decode(ids.slice(Math.max(0, first - 8), first)))}`);
    console.log(`  ours   ${ids.slice(first, first + 8)}\n  theirs ${Array.from(expected.slice(first, first + 8))}`);
  }
  await theirs.dispose();
  differences += wrong;
  console.log(`${preTokenizer}: ${bytes} bytes, ${tokens} tokens, ${wrong} pieces differ`);
}
rmSync(folder, { recursive: true });
process.exit(differences > 0 ? 1 : 0);
