import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { SeparatedLines } from "../../src/data/separated_lines.ts";
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
  expect(rows.map(({ place }) => place)).toEqual([2, 5, 6, 7].map((line) => `${file}:${line}`));
  expect(await rowsOf(fileOf("a.csv.gz", gzipSync(text)))).toEqual(expected);
  expect(await documentsOf(file)).toEqual(['a, "b"\nc', 'x"y']);
  expect(await rowsOf(fileOf("a.TSV", "id\ttext\r\n1\ta,b\r\n"))).toEqual([{ id: "1", text: "a,b" }]);
  expect(await rowsOf(fileOf("a.csv", "id,text\r1,a\r2,b\r"))).toHaveLength(2);
});

/** Text of one line under the header `a,b`, and what pandas 3 reads. */
const quoted: readonly [line: string, a: string, b: string | null][] = [
  ['"a" ,1', "a ", "1"],
  ['"a "q" b",1', 'a q" b"', "1"],
  ['"a \\"q\\" b",1', 'a \\q\\" b"', "1"],
  [' "a",1', ' "a"', "1"],
  ['"a"b""c,1', 'ab""c', "1"],
  ['"a" "b",1', 'a "b"', "1"],
  ['"",1', "", "1"],
  ['"a""""b","""1"""', 'a""b', '"1"'],
  ['"x\r\ny" z', "x\r\ny z", null],
  ['" "', " ", null],
  ["a,", "a", ""],
];

it.each(quoted)("takes a quote that is not followed by the separator as pandas does: %s", async (line, a, b) => {
  expect(await rowsOf(fileOf("a.csv", `a,b\n${line}\n2,3\n`))).toEqual([
    { a, b },
    { a: "2", b: "3" },
  ]);
  expect(await rowsOf(fileOf("a.csv", `"a" ,b\r\n${line}`))).toEqual([{ "a ": a, b }]);
});

it("reads the same however the text is cut into chunks", () => {
  const text = `a,b\r\n${quoted.map(([line]) => line).join("\r\n")}\r\r\n \t\r""`;
  const read = (chunks: Iterable<string>) => {
    const lines = new SeparatedLines("f", ",");
    return [...Array.from(chunks, (chunk) => [...lines.push(chunk)]).flat(), ...lines.end()];
  };
  const whole = read([text]);
  expect(whole.slice(1, -1).map(({ values }) => [values[0], values[1] ?? null])).toEqual(
    quoted.map(([, a, b]) => [a, b]),
  );
  expect(whole.at(-1)).toEqual({ values: [""], place: "f:16" });
  expect(read(text)).toEqual(whole);
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
  await expect(rowsOf(open)).rejects.toThrow(`${open}:2: not readable as CSV: a quote is not closed`);
});
