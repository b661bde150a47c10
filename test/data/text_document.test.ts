import path from "node:path";
import { describe, expect, it } from "vitest";
import { cutDocument, cutPosition, type DocumentPart, DocumentSplitter } from "../../src/data/text_document.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import { generatedText } from "../golden/tokenizer/generated_text.ts";
import { documentsOf, inputs } from "./data_folder.ts";

function join(parts: Iterable<DocumentPart>): string[] {
  const documents: string[] = [];
  for (const { text, first } of parts) {
    if (first) documents.push(text);
    else documents[documents.length - 1] += text;
  }
  return documents;
}

function split(text: string, separator: string | null, chunk: number, length: number): DocumentPart[] {
  const splitter = new DocumentSplitter(separator, length);
  const parts: DocumentPart[] = [];
  for (let i = 0; i < text.length; i += chunk) parts.push(...splitter.push(text.slice(i, i + chunk)));
  parts.push(...splitter.end());
  return parts;
}

describe("cutDocument", () => {
  it("cuts between words, so that the ids stay those of the whole text", () => {
    const text = generatedText(4000);
    const parts = [...cutDocument(text, 500)];
    expect(parts.length).toBeGreaterThan(20);
    expect(join(parts)).toEqual([text]);
    expect(parts.map(({ first }) => first).indexOf(true, 1)).toBe(-1);
    expect(parts.filter(({ last }) => last)).toHaveLength(1);
    for (const name of ["gpt2", "llama3", "gpt2_prefix_space", "gpt2_digits"]) {
      const tokenizer = loadTokenizer(`test/golden/tokenizer/tokenizers/${name}.json`);
      const options = { addSpecialTokens: false };
      const pieces = parts.flatMap((part) => tokenizer.encode(part.text, options));
      expect(pieces).toEqual(tokenizer.encode(text, options));
    }
  });

  it("never cuts a surrogate pair", () => {
    expect(cutPosition("🙂🙂🙂", 3)).toBe(2);
    expect(join(cutDocument("🙂".repeat(100), 7))).toEqual(["🙂".repeat(100)]);
    for (const { text } of cutDocument("🙂".repeat(100), 7)) expect(text).not.toMatch(/^[\udc00-\udfff]/);
  });

  it("gives nothing for white space", () => {
    expect([...cutDocument(" \n\t ")]).toEqual([]);
  });
});

describe("DocumentSplitter", () => {
  const text = "\n\none one\n<|end|>\n<|end|>  <|end|>two <|en d|>\r\n<|end|>three <|end";

  it("drops separators, the line breaks around documents, and empty documents", () => {
    for (const chunk of [1, 2, 3, 7, 1000]) {
      expect(join(split(text, "<|end|>", chunk, 1000))).toEqual(["one one", "two <|en d|>", "three <|end"]);
    }
  });

  it("makes the same parts however the text is chopped", () => {
    const long = `${generatedText(300)}###${generatedText(50, 2)}###${generatedText(700, 3)}`;
    const whole = split(long, "###", long.length, 100);
    expect(whole.length).toBeGreaterThan(10);
    for (const chunk of [1, 17, 250, 999]) expect(split(long, "###", chunk, 100)).toEqual(whole);
  });

  it("keeps a file without separator as it is", () => {
    expect(join(split(text, null, 5, 8))).toEqual([text]);
  });
});

describe("a separator of line breaks", () => {
  const documents = ["one\ntwo", "three", "four\n five"];
  const text = (lineBreak: string) => documents.join("\n\n").replaceAll("\n", lineBreak);

  it.each(["\n", "\r\n", "\r"])("matches %j, however the text is chopped", (lineBreak) => {
    const expected = documents.map((document) => document.replaceAll("\n", lineBreak));
    for (const chunk of [1, 2, 3, 5, 100]) {
      for (const separator of ["\n\n", "\r\n\r\n"]) {
        expect(join(split(text(lineBreak), separator, chunk, 100))).toEqual(expected);
      }
    }
    const lines = join(split(text(lineBreak), "\n", 1, 100));
    expect(lines).toEqual(["one", "two", "three", "four", " five"]);
    // One line break is not two.
    expect(join(split(`a${lineBreak}b`, "\n\n", 1, 100))).toEqual([`a${lineBreak}b`]);
  });

  it("of other characters is taken literally", () => {
    expect(join(split("a.*b.*c", ".*", 1, 100))).toEqual(["a", "b", "c"]);
    expect(join(split("a\r\n---\r\nb", "\n---\n", 2, 100))).toEqual(["a", "b"]);
  });

  it("finds the documents of a file with CRLF", async () => {
    const read = async (name: string) =>
      (await documentsOf(path.join(inputs, name), { documentSeparator: "\n\n" })).map((document) =>
        document.replaceAll("\r\n", "\n"),
      );
    const crlf = await read("crlf.txt");
    expect(crlf.length).toBeGreaterThan(100);
    // The two inputs are of about equal length in bytes: one ends earlier in its text.
    const lf = await read("lf.txt");
    expect(lf.slice(0, crlf.length - 1)).toEqual(crlf.slice(0, -1));
  });
});
