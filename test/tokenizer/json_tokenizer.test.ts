import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { JsonTokenizer } from "../../src/tokenizer/json_tokenizer.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import type { BpeTokenizerJson } from "../../src/tokenizer/tokenizer_json.ts";

interface Vectors {
  texts: string[];
  tokenizers: Record<
    string,
    { vocab_size: number; rows: [number[], number[], string, string][]; broken: [number[], string][] }
  >;
}

const golden = path.join(import.meta.dirname, "../golden/tokenizer");
const vectors = JSON.parse(readFileSync(path.join(golden, "vectors.json"), "utf8")) as Vectors;
const oracle = path.join(import.meta.dirname, "../golden/lm_eval");

function readJson(name: string): BpeTokenizerJson {
  return JSON.parse(readFileSync(path.join(golden, "tokenizers", `${name}.json`), "utf8")) as BpeTokenizerJson;
}

const names = readdirSync(path.join(golden, "tokenizers")).map((file) => file.replace(".json", ""));

describe.each(names)("%s against the Python package", (name) => {
  const expected = vectors.tokenizers[name];
  const tokenizer = loadTokenizer(path.join(golden, "tokenizers", `${name}.json`));

  it("has as many ids", () => {
    expect(tokenizer.vocabSize).toBe(expected.vocab_size);
  });

  it("gives the same ids and texts", () => {
    vectors.texts.forEach((text, i) => {
      const [ids, plain, decoded, decodedWithSpecial] = expected.rows[i];
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.encode(text, { addSpecialTokens: false }), JSON.stringify(text)).toEqual(plain);
      expect(tokenizer.decode(ids)).toBe(decoded);
      expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(decodedWithSpecial);
    });
  });

  it("decodes broken UTF-8 alike", () => {
    for (const [ids, text] of expected.broken) expect(tokenizer.decode(ids)).toBe(text);
  });
});

describe("JsonTokenizer", () => {
  const tokenizer = new JsonTokenizer(readJson("llama3"), null);

  it("treats a lone surrogate as U+FFFD", () => {
    for (const text of ["a\ud800b", "\udc00", "x \ud83d", "\ud83d\ud83d\ude42"]) {
      expect(tokenizer.encode(text)).toEqual(tokenizer.encode(Buffer.from(text).toString()));
    }
  });

  it("gives the bytes of its tokens, none for special ones", () => {
    const text = "naïve 日本 🙂 fox";
    const ids = tokenizer.encode(text);
    const bytes = ids.flatMap((id) => [...tokenizer.tokenBytes(id)]);
    expect(Buffer.from(bytes).toString()).toBe(text);
    expect(tokenizer.tokenBytes(0)).toHaveLength(0);
  });

  it("knows BOS, EOS and that it adds BOS", () => {
    expect(tokenizer).toMatchObject({ bosTokenId: 0, eosTokenId: 1, addsBos: true });
    expect(loadTokenizer(readJson("gpt2"))).toMatchObject({ bosTokenId: null, eosTokenId: 0, addsBos: false });
    const configured = loadTokenizer(readJson("llama3"), { eos_token: { content: "<|eot_id|>" }, bos_token: null });
    expect(configured).toMatchObject({ bosTokenId: null, eosTokenId: 2, addsBos: false });
  });

  it("decodes nothing to nothing", () => {
    expect(tokenizer.decode([])).toBe("");
    expect(loadTokenizer(readJson("library_wordpiece")).decode([])).toBe("");
  });

  it("encodes a word of a million letters in reasonable time", () => {
    const ids = tokenizer.encode("fox".repeat(350_000), { addSpecialTokens: false });
    expect(tokenizer.decode(ids)).toHaveLength(1_050_000);
  });

  it("has a hash that depends on content, not on the order of keys", () => {
    const json = readJson("llama3");
    const reordered = Object.fromEntries(Object.entries(json).reverse());
    expect(loadTokenizer(reordered).hash).toBe(tokenizer.hash);
    json.model.ignore_merges = true;
    expect(loadTokenizer(json).hash).not.toBe(tokenizer.hash);
  });

  it("names what it does not know", () => {
    const reason = (change: object): string => {
      try {
        loadTokenizer({ ...readJson("llama3"), ...change });
        return "none";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(reason({ normalizer: { type: "Spell" } })).toBe("the tokenizer has a normalizer Spell, which is not known");
    expect(reason({ pre_tokenizer: { type: "Spell" } })).toMatch(/a pre_tokenizer Spell, which is not known/);
    expect(reason({ decoder: { type: "Spell" } })).toMatch(/a decoder Spell, which is not known/);
    expect(reason({ post_processor: { type: "Spell" } })).toMatch(/a post_processor Spell, which is not known/);
    expect(reason({ model: { type: "Spell", vocab: {} } })).toBe("the tokenizer is a Spell, which is not known");
    const split = { type: "Split", pattern: { Regex: "(a" }, behavior: "Isolated", invert: false };
    expect(reason({ pre_tokenizer: split })).toMatch(/expression "\(a" cannot be used/);
  });
});

describe("loadTokenizer", () => {
  it("reads a folder, a file, JSON text and an object", () => {
    const file = path.join(golden, "tokenizers/gpt2.json");
    const hash = loadTokenizer(file).hash;
    expect(loadTokenizer(readFileSync(file, "utf8")).hash).toBe(hash);
    expect(loadTokenizer(readJson("gpt2")).hash).toBe(hash);
  });

  it("says in one line what is wrong", () => {
    expect(() => loadTokenizer("/nowhere/tokenizer.json")).toThrow("/nowhere/tokenizer.json: no such file");
    expect(() => loadTokenizer('{"model": ')).toThrow(/tokenizer\.json: not valid JSON/);
    expect(() => loadTokenizer({ model: {} })).toThrow("tokenizer.json: no model with a vocabulary in it");
    const json = readJson("gpt2");
    json.model.merges.push(["zz", "top"]);
    expect(() => loadTokenizer(json)).toThrow(/merge 223 of the tokenizer, \["zz","top"\], is not in its vocabulary/);
  });
});

describe.skipIf(!existsSync(path.join(oracle, "model_vectors.json")))("the tokenizers of the lm-eval oracle", () => {
  it.each(["tiny-llama", "tiny-bitnet"])("%s", (model) => {
    const text = readFileSync(path.join(oracle, "model_vectors.json"), "utf8");
    const { encode_default, encode_no_special } = JSON.parse(text)[model] as Record<
      string,
      { text: string; ids: number[] }[]
    >;
    const tokenizer = loadTokenizer(path.join(oracle, "models", model));
    for (const { text, ids } of encode_default) expect(tokenizer.encode(text)).toEqual(ids);
    for (const { text, ids } of encode_no_special) {
      expect(tokenizer.encode(text, { addSpecialTokens: false })).toEqual(ids);
    }
  });
});
