import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { documentsOf, fileOf, locatedRows, rowsOf } from "./data_folder.ts";

it("reads quotes, line breaks in them, empty and missing values, every line ending", async () => {
  const text = 'id,text\n1,"a, ""b""\nc"\n\n2,\n3\n4,x"y\n';
  const expected = [
    { id: "1", text: 'a, "b"\nc' },
    { id: "2", text: "" },
    { id: "3", text: null },
    { id: "4", text: 'x"y' },
  ];
  const file = fileOf("a.csv", text);
  const rows = await locatedRows(file);
  expect(rows.map(({ row }) => row)).toEqual(expected);
  expect(rows.map(({ place }) => place)).toEqual([2, 4, 6, 7].map((line) => `${file}:${line}`));
  expect(await rowsOf(fileOf("a.csv.gz", gzipSync(text)))).toEqual(expected);
  expect(await documentsOf(file)).toEqual(['a, "b"\nc', 'x"y']);
  expect(await rowsOf(fileOf("a.TSV", "id\ttext\r\n1\ta,b\r\n"))).toEqual([{ id: "1", text: "a,b" }]);
  expect(await rowsOf(fileOf("a.csv", "id,text\r1,a\r2,b\r"))).toHaveLength(2);
});

it("names columns and skips blank lines as pandas does", async () => {
  expect(await rowsOf(fileOf("a.csv", "a,a,\n1,2,3\n   \n4,5,6\n"))).toEqual([
    { a: "1", "a.1": "2", "Unnamed: 2": "3" },
    { a: "4", "a.1": "5", "Unnamed: 2": "6" },
  ]);
});

it("says what is wrong with the line", async () => {
  const file = fileOf("a.csv", "id,text\n1,a\n2,b,c\n");
  await expect(rowsOf(file)).rejects.toThrow(`${file}:3: 3 values, and 2 columns`);
  await expect(documentsOf(file, { textField: "body" })).rejects.toThrow(`${file}: no field "body" (fields: id, text)`);
  const open = fileOf("b.csv", 'id,text\n1,"a\n');
  await expect(rowsOf(open)).rejects.toThrow(`${open}:2: not readable as CSV: Quote Not Closed`);
});
