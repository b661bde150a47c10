/** One way to read rows, whatever the format. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { Field, Int64, List, Struct, Table, tableToIPC, Utf8, vectorFromArray } from "apache-arrow";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRows } from "../../src/data/open_rows.ts";
import type { LocatedRow, RowOptions } from "../../src/data/row_source.ts";

const golden = path.join(import.meta.dirname, "../golden/data");
const texts = JSON.parse(readFileSync(path.join(golden, "rows.json"), "utf8")) as (string | null)[];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "rows-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function read(file: string, options?: RowOptions): Promise<LocatedRow[]> {
  const rows: LocatedRow[] = [];
  for await (const row of openRows(file).rows(options)) rows.push(row);
  return rows;
}

describe("all formats", () => {
  const jsonl = texts.map((text, id) => `${JSON.stringify({ id, text })}\n`).join("\n");
  const made: Record<string, () => string | Uint8Array> = {
    "rows.jsonl": () => `\ufeff${jsonl}`,
    "rows.jsonl.gz": () => gzipSync(jsonl),
    "rows without an ending": () => jsonl,
    "zstd.parquet": () => readFileSync(path.join(golden, "zstd.parquet")),
    "stream.arrow": () => readFileSync(path.join(golden, "stream.arrow")),
  };

  it.each(Object.keys(made))("%s: rows in order, numbers as numbers, with their place", async (name) => {
    const file = path.join(folder, name);
    writeFileSync(file, made[name]());
    const rows = await read(file);
    expect(rows.map(({ row }) => row.text ?? null)).toEqual(texts);
    expect(rows.map(({ row }) => row.id)).toEqual(texts.map((_, id) => id));
    const isColumns = /parquet|arrow/.test(name);
    expect(rows[2].place).toBe(isColumns ? `${file}: row 3` : `${file}:5`);
    const onlyIds = await read(file, { fields: ["id"] });
    expect(onlyIds.map(({ row }) => row.id)).toEqual(rows.map(({ row }) => row.id));
    if (isColumns) expect(Object.keys(onlyIds[0].row)).toEqual(["id"]);
    await expect(read(file, { fields: ["id", "body"] })).rejects.toThrow(/no field "body" \(fields: id, text/);
  });

  it.each(["a.jsonl", "a.txt.gz", "a.parquet", "a.arrow"])("%s: an absent file", async (name) => {
    const file = path.join(folder, name);
    await expect(read(file)).rejects.toThrow(`cannot read ${file}: no such file or folder`);
  });

  it("passes an error of the consumer through, and closes the file", async () => {
    const stop = new TypeError("enough");
    for (const name of ["snappy.parquet", "file.arrow"]) {
      const onBytes = () => {
        throw stop;
      };
      await expect(read(path.join(golden, name), { onBytes })).rejects.toBe(stop);
    }
  });
});

it("nested values of Arrow are plain", async () => {
  const file = path.join(folder, "nested.arrow");
  const question = { choices: ["a", "b"], answer: { index: 1n, label: "b" } };
  const type = new Struct([
    new Field("choices", new List(new Field("item", new Utf8()))),
    new Field("answer", new Struct([new Field("index", new Int64()), new Field("label", new Utf8())])),
  ]);
  writeFileSync(file, tableToIPC(new Table({ question: vectorFromArray([question], type) }), "file"));
  const [{ row }] = await read(file);
  expect(row).toEqual({ question: { choices: ["a", "b"], answer: { index: 1, label: "b" } } });
});

describe("JSON Lines", () => {
  it("says what is expected of a line", async () => {
    const file = path.join(folder, "a.jsonl");
    writeFileSync(file, '{"a":1}\n[1]\n');
    await expect(read(file)).rejects.toThrow(`${file}:2: not a JSON object (one object a line is expected)`);
    await expect(read(file, { fields: ["a"] })).rejects.toThrow(
      `${file}:2: not a JSON object (one object with a "a" field a line is expected)`,
    );
  });
});
