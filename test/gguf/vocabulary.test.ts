import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readGgufTokenizer } from "../../src/gguf/file_tokenizer.ts";
import { tokenizerOf } from "../../src/gguf/gguf_tokenizer.ts";
import type { GgufValue } from "../../src/gguf/gguf_types.ts";
import { writeGguf } from "../../src/gguf/gguf_writer.ts";
import { spmMetadata, vocabularyMetadata, wordPieceMetadata } from "./vocabulary_file.ts";

// Ids by llama.cpp (node-llama-cpp 3.22.1): experiments/oracles/gguf_vocabulary_check.ts.
const golden = path.join(import.meta.dirname, "../golden/tokenizer/llama_cpp.json");
const { texts, ids } = JSON.parse(readFileSync(golden, "utf8")) as { texts: string[]; ids: Record<string, number[][]> };

function metadataOf(name: string): Map<string, GgufValue> {
  if (name.startsWith("spm")) return spmMetadata(name === "spm");
  if (name === "bert") return wordPieceMetadata();
  return vocabularyMetadata(name === "none" ? null : name);
}

/** The tokenizer of a file with these metadata. */
function open(metadata: ReadonlyMap<string, GgufValue>) {
  const scalars = [...metadata].flatMap(([key, entry]) =>
    entry.type === "array" ? [] : [[key, entry.value] as const],
  );
  return tokenizerOf({
    path: "model.gguf",
    metadata: new Map(scalars),
    tokenizerJson: null,
    metadataArray: (key) => {
      const entry = metadata.get(key);
      return entry?.type === "array" && entry.of !== "array" ? [...entry.value] : undefined;
    },
  });
}

describe("the vocabulary of a GGUF file", () => {
  it.each(Object.keys(ids))("whose pre-tokenizer is %s gives the ids of llama.cpp", (name) => {
    const tokenizer = open(metadataOf(name));
    texts.forEach((text, i) => {
      expect(tokenizer.encode(text, { addSpecialTokens: false }), JSON.stringify(text)).toEqual(ids[name][i]);
    });
  });

  it("is read from a file, and decoded", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "vocabulary-"));
    try {
      await writeGguf(path.join(folder, "spm.gguf"), spmMetadata(true), []);
      const tokenizer = await readGgufTokenizer(path.join(folder, "spm.gguf"));
      expect(tokenizer).toMatchObject({ bosTokenId: 1, eosTokenId: 2, addsBos: true });
      expect(tokenizer.decode(tokenizer.encode("Hello 日本語 wörld\n"))).toBe("Hello 日本語 wörld\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("of WordPiece puts a text between the tokens that the file names", () => {
    const tokenizer = open(wordPieceMetadata());
    const ids = tokenizer.encode("The café, it");
    expect([ids[0], ids.at(-1)]).toEqual([tokenizer.bosTokenId, tokenizer.eosTokenId]);
    expect(tokenizer.decode(ids)).toBe("the cafe, it");
  });

  it("takes BOS from the name of the pre-tokenizer where the file does not say", () => {
    expect(open(vocabularyMetadata("falcon3")).addsBos).toBe(true);
    expect(open(vocabularyMetadata("qwen2")).addsBos).toBe(false);
    const without = vocabularyMetadata("llama-bpe").set("tokenizer.ggml.add_bos_token", { type: "bool", value: false });
    expect(open(without).addsBos).toBe(false);
  });

  it("has no token where the id is 4294967295", () => {
    const none: GgufValue = { type: "uint32", value: 2 ** 32 - 1 };
    const metadata = vocabularyMetadata("llama-bpe").set("tokenizer.ggml.bos_token_id", none);
    expect(open(metadata)).toMatchObject({ bosTokenId: null, addsBos: false });
    metadata.set("tokenizer.ggml.eos_token_id", none);
    expect(open(metadata).eosTokenId).toBeNull();
  });

  it("that is not known is refused with the way out", () => {
    const wayOut =
      /; give the model's own by --tokenizer \(a tokenizer\.json, its folder, or owner\/name on the Hub\)$/;
    expect(() => open(vocabularyMetadata("bitnet"))).toThrow(
      /model\.gguf: .* tokenizer\.ggml\.pre is bitnet, which is not/,
    );
    expect(() => open(vocabularyMetadata("bitnet"))).toThrow(wayOut);
    const words = vocabularyMetadata(null).set("tokenizer.ggml.model", { type: "string", value: "rwkv" });
    expect(() => open(words)).toThrow(
      /tokenizer\.ggml\.model is rwkv \(gpt2, byte-level BPE, llama, SentencePiece, and bert, WordPiece/,
    );
  });
});
