/** Where lines of streamed text end. */
import { describe, expect, test } from "vitest";
import { WordWrap, wrapWords } from "../../../cli/terminal/word_wrap.ts";

const cases: [name: string, text: string, columns: number, lines: string[]][] = [
  ["words", "the quick brown fox jumps", 10, ["the quick", "brown fox", "jumps"]],
  ["a word that just fits", "the quick b", 11, ["the quick b"]],
  ["line breaks of the text", "one\n\ntwo three\nfour", 9, ["one", "", "two three", "four"]],
  ["spaces at the seam are left out, others kept", "a  b     c   d", 6, ["a  b", "c   d"]],
  [
    "an address stays whole",
    "see https://example.org/a/long/path for it",
    12,
    ["see", "https://example.org/a/long/path", "for it"],
  ],
  ["wide characters count as two, and break anywhere", "模型是三值的 ok", 7, ["模型是", "三值的", "ok"]],
  ["Latin beside wide characters", "用 GGUF文件", 8, ["用 GGUF", "文件"]],
  ["a family is one character", "👨‍👩‍👧 abc 👨‍👩‍👧", 6, ["👨‍👩‍👧 abc", "👨‍👩‍👧"]],
  [
    "fenced code",
    "```\nlet x = f(a, b, c);\n```\nthen more words",
    10,
    ["```", "let x = f(a, b, c);", "```", "then more", "words"],
  ],
  ["indented code", "    for i in range(10):\nand it ends", 8, ["    for i in range(10):", "and it", "ends"]],
  ["CRLF", "one two\r\nthree", 5, ["one", "two", "three"]],
];

describe("lines end before the word that does not fit", () => {
  test.each(cases)("%s", (_name, text, columns, lines) => {
    expect(wrapWords(text, columns).split("\n")).toEqual(lines);
  });

  test.each(cases)("in pieces of a character: %s", (_name, text, columns, lines) => {
    const wrap = new WordWrap(() => columns);
    const segments = [...new Intl.Segmenter().segment(text)];
    const written = segments.map(({ segment }) => wrap.push(segment)).join("") + wrap.flush();
    expect(written.split("\n")).toEqual(lines);
  });
});

test("of a word that is longer than a line nothing is held", () => {
  const wrap = new WordWrap(() => 4);
  expect(["a bcd", "ef", "g", "h ij"].map((text) => wrap.push(text)).concat(wrap.flush())).toEqual([
    "a",
    "\nbcdef",
    "g",
    "h",
    "\nij",
  ]);
});

test("a word is written once it is complete, at the width of that moment", () => {
  let columns = 9;
  const wrap = new WordWrap(() => columns);
  expect([wrap.push("the qu"), wrap.push("ick br")]).toEqual(["the", " quick"]);
  columns = 20;
  expect([wrap.push("own"), wrap.flush()]).toEqual(["", " brown"]);
});
