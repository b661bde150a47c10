/** Where the text of a row is, and what is said if it is not there. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openRows } from "../../src/data/open_rows.ts";
import { documentsOf, fileOf, inputs, rowsOf } from "./data_folder.ts";

const golden = path.join(import.meta.dirname, "../golden/data");
const lines = (...rows: unknown[]) => fileOf("a.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"));
const fails = (file: string, message: string | RegExp, textField?: string) =>
  expect(documentsOf(file, { textField })).rejects.toThrow(message);

async function read(file: string, textField?: string): Promise<{ texts: string[]; remarks: string[] }> {
  const remarks: string[] = [];
  return { texts: await documentsOf(file, { textField, onRemark: (line) => remarks.push(line) }), remarks };
}

describe("the field with the text", () => {
  it("may be inside of objects", async () => {
    const file = lines(
      { meta: { text: "a" } },
      { meta: null },
      { meta: { text: null } },
      { "meta.text": "b", meta: {} },
    );
    const { texts, remarks } = await read(file, "meta.text");
    expect(texts).toEqual(["a", "b"]);
    expect(remarks).toEqual([`${file}: 2 of 4 rows left out: their "meta.text" is null`]);
    await fails(file, /a\.jsonl:1: no field "meta\.body" \(fields of meta: text\): name the one/, "meta.body");
    await fails(file, /a\.jsonl:1: no field "data\.text" \(fields: meta\): name the one/, "data.text");
  });

  it.each(["nested.parquet", "nested_v2.parquet"])("%s: the same of pages as of row groups", async (name) => {
    const file = path.join(golden, name);
    const rows = (await rowsOf(file)) as { meta: { text: string | null; deep: { x: string } | null } | null }[];
    const wanted: Record<string, (string | null | undefined)[]> = {
      "meta.text": rows.map(({ meta }) => meta?.text),
      "meta.deep.x": rows.map(({ meta }) => meta?.deep?.x),
    };
    expect(rows).toHaveLength(40);
    for (const [field, texts] of Object.entries(wanted)) {
      const present = texts.filter((text) => typeof text === "string");
      expect((await read(file, field)).texts).toEqual(present);
    }
    let bytes = 0;
    for await (const _ of openRows(file).rows({ fields: ["meta.text"], onBytes: (done) => (bytes = done) }));
    expect(bytes).toBe(readFileSync(file).length);
    await fails(file, /row 1: field "tags" is a list, not a text/, "tags");
    await fails(file, /row 1: field "meta" is an object, not a text/, "meta");
  });

  it("is named by the error if it is none of the fields, or no text", async () => {
    await fails(
      lines({ body: "x" }),
      /a\.jsonl:1: no field "text" \(fields: body\): name the one .* data\.text_field=NAME/,
    );
    await fails(lines({ text: 1 }), /a\.jsonl:1: field "text" is a number, not a text/);
    await fails(lines({ text: { a: 1 } }), /field "text" is an object/);
    await fails(lines({ text: true }), /field "text" is a boolean/);
    await fails(
      lines({ messages: [] }),
      /no field "text" \(fields: messages\): "messages" holds conversations, not texts/,
    );
    await fails(lines({ messages: [] }), /field "messages" is a list, not a text: "messages" holds/, "messages");
    await fails(lines({ conversations: [] }), /"conversations" holds conversations/);
  });
});

it("NaN and Infinity beside the text do no harm", async () => {
  for (const name of ["nan.jsonl", "inf.jsonl"]) {
    expect(await documentsOf(path.join(inputs, name))).toEqual(Array(3).fill("one two three"));
  }
});
