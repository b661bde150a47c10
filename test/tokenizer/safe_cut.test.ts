import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import type { TokenizerJson } from "../../src/tokenizer/tokenizer_json.ts";

const folder = path.join(import.meta.dirname, "../golden/tokenizer/tokenizers");
const readJson = (name: string) => JSON.parse(readFileSync(path.join(folder, `${name}.json`), "utf8")) as TokenizerJson;

/** Every place that is called safe leaves the ids as they are; returns how many there are. */
function checkCuts(json: TokenizerJson, texts: readonly string[]): number {
  const tokenizer = loadTokenizer(json);
  const encode = (text: string, continued = false) => tokenizer.encode(text, { addSpecialTokens: false, continued });
  let places = 0;
  for (const text of texts) {
    const whole = encode(text);
    for (let i = 1; i < text.length; i++) {
      if (!tokenizer.safeCut?.(text, i)) continue;
      places++;
      const parts = [...encode(text.slice(0, i)), ...encode(text.slice(i), true)];
      expect(parts, JSON.stringify([text.slice(0, i), text.slice(i)])).toEqual(whole);
    }
  }
  return places;
}

const texts = [
  "the fox<|x|> and the\n\n<|x|>\n\nowl, then\tthe  fox",
  "a <|x|> b. (the) fox; the owl<|x|>the fox 12 owl",
];

it("looks at what added tokens take with them, and at what is put in front behind them", () => {
  const token = { id: 0, content: "<|x|>", special: true, normalized: false };
  for (const name of ["gpt2", "llama3", "library_byte_fallback", "library_wordpiece", "gpt2_prefix_space"]) {
    for (const flags of [
      {},
      { rstrip: true },
      { lstrip: true },
      { lstrip: true, rstrip: true },
      { single_word: true },
    ]) {
      const json = readJson(name);
      json.added_tokens = [...(json.added_tokens ?? []), { ...token, ...flags }];
      expect(checkCuts(json, texts), name).toBeGreaterThan(3);
    }
  }
});

it("knows GPT-4's split in the ways it is written", () => {
  const pattern = (end: string) =>
    `'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|${end}`;
  for (const end of ["\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s", "\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"]) {
    const json = readJson("llama3");
    Object.assign(json.pre_tokenizer!.pretokenizers![0], { pattern: { Regex: pattern(end) } });
    expect(checkCuts(json, texts)).toBeGreaterThan(3);
  }
});
