import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { DocumentOptions } from "../../../src/data/text_reader.ts";
import { describeCorpus, hashCorpus, readDocuments, readTexts, resolveCorpus } from "../../../training/data/corpus.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const golden = path.join(import.meta.dirname, "../../golden/data");

async function documentsOf(sources: string[], options: DocumentOptions = {}): Promise<string[]> {
  const documents: string[] = [];
  for await (const { text, first } of readDocuments(await resolveCorpus(sources), options)) {
    if (first) documents.push(text);
    else documents[documents.length - 1] += text;
  }
  return documents;
}

function write(file: string, content: string | Uint8Array): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

describe("plain text", () => {
  it("is one document a file, or split at a separator", async () => {
    const folder = temporaryFolder();
    const file = write(path.join(folder, "a.txt"), "\ufeffone\n\ntwo\n\n\n\nthree\n");
    expect(await documentsOf([file])).toEqual(["one\n\ntwo\n\n\n\nthree\n"]);
    expect(await documentsOf([file], { documentSeparator: "\n\n" })).toEqual(["one", "two", "three"]);
  });

  it("is read in chunks without breaking characters, gzipped or not", async () => {
    const folder = temporaryFolder();
    const text = "aé日🙂\n".repeat(300_000);
    const plain = write(path.join(folder, "a.txt"), text);
    const gzipped = write(path.join(folder, "b.txt.gz"), gzipSync(text));
    expect(await documentsOf([plain])).toEqual([text]);
    expect(await documentsOf([gzipped])).toEqual([text]);
    expect((await documentsOf([plain], { documentSeparator: "\n" })).length).toBe(300_000);
  });

  it("must be text", async () => {
    const folder = temporaryFolder();
    const binary = write(path.join(folder, "a.txt"), Uint8Array.of(80, 75, 3, 4, 0, 0, 1, 2));
    await expect(documentsOf([binary])).rejects.toThrow(`${binary}: it is a ZIP archive`);
    const damaged = write(path.join(folder, "a.txt.gz"), "not gzip at all");
    await expect(documentsOf([damaged])).rejects.toThrow(/a\.txt\.gz: not packed as its name says/);
  });
});

describe("JSON Lines", () => {
  it("is a document a line", async () => {
    const folder = temporaryFolder();
    const file = write(
      path.join(folder, "a.jsonl"),
      '{"text":"one\\n"}\r\n\n{"text":null}\n{"text":""}\n{"text":"two"}',
    );
    expect(await documentsOf([file])).toEqual(["one\n", "two"]);
    const other = write(path.join(folder, "b.jsonl.gz"), gzipSync('{"story":"x","text":1}\n'));
    expect(await documentsOf([other], { textField: "story" })).toEqual(["x"]);
  });

  it("names the line of a fault", async () => {
    const folder = temporaryFolder();
    const fails = async (content: string, message: string | RegExp): Promise<void> => {
      const file = write(path.join(folder, "a.jsonl"), content);
      await expect(documentsOf([file])).rejects.toThrow(message);
    };
    await fails('{"text":"a"}\n\n{"text":', /a\.jsonl:3: not valid JSON: /);
    await fails(
      '{"text":"a"}\n{"id":1,"body":"b"}',
      /a\.jsonl:2: no field "text" \(fields: id, body\): name the one .* data\.text_field=NAME/,
    );
    await fails('{"text":["a"]}', /a\.jsonl:1: field "text" is a list, not a text: name the one/);
    await fails('[["a"]]', /a\.jsonl:1: not a JSON object/);
  });
});

describe("Parquet and Arrow", () => {
  const rows = JSON.parse(readFileSync(path.join(golden, "rows.json"), "utf8")) as (string | null)[];
  const texts = rows.filter((text) => text);
  const parquet = ["none", "snappy", "gzip", "zstd", "brotli", "lz4", "plain"].map((name) => `${name}.parquet`);
  const arrow = ["file", "stream", "large", "dictionary"].map((name) => `${name}.arrow`);

  it.each([...parquet, ...arrow])("%s", async (name) => {
    expect(await documentsOf([path.join(golden, name)])).toEqual(texts);
  });

  it.each(["snappy.parquet", "file.arrow", "stream.arrow"])("%s: a missing or other field", async (name) => {
    const file = path.join(golden, name);
    await expect(documentsOf([file], { textField: "body" })).rejects.toThrow(
      `${file}: no field "body" (fields: id, text, label)`,
    );
    await expect(documentsOf([file], { textField: "id" })).rejects.toThrow(
      `${file}: row 1: field "id" is a number, not a text`,
    );
  });

  it("that are damaged are named", async () => {
    const folder = temporaryFolder();
    for (const name of ["snappy.parquet", "file.arrow", "stream.arrow"]) {
      const content = readFileSync(path.join(golden, name));
      for (const length of [0, 10, content.length >> 1]) {
        const file = write(path.join(folder, name), content.subarray(0, length));
        const kind = name.endsWith("parquet") ? "Parquet" : "Arrow";
        await expect(documentsOf([file]), `${name} cut at ${length}`).rejects.toThrow(
          `${file}: not a readable ${kind} file`,
        );
      }
    }
  });
});

describe("resolveCorpus", () => {
  it("takes files, folders and patterns in the order given", async () => {
    const folder = temporaryFolder();
    for (const name of ["b.txt", "a.jsonl", "sub/c.txt", "notes.pdf"]) write(path.join(folder, name), '{"text":"x"}');
    const names = async (...sources: string[]): Promise<string[]> =>
      (await resolveCorpus(sources.map((source) => path.join(folder, source)))).map((file) =>
        path.relative(folder, file.path),
      );
    expect(await names("sub", "*.txt")).toEqual(["sub/c.txt", "b.txt"]);
    expect(await names(".")).toEqual(["a.jsonl", "b.txt", "sub/c.txt"]);
  });

  it("says in one line what is wrong with a source", async () => {
    const folder = temporaryFolder();
    const fails = (source: string, message: string | RegExp) =>
      expect(resolveCorpus([source])).rejects.toThrow(message);
    await fails(path.join(folder, "no.txt"), /no\.txt: no such file or folder here$/);
    await fails("data/missing.jsonl", "data/missing.jsonl: no such file");
    await fails("missing", "missing: no such file");
    await fails(write(path.join(folder, "a.pdf"), "x"), /a\.pdf: no readable kind of file: \.pdf \(readable: \.txt, /);
    await fails(path.join(folder, "*.txt"), /\*\.txt: no readable file matches$/);
    await fails(folder, /no readable file in this folder/);
    await expect(resolveCorpus([])).rejects.toThrow("no data given");
  });
});

describe("what is counted", () => {
  it("is each file once, with a remark on the others, and the kinds", async () => {
    const folder = temporaryFolder();
    const file = write(path.join(folder, "a.txt"), "x");
    write(path.join(folder, "b.jsonl.gz"), gzipSync('{"text":"y"}'));
    symlinkSync("a.txt", path.join(folder, "z.txt"));
    const remarks: string[] = [];
    const files = await resolveCorpus([folder, file], { onRemark: (line) => remarks.push(line) });
    expect(files.map(({ path: name }) => path.basename(name))).toEqual(["a.txt", "b.jsonl.gz"]);
    expect(remarks).toEqual([
      `${path.join(folder, "z.txt")}: left out: a link to ${file}`,
      `${file}: named more than once, counted once`,
    ]);
    expect(describeCorpus(files)).toBe("2 files (1 .txt, 1 .jsonl.gz), 1 kB");
    write(path.join(folder, "c-00001-of-00002.txt"), "x");
    await resolveCorpus([path.join(folder, "c-00001-of-00002.txt")], { onRemark: (line) => remarks.push(line) });
    expect(remarks.at(-1)).toMatch(/1 of 2 shards of .* is missing: .*c-00000-of-00002\.txt/);
  });
});

describe("readTexts and hashCorpus", () => {
  it("report the bytes read", async () => {
    const files = await resolveCorpus([path.join(golden, "snappy.parquet"), path.join(golden, "stream.arrow")]);
    const total = files[0].bytes + files[1].bytes;
    const seen: number[] = [];
    for await (const text of readTexts(files, {}, (bytes) => seen.push(bytes))) expect(text).not.toBe("");
    expect(seen.at(-1)).toBe(total);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    let hashed = 0;
    await hashCorpus(files, (bytes) => {
      hashed = bytes;
    });
    expect(hashed).toBe(total);
  });

  it("hash content, order and kind, not names", async () => {
    const folder = temporaryFolder();
    const hash = async (...names: string[]): Promise<string> =>
      hashCorpus(await resolveCorpus(names.map((name) => path.join(folder, name))));
    for (const [name, content] of Object.entries({
      "a.txt": "xy",
      "b.txt": "xy",
      "c.txt": "x",
      "d.txt": "y",
      "e.md": "xy",
      "f.jsonl": "xy",
    })) {
      write(path.join(folder, name), content);
    }
    const a = await hash("a.txt");
    expect(await hash("b.txt")).toBe(a);
    expect(await hash("e.md")).toBe(a);
    expect(await hash("f.jsonl")).not.toBe(a);
    expect(await hash("c.txt", "d.txt")).not.toBe(a);
    expect(await hash("c.txt", "d.txt")).not.toBe(await hash("d.txt", "c.txt"));
  });
});
