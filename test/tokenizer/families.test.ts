import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";

type Row = [ids: number[], plain: number[], text: string, withSpecial: string] | null;
interface Families {
  texts: string[];
  tokenizers: Record<string, { json: { model: { vocab: object } }; vocab_size: number; rows: Row[] }>;
}

const golden = path.join(import.meta.dirname, "../golden/tokenizer");
// Ids by Hugging Face tokenizers 0.23.3: experiments/oracles/tokenizer_fuzz.ts.
const { texts, tokenizers } = JSON.parse(
  gunzipSync(readFileSync(path.join(golden, "families.json.gz"))).toString(),
) as Families;

describe.each(Object.keys(tokenizers))("a %s tokenizer", (name) => {
  const { json, rows } = tokenizers[name];
  const tokenizer = loadTokenizer(json);

  it("gives the ids and the texts of the Python package, and fails where it does", () => {
    rows.forEach((row, i) => {
      const text = texts[i];
      if (row === null) {
        expect(() => tokenizer.encode(text), JSON.stringify(text)).toThrow(/the tokenizer has no id for/);
        return;
      }
      const [ids, plain, decoded, withSpecial] = row;
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.encode(text, { addSpecialTokens: false }), JSON.stringify(text)).toEqual(plain);
      expect(tokenizer.decode(ids)).toBe(decoded);
      expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(withSpecial);
    });
  });
});

interface Right {
  vocab_size: number;
  ids: Record<string, number[]>;
  decode: Record<string, string>;
}
const right = JSON.parse(readFileSync(path.join(golden, "inputs/right.json"), "utf8")) as Record<string, Right>;

it.each(Object.entries(right))("%s gets the ids that its Python class gives", (file, { vocab_size, ids, decode }) => {
  const tokenizer = loadTokenizer(path.join(golden, "inputs", file));
  expect(tokenizer.vocabSize).toBe(vocab_size);
  for (const [text, expected] of Object.entries(ids)) {
    expect(tokenizer.encode(text)).toEqual(expected);
    expect(tokenizer.decode(expected)).toBe(decode[text]);
  }
});

it("encodes a Unigram document of any length", () => {
  const tokenizer = loadTokenizer(path.join(golden, "inputs/unigram_byte_fallback.json"));
  const line = "the quick brown fox jumps ";
  const ids = tokenizer.encode(line.repeat(20_000));
  const once = tokenizer.encode(line).length - tokenizer.encode(" ").length;
  expect(ids.length).toBe(once * 20_000 + 1);
  // Without a space the whole text is one piece.
  expect(tokenizer.encode("fox".repeat(100_000)).length).toBeGreaterThan(100_000);
});
