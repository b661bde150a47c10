import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { preTokenizerName } from "../../src/gguf/pre_tokenizer_name.ts";
import { tokenizerMetadata } from "../../src/gguf/tokenizer_metadata.ts";
import type { TokenizerJson } from "../../src/tokenizer/tokenizer_json.ts";
import { smallTokenizer } from "../export/small_model.ts";

const valuesOf = (...args: Parameters<typeof tokenizerMetadata>) =>
  Object.fromEntries(tokenizerMetadata(...args).map(([key, entry]) => [key, entry.value]));

describe("tokenizer metadata", () => {
  it("has tokens, kinds, merges and special ids", () => {
    const tokenizer = smallTokenizer();
    const values = valuesOf(tokenizer, 262);
    const tokens = values["tokenizer.ggml.tokens"] as string[];
    expect(tokens).toHaveLength(262);
    expect(tokens.slice(255)).toEqual(["ÿ", "he", "hel", "<|endoftext|>", "<note>", "[unused 260]", "[unused 261]"]);
    expect((values["tokenizer.ggml.token_type"] as number[]).slice(255)).toEqual([1, 1, 1, 3, 4, 5, 5]);
    expect(values["tokenizer.ggml.merges"]).toEqual(["h e", "he l"]);
    expect(values).toMatchObject({
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "gpt-2",
      "tokenizer.ggml.bos_token_id": 258,
      "tokenizer.ggml.eos_token_id": 258,
      "tokenizer.ggml.add_bos_token": false,
    });
    expect(JSON.parse(values["tokenizer.huggingface.json"] as string)).toEqual(tokenizer.json);
    expect(values).not.toHaveProperty("tokenizer.chat_template");
  });

  it("has the chat template and the special tokens that tokenizer_config.json names", () => {
    const config = { chat_template: "{{ bos }}", pad_token: { content: "<note>" }, unk_token: "<|endoftext|>" };
    const values = valuesOf(smallTokenizer({ config }), 260);
    expect(values["tokenizer.chat_template"]).toBe("{{ bos }}");
    expect(values["tokenizer.ggml.padding_token_id"]).toBe(259);
    expect(values["tokenizer.ggml.unknown_token_id"]).toBe(258);
    expect(JSON.parse(values["tokenizer.huggingface.config"] as string)).toEqual(config);
    const several = {
      chat_template: [
        { name: "tool", template: "t" },
        { name: "default", template: "d" },
      ],
    };
    expect(valuesOf(smallTokenizer({ config: several }), 260)).toMatchObject({
      "tokenizer.chat_template": "d",
      "tokenizer.chat_template.tool": "t",
      "tokenizer.chat_templates": ["tool"],
    });
  });

  it("names the token that ends a turn, where it is not the end of a document", () => {
    const { json } = smallTokenizer();
    const added = [...(json.added_tokens as object[]), { id: 260, content: "<|eot_id|>", special: true }];
    const values = valuesOf(smallTokenizer({ json: { ...json, added_tokens: added } }), 261);
    expect(values).toMatchObject({ "tokenizer.ggml.eot_token_id": 260, "tokenizer.ggml.eos_token_id": 258 });
    expect(valuesOf(smallTokenizer(), 260)).not.toHaveProperty("tokenizer.ggml.eot_token_id");
  });

  it("has an empty merge list for a byte-level vocabulary", () => {
    const { json } = smallTokenizer();
    const byteLevel = smallTokenizer({ json: { ...json, model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: [] } } });
    expect(valuesOf(byteLevel, 260)["tokenizer.ggml.merges"]).toEqual([]);
  });

  it("refuses ids beyond the embedding, and other kinds of tokenizers", () => {
    expect(() => tokenizerMetadata(smallTokenizer(), 257)).toThrow(
      'the tokenizer has the id 257 ("hel"), the model only 257 embedding rows: they do not belong together',
    );
    const unigram = smallTokenizer({ json: { model: { type: "Unigram", vocab: [] } } });
    expect(() => tokenizerMetadata(unigram, 260)).toThrow("the tokenizer is a Unigram: only byte-level BPE");
  });
});

describe("the name of a pre-tokenizer", () => {
  const model = { type: "BPE", vocab: {}, merges: ["a b"] };
  const bytes = { type: "ByteLevel", add_prefix_space: false, use_regex: false };
  const name = (preTokenizer: object | null, more: object = {}) =>
    preTokenizerName({ model, pre_tokenizer: preTokenizer, ...more } as TokenizerJson);

  it("follows structure and pattern", () => {
    expect(name({ ...bytes, use_regex: true })).toBe("gpt-2");
    expect(
      name({
        type: "Sequence",
        pretokenizers: [
          { type: "Digits", individual_digits: true },
          { ...bytes, use_regex: true },
        ],
      }),
    ).toBe("smollm");
  });

  it("is none where llama.cpp would split otherwise", () => {
    expect(name(null)).toBeNull();
    expect(name(bytes)).toBeNull();
    expect(name({ ...bytes, use_regex: true, add_prefix_space: true })).toBeNull();
    expect(name({ ...bytes, use_regex: true }, { normalizer: { type: "NFC" } })).toBeNull();
    const split = { type: "Split", pattern: { Regex: "\\w+" }, behavior: "Isolated", invert: false };
    expect(name({ type: "Sequence", pretokenizers: [split, bytes] })).toBeNull();
  });

  it.each([
    ["gpt2", "gpt-2"],
    ["llama3", "llama-bpe"],
    ["byte_level", "gpt-2"],
    ["gpt2_digits", "smollm"],
    ["gpt2_prefix_space", null],
  ])("of the tokenizer %s is %s", (file, expected) => {
    const url = new URL(`../golden/tokenizer/tokenizers/${file}.json`, import.meta.url);
    expect(preTokenizerName(JSON.parse(readFileSync(url, "utf8")))).toBe(expected);
  });
});
