/** Files that are no UTF-8 text: an error with the byte and what to do, or a counted remark where a few bytes are bad. */

import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { documentsOf, fileOf, inputs, rowsOf } from "./data_folder.ts";

const fails = (file: string, message: string | RegExp) => expect(documentsOf(file)).rejects.toThrow(message);
const input = (name: string) => path.join(inputs, name);

async function read(name: string, content: string | Uint8Array): Promise<{ texts: string[]; remarks: string[] }> {
  const remarks: string[] = [];
  return { texts: await documentsOf(fileOf(name, content), { onRemark: (line) => remarks.push(line) }), remarks };
}

describe("another encoding", () => {
  it("is an error with the first byte and a hint", async () => {
    await fails(
      input("latin1.txt"),
      `${input("latin1.txt")}: byte 3: 0xe9 is not UTF-8: it looks like windows-1252: iconv -f windows-1252 -t utf-8 `,
    );
    await fails(
      input("latin1.jsonl"),
      /latin1\.jsonl: byte 12: 0xe9 is not UTF-8: it looks like latin1: iconv -f latin1 /,
    );
    await fails(input("utf16_english.txt"), /byte 0: not UTF-8: it looks like utf-16le: iconv -f utf-16 -t utf-8/);
    await fails(input("utf16_chinese.txt"), /byte 0: not UTF-8: it looks like utf-16le: iconv/);
    const gbk = Buffer.from("d6d0cec4d6d0cec4d6d0cec40a", "hex");
    await fails(fileOf("gbk.txt", gbk), /byte 0: 0xd6 is not UTF-8: say what it is: iconv -f gb18030/);
  });

  it("is told without a byte order mark, too", async () => {
    const swap = (bytes: Buffer) => Buffer.from(bytes).swap16();
    const wide = (text: string) => Buffer.from(text, "utf16le");
    const utf32 = (text: string) => Buffer.from(Uint32Array.from(text, (c) => c.codePointAt(0)!).buffer);
    const english = "the red ball is on the table. ".repeat(5);
    await fails(fileOf("a.txt", wide(english)), /byte 1: a zero byte: it looks like utf-16le: iconv -f utf-16le/);
    await fails(fileOf("a.txt", swap(wide(english))), /byte 0: a zero byte: it looks like utf-16be/);
    await fails(fileOf("a.txt", wide("中文的书在桌子上面。".repeat(9))), /is not UTF-8: it looks like utf-16le/);
    await fails(fileOf("a.txt", utf32(english)), /byte 1: a zero byte: it looks like utf-32le/);
    await fails(
      fileOf("a.txt", utf32(`\ufeff${english}`)),
      /byte 0: not UTF-8: it looks like utf-32le: iconv -f utf-32 /,
    );
  });
});

describe("an encoding is advised only where it is likely", () => {
  const utf8 = "Ein Häuschen für 日本.\n";
  const cut = /: a zero byte: cut it \(tr -d '\\0' < \S+ > NEW\) or end lines with it \(tr '\\0' '\\n'\)$/;
  const crash = /: a zero byte: all that follow are, as a crash leaves them: cut them: tr -d '\\0' < \S+ > NEW$/;
  const latin = (text: string) => Buffer.from(text, "latin1");
  const cases: readonly [name: string, content: string | Uint8Array, message: RegExp][] = [
    ["zeros at the end", utf8 + "\0".repeat(512), crash],
    ["one at the end", `${utf8}\0`, crash],
    ["many at the end", utf8.repeat(3000) + "\0".repeat(9000), crash],
    ["nothing else", "\0".repeat(4096), /byte 0: a zero byte: all that follow are/],
    ["records of ASCII", "abc\0def\n".repeat(40), cut],
    ["records of UTF-8", "für\0日本\n".repeat(40), cut],
    ["padded records", "abc\0\0\0\0\0".repeat(40), cut],
    ["far into a text", `${utf8.repeat(1000)}\0${utf8}`, cut],
    ["an ellipsis of Windows", latin("a\x85b"), /0x85 is not UTF-8: it looks like windows-1252/],
    ["lines with one", latin("a\x85b\n".repeat(40)), /0x85 is not UTF-8: it looks like windows-1252/],
    ["a byte that Windows has not", latin("f\x81r sie"), /0x81 is not UTF-8: say what it is/],
    [
      "a bad byte in UTF-8",
      Buffer.concat([Buffer.from(utf8), latin("\xff"), Buffer.from(utf8)]),
      /is UTF-8: .*iconv -c/,
    ],
    ["Cyrillic in UTF-16", Buffer.from("Красный мяч лежит на столе. ", "utf16le"), /: it looks like utf-16le/],
    ["Korean in UTF-16", Buffer.from("빨간 공이 탁자 위에 있다. ", "utf16le").swap16(), /: it looks like utf-16be/],
    ["any bytes", Uint8Array.from({ length: 512 }, (_, i) => (i * 37) % 256), /: a zero byte: not a text file$/],
  ];
  it.each(cases)("%s", async (_, content, message) => fails(fileOf("a.txt", content), message));
});

describe("bad bytes", () => {
  it("of a small file are an error: zero bytes, a character cut at the end, gzipped or not", async () => {
    await fails(fileOf("a.txt", "one\0two"), /a\.txt: byte 3: a zero byte: cut it \(tr -d/);
    const cut = Buffer.from("ein Häuschen ü").subarray(0, -1);
    const message = /byte 14: the file ends within a character: it was cut short$/;
    await fails(fileOf("a.txt", cut), message);
    await fails(fileOf("a.txt.gz", gzipSync(cut)), message);
    await fails(fileOf("a.jsonl", Buffer.from('{"text":"é').subarray(0, -1)), /ends within a character/);
    await fails(fileOf("b.txt", Uint8Array.of(0xe4)), /byte 0: the file ends within a character/);
  });

  it("of a large file are counted, one in 100,000 bytes", async () => {
    const text = Buffer.from("some words and a naïve é 日本 🙂\n".repeat(8000));
    for (const at of [200_001, 250_003]) text[at] = 0xff;
    const { texts, remarks } = await read("big.txt", text);
    const expected = text.toString("utf8");
    expect(texts).toEqual([expected]);
    expect(remarks).toEqual([expect.stringMatching(/big\.txt: [23] faults in the text .*, the first at byte \d+: /)]);
    for (let at = 0; at < 20_000; at += 1000) text[at] = 0xff;
    await fails(fileOf("big.txt", text), /big\.txt: byte 0: 0xff is not UTF-8/);
  });
});

describe("half a character in JSON", () => {
  const pair = String.raw`{"text":"\ud83d\ude00 \\ud83d \uD83D\uDE00"}`;

  it("is an error with the line, in every field, in lines and lists, where a pair and an escaped backslash are none", async () => {
    for (const lone of [
      String.raw`{"text":"a\ud83d b"}`,
      String.raw`{"text":"\ud83d\ud83d\ude00"}`,
      String.raw`{"text":"\\\uDE00"}`,
      String.raw`{"text":"ok","\ud83d":1}`,
    ]) {
      const message = /:2: \\u[dD]\w{3} is half a character \(a surrogate without the other half\)$/;
      await fails(fileOf("a.jsonl", `${pair}\n${lone}\n`), message);
      await fails(fileOf("a.json", `[${pair},\n${lone}]`), message);
      await expect(rowsOf(fileOf("a.jsonl", `${pair}\n${lone}\n`), { exact: true })).rejects.toThrow(message);
    }
    expect((await read("a.jsonl", `${pair}\n`)).texts).toEqual([String.raw`😀 \ud83d 😀`]);
  });

  it("is counted where it is one in 100,000 bytes", async () => {
    const text = `{"text":"${"word ".repeat(50_000)}"}\n${String.raw`{"text":"a\ud83d"}`}\n`;
    const { texts, remarks } = await read("a.jsonl", text);
    expect(texts[1]).toBe("a\ufffd");
    expect(remarks).toEqual([
      expect.stringMatching(/1 fault in the text .*, the first at .*a\.jsonl:2: \\ud83d is half/),
    ]);
  });
});

it("byte order marks are dropped, and characters kept whole between chunks", async () => {
  const text = "aé日🙂".repeat(150_000);
  expect((await read("a.txt", `\ufeff${text}`)).texts).toEqual([text]);
  expect((await read("a.jsonl", `\ufeff{"text":"x"}\r\n{"text":"\ufeffy"}\r\n`)).texts).toEqual(["x", "\ufeffy"]);
  expect((await read("a.csv", "\ufefftext\r\nx\r\n")).texts).toEqual(["x"]);
});

describe("what is no text at all is named", () => {
  const beginnings: [name: string, content: string | Uint8Array, what: RegExp][] = [
    [
      "a.txt",
      "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n",
      /a Git LFS pointer.*git lfs pull/,
    ],
    ["a.parquet", "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n", /a Git LFS pointer/],
    ["a.arrow", "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n", /a Git LFS pointer/],
    ["a.jsonl", "/annex/objects/SHA256E-s5--ab.jsonl\n", /a git-annex pointer.*git annex get/],
    ["a.jsonl", "<!DOCTYPE html>\n<html><body>404</body></html>", /a web page \(perhaps an error message/],
    ["a.parquet", "<html>Access denied</html>", /not a readable Parquet file: it is a web page/],
    ["a.json", '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', /a web page/],
    ["a.txt", "%PDF-1.7\n...", /a PDF document/],
    ["a.jsonl", "PAR1xxxxxxx", /a Parquet file/],
    ["a.txt.gz", gzipSync(gzipSync("x")), /what is packed in it is gzipped/],
    ["a.txt.gz", "plain", /not packed as its name says/],
    ["a.txt", "BZh91AY&SY", /packed with bzip2/],
    ["a.parquet", "", /it is empty/],
  ];
  it.each(beginnings)("%s: %s", async (name, content, what) => fails(fileOf(name, content), what));

  it("but a page in a text file is a text, and gzip is read whatever the name", async () => {
    expect((await read("page.txt", "<html>hi</html>")).texts).toEqual(["<html>hi</html>"]);
    expect((await read("a.jsonl", gzipSync('{"text":"x"}\n'))).texts).toEqual(["x"]);
  });
});
