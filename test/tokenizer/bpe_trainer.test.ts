import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { trainBpe } from "../../src/tokenizer/bpe_trainer.ts";
import { byteLevelTokenizer } from "../../src/tokenizer/byte_level_tokenizer.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import type { BpeTokenizerJson } from "../../src/tokenizer/tokenizer_json.ts";
import { generatedText } from "../golden/tokenizer/generated_text.ts";

const golden = path.join(import.meta.dirname, "../golden/tokenizer");
const text = generatedText(3000);

function mergesOf(tokenizer: { json: Record<string, unknown> }): unknown {
  return (tokenizer.json as unknown as BpeTokenizerJson).model.merges;
}

describe("trainBpe", () => {
  const trained = JSON.parse(readFileSync(path.join(golden, "vectors.json"), "utf8")).trained as Record<
    string,
    unknown
  >;

  it("learns the merges that Hugging Face's BpeTrainer learns", async () => {
    const gpt2 = await trainBpe([text], { vocabSize: 480, preTokenizer: "gpt2" });
    expect(mergesOf(gpt2)).toEqual(trained.gpt2);
    const bosToken = "<|begin_of_text|>";
    const specialTokens = [bosToken, "<|end_of_text|>", "<|eot_id|>"];
    const llama3 = await trainBpe([text], { vocabSize: 520, bosToken, eosToken: "<|end_of_text|>", specialTokens });
    expect(mergesOf(llama3)).toEqual(trained.llama3);
    expect(llama3.json).toEqual(loadTokenizer(path.join(golden, "tokenizers/llama3.json")).json);
  });

  it("does not depend on how the text is handed over", async () => {
    async function* parts(): AsyncIterable<string> {
      for (const line of text.split(/(?<=\p{L})(?= \p{L})/u)) yield line;
    }
    const whole = await trainBpe([text], { vocabSize: 400, preTokenizer: "gpt2" });
    const pieces = await trainBpe(parts(), { vocabSize: 400, preTokenizer: "gpt2" });
    expect(pieces.json).toEqual(whole.json);
  });

  it("reads what it wrote, with the same ids", async () => {
    const tokenizer = await trainBpe([text], { vocabSize: 400, bosToken: "<s>", chatTemplate: "{{ x }}" });
    const again = loadTokenizer(JSON.stringify(tokenizer.json), JSON.stringify(tokenizer.config));
    expect(again.encode(text)).toEqual(tokenizer.encode(text));
    expect(again).toMatchObject({ vocabSize: 400, bosTokenId: 0, eosTokenId: 1, addsBos: true });
    expect(again.config?.chat_template).toBe("{{ x }}");
    expect(again.decode(again.encode(text))).toBe(text);
  });

  it("learns nothing from special tokens in the text", async () => {
    const separated = await trainBpe(["ab ab<|endoftext|>ab ab<|endoftext|>"], { vocabSize: 300 });
    expect(mergesOf(separated)).toEqual([
      ["a", "b"],
      ["Ġ", "ab"],
    ]);
  });

  it("stops when no pair is frequent enough", async () => {
    const few = await trainBpe(["abc abd"], { vocabSize: 1000 });
    expect(few.vocabSize).toBe(258);
  });

  it("refuses a vocabulary that cannot hold the bytes, and empty text", async () => {
    await expect(trainBpe(["a"], { vocabSize: 256 })).rejects.toThrow(
      "vocab_size 256 is too small: 256 bytes and 1 special tokens need 257",
    );
    await expect(trainBpe([], { vocabSize: 300 })).rejects.toThrow("there is no text to train a tokenizer on");
    await expect(trainBpe(["a"], { vocabSize: 300, eosToken: "a" })).rejects.toThrow("at least two characters");
  });
});

describe("byteLevelTokenizer", () => {
  it("has the byte as id, special tokens after them", () => {
    const tokenizer = byteLevelTokenizer({ bosToken: "<s>", eosToken: "</s>" });
    expect(tokenizer.encode("é\n</s>")).toEqual([256, 0xc3, 0xa9, 10, 257]);
    expect(tokenizer).toMatchObject({ vocabSize: 258, bosTokenId: 256, eosTokenId: 257, addsBos: true });
    expect([...tokenizer.tokenBytes(0xc3)]).toEqual([0xc3]);
  });
});
