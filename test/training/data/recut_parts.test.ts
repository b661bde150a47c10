import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { cutDocument, type DocumentPart } from "../../../src/data/text_document.ts";
import { loadTokenizer } from "../../../src/tokenizer/load_tokenizer.ts";
import type { Tokenizer } from "../../../src/tokenizer/tokenizer.ts";
import { type RecutOptions, recutParts } from "../../../training/data/recut_parts.ts";
import { encodeJob } from "../../../training/data/tokenize_job.ts";
import { generatedText } from "../../golden/tokenizer/generated_text.ts";

const golden = path.join(import.meta.dirname, "../../golden/tokenizer");
const families = JSON.parse(gunzipSync(readFileSync(path.join(golden, "families.json.gz"))).toString()) as {
  texts: string[];
  tokenizers: Record<string, { json: { model: object } }>;
};

async function* readerParts(text: string, length: number): AsyncGenerator<DocumentPart> {
  yield* cutDocument(text, length);
}

async function recut(text: string, tokenizer: Tokenizer, options: { length: number } & RecutOptions) {
  const parts: DocumentPart[] = [];
  for await (const part of recutParts(readerParts(text, options.length), tokenizer.safeCut, options)) parts.push(part);
  return parts;
}

/** Ids of the parts, without what ends a document. */
function idsOf(tokenizer: Tokenizer, parts: readonly DocumentPart[]): number[] {
  return [...encodeJob(tokenizer, 0, parts).ids].slice(tokenizer.addsBos ? 1 : 0, -1);
}

const words = generatedText(400);
const texts: Record<string, string> = {
  words,
  lines: `${"word ".repeat(10)}\n`.repeat(60),
  "lines without spaces": words.replaceAll(" ", "\n"),
  digits: "1234567890".repeat(200),
  "the same digit": "1".repeat(2000),
  Chinese: "中文字符,日本語テスト。你好！我们去学校。".repeat(80),
  spaces: `a${" ".repeat(900)}b`.repeat(3),
  mixed: families.texts.join(" "),
};

const names = Object.keys(families.tokenizers).filter((name) => !name.endsWith("_no_unk"));
const tokenizers = new Map<string, Tokenizer>([
  ...names.map((name): [string, Tokenizer] => [name, loadTokenizer(families.tokenizers[name].json)]),
  ...["gpt2", "llama3", "byte_level", "library_byte_fallback", "library_wordpiece", "gpt2_prefix_space"].map(
    (name): [string, Tokenizer] => [name, loadTokenizer(path.join(golden, `tokenizers/${name}.json`))],
  ),
]);

describe("recutParts", () => {
  it.each([...tokenizers.keys()])("leaves the ids of %s as those of the whole document", async (name) => {
    const tokenizer = tokenizers.get(name)!;
    for (const [kind, text] of Object.entries(texts)) {
      const parts = await recut(text, tokenizer, { length: 120 });
      expect(parts.map((part) => part.text).join("")).toBe(text);
      expect(idsOf(tokenizer, parts), kind).toEqual(tokenizer.encode(text, { addSpecialTokens: false }));
    }
  });

  it("finds places in running text for the tokenizers of common models", async () => {
    for (const name of [
      "gpt2",
      "llama3",
      "byte_level",
      "library_byte_fallback",
      "library_wordpiece",
      "qwen2_nfc",
      "gemma",
    ]) {
      const parts = await recut(words, tokenizers.get(name)!, { length: 120 });
      expect(parts.length, name).toBeGreaterThan(10);
      expect(Math.max(...parts.map(({ text }) => text.length)), name).toBeLessThan(400);
    }
  });

  it("cuts what has no safe place once it is too long, and never a surrogate pair", async () => {
    const text = "🙂".repeat(500);
    let forced = 0;
    const parts = await recut(text, tokenizers.get("gpt2")!, { length: 20, longest: 101, onForcedCut: () => forced++ });
    expect(parts.map((part) => part.text).join("")).toBe(text);
    expect(parts.length).toBeGreaterThan(5);
    expect(forced).toBe(parts.length - 1);
    for (const part of parts) expect(part.text).not.toMatch(/^[\udc00-\udfff]/);
  });

  it("keeps documents apart", async () => {
    async function* parts(): AsyncGenerator<DocumentPart> {
      yield* cutDocument(words, 100);
      yield { text: "short", first: true, last: true };
    }
    const texts: string[] = [];
    for await (const { text, first } of recutParts(parts(), tokenizers.get("gpt2")!.safeCut, { length: 100 })) {
      if (first) texts.push(text);
      else texts[texts.length - 1] += text;
    }
    expect(texts).toEqual([words, "short"]);
  });
});
