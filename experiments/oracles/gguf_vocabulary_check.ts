/**
 * Tokenizers that we make of the vocabularies of GGUF files, against llama.cpp on the same files (node-llama-cpp's
 * prebuilt binaries): each name of a pre-tokenizer, SentencePiece and WordPiece.
 *
 *     npm install --prefix /tmp/nlc --ignore-scripts node-llama-cpp
 *     npx tsx experiments/oracles/gguf_vocabulary_check.ts /tmp/nlc/node_modules/node-llama-cpp [KEEP]
 *
 * Prints the texts whose ids differ and exits with 1 if there are any. KEEP: file for ids of some of the texts
 * (test/golden/tokenizer/llama_cpp.json). Names that this build of llama.cpp does not know are listed.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { readGgufTokenizer } from "../../src/gguf/file_tokenizer.ts";
import { writeGguf } from "../../src/gguf/gguf_writer.ts";
import { namedPreTokenizers } from "../../src/gguf/pre_tokenizers.ts";
import { spmMetadata, vocabularyMetadata, wordPieceMetadata } from "../../test/gguf/vocabulary_file.ts";

const [packageFolder, keep] = process.argv.slice(2);
if (packageFolder === undefined) throw new Error("usage: gguf_vocabulary_check.ts NODE_LLAMA_CPP_FOLDER [KEEP]");
const golden = path.join(import.meta.dirname, "../../test/golden/tokenizer");
const families = JSON.parse(gunzipSync(readFileSync(path.join(golden, "families.json.gz"))).toString());
const { texts: awkward } = JSON.parse(readFileSync(path.join(golden, "vectors.json"), "utf8"));
// node-llama-cpp passes texts as C strings.
const texts = [...awkward, ...families.texts].filter((text: string) => text !== "" && !text.includes("\0"));

const { getLlama } = await import(pathToFileURL(path.join(packageFolder, "dist/index.js")).href);
const llama = await getLlama({ build: "never", gpu: false, logLevel: "disabled" });
const folder = mkdtempSync(path.join(tmpdir(), "gguf-vocabulary-"));
const kept: Record<string, number[][]> = {};
let differences = 0;
/** One name of each kind, and some texts, are enough for a test. */
const kinds =
  `default llama-bpe dbrx gpt-2 qwen2 qwen35 smollm falcon falcon3 deepseek-v3 deepseek-coder tekken gpt-4o superbpe
  bailingmoe seed-coder bloom viking none spm spm_unprefixed bert`.split(/\s+/);
const isKept = (text: number): boolean => text % 4 === 0;

async function compare(name: string, metadata: Parameters<typeof writeGguf>[1]): Promise<void> {
  const file = path.join(folder, "vocabulary.gguf");
  await writeGguf(file, metadata, []);
  let model: { tokenize(text: string, special: boolean): readonly number[]; dispose(): Promise<void> };
  try {
    model = await llama.loadModel({ modelPath: file, vocabOnly: true });
  } catch (error) {
    console.log(`${name}: llama.cpp cannot load it (${(error as Error).message.split("\n")[0]})`);
    return;
  }
  const ours = await readGgufTokenizer(file);
  const wrong: string[] = [];
  const ids = texts.map((text: string) => {
    const theirs = Array.from(model.tokenize(text, true));
    const got = ours.encode(text, { addSpecialTokens: false });
    if (theirs.join() !== got.join()) wrong.push(`  ${JSON.stringify(text)}\n    ours   ${got}\n    theirs ${theirs}`);
    return theirs;
  });
  await model.dispose();
  differences += wrong.length;
  console.log(`${name}: ${wrong.length} of ${texts.length} differ`);
  for (const line of wrong.slice(0, 4)) console.log(line.slice(0, 600));
  if (kinds.includes(name)) kept[name] = ids.filter((_, i) => isKept(i));
}

for (const name of namedPreTokenizers.keys()) await compare(name, vocabularyMetadata(name));
await compare("none", vocabularyMetadata(null));
await compare("spm", spmMetadata(true));
await compare("spm_unprefixed", spmMetadata(false));
await compare("bert", wordPieceMetadata());
rmSync(folder, { recursive: true });
if (keep !== undefined)
  writeFileSync(keep, `${JSON.stringify({ texts: texts.filter((_, i) => isKept(i)), ids: kept })}\n`);
process.exit(differences > 0 ? 1 : 0);
