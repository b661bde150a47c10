/**
 * Our ids and texts against Hugging Face `tokenizers`, on small tokenizers of every family and made-up texts.
 *
 *     python3 -m venv venv && venv/bin/pip install tokenizers==0.23.3
 *     npx tsx experiments/oracles/tokenizer_fuzz.ts venv/bin/python [SEED] [TEXTS] [KEEP]
 *
 * Prints what differs, and exits with 1 if anything does; where one side refuses a text, so must the other. With KEEP
 * (test/golden/tokenizer/families.json.gz, seed 5, 60 texts) it writes those that a test looks at.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";

type Row = [ids: number[], plain: number[], text: string, withSpecial: string] | null;
interface Vectors {
  texts: string[];
  tokenizers: Record<string, { json: object; vocab_size: number; rows: Row[] }>;
}

const kinds =
  `added_flags added_wrong_ids vocab_with_holes lowercase_added qwen2_nfc roberta cl100k_possessive digits_right
  split_merged_with_previous split_merged_with_next llama2_bytes_missing llama2_unfused llama2_no_unk metaspace_first
  gemma gpt1 bpe_prefix bert_accents wordpiece_no_unk wordlevel_no_unk wordlevel_punctuation unigram_bytes unigram_ties
  unigram_precompiled unigram_no_unk unigram_nmt unigram_unsplit byte_normalizer`.split(/\s+/);

const [python, seed = "1", count = "300", keep] = process.argv.slice(2);
if (python === undefined) throw new Error("usage: tokenizer_fuzz.ts PYTHON [SEED] [TEXTS] [KEEP]");
const folder = mkdtempSync(path.join(tmpdir(), "tokenizer-fuzz-"));
const file = path.join(folder, "vectors.json");
const script = fileURLToPath(new URL("tokenizer_fuzz.py", import.meta.url));
const run = spawnSync(python, [script, seed, count, file], { stdio: ["ignore", "inherit", "inherit"] });
if (run.status !== 0) throw new Error("the Python side failed");
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;
rmSync(folder, { recursive: true });

let differences = 0;
for (const [name, { json, rows }] of Object.entries(vectors.tokenizers)) {
  const tokenizer = loadTokenizer(json);
  const wrong: string[] = [];
  rows.forEach((expected, i) => {
    const text = vectors.texts[i];
    let got: Row = null;
    try {
      const ids = tokenizer.encode(text);
      const plain = tokenizer.encode(text, { addSpecialTokens: false });
      got = [ids, plain, tokenizer.decode(ids), tokenizer.decode(ids, { skipSpecialTokens: false })];
    } catch {
      got = null;
    }
    if (JSON.stringify(got) === JSON.stringify(expected)) return;
    wrong.push(`  ${JSON.stringify(text)}\n    ours   ${JSON.stringify(got)}\n    theirs ${JSON.stringify(expected)}`);
  });
  differences += wrong.length;
  console.log(`${name}: ${wrong.length} of ${rows.length} differ`);
  for (const line of wrong.slice(0, 3)) console.log(line.slice(0, 1200));
}
if (keep !== undefined) {
  const kept = kinds.map((name) => [name, vectors.tokenizers[name]]);
  writeFileSync(keep, gzipSync(JSON.stringify({ ...vectors, tokenizers: Object.fromEntries(kept) })));
}
process.exit(differences > 0 ? 1 : 0);
