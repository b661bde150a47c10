import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type JsonElement, JsonElements } from "../../src/data/json_elements.ts";
import { documentsOf, fileOf, inputs, locatedRows, rowsOf } from "./data_folder.ts";

const three = [
  { text: "a [1] {", n: 1 },
  { text: 'b "]}\\', n: 2 },
  { text: "c,\n", n: 3, in: { data: [{ x: 1 }] } },
];
const pretty = JSON.stringify(three, null, 2);

function elementsOf(text: string, size: number, unwraps = true): JsonElement[] {
  const elements = new JsonElements("f", { unwraps });
  const found: JsonElement[] = [];
  for (let i = 0; i < text.length; i += size) found.push(...elements.push(text.slice(i, i + size)));
  return [...found, ...elements.end()];
}

describe("JSON that is no JSON Lines", () => {
  const same: Record<string, string> = {
    "an array in many lines": pretty,
    "an array in one line": JSON.stringify(three),
    "an array with line breaks of Windows": pretty.replaceAll("\n", "\r\n"),
    "pretty objects one after the other": three.map((row) => JSON.stringify(row, null, 2)).join("\n"),
    "objects without a line break between them": three.map((row) => JSON.stringify(row)).join(""),
    "an object around the rows": `{"version": "1", "data": ${pretty}, "more": [1, {"data": [{}]}]}\n`,
    "that in one line": JSON.stringify({ data: three }),
    "an object a line": three.map((row) => JSON.stringify(row)).join("\n"),
  };
  it.each(Object.keys(same))("%s: the same rows", async (name) => {
    expect(await rowsOf(fileOf("a.json", same[name]))).toEqual(three);
    expect(await rowsOf(fileOf("a.json.gz", gzipSync(same[name])))).toEqual(three);
    expect(await documentsOf(fileOf("A.JSON", same[name]))).toEqual(three.map(({ text }) => text));
    for (const size of [1, 7, 64]) {
      expect(
        elementsOf(same[name], size).map(({ text }) => JSON.parse(text)),
        `chunks of ${size}`,
      ).toEqual(three);
    }
  });

  it("a list of texts is a row a text, in the field text", async () => {
    for (const text of ['["one", "t\\"w,o"]', '["one",\n "t\\"w,o"\n]']) {
      expect(await rowsOf(fileOf("a.json", text))).toEqual([{ text: "one" }, { text: 't"w,o' }]);
      expect(await documentsOf(fileOf("a.jsonl", text))).toEqual(["one", 't"w,o']);
    }
    await expect(rowsOf(fileOf("a.jsonl", '"one"\n"two"\n'))).rejects.toThrow(":1: not a JSON object");
    await expect(rowsOf(fileOf("a.json", "[1, 2]"))).rejects.toThrow(":1: not a JSON object");
  });

  it("one object is one row, and lists of other keys stay in it", async () => {
    const one = { text: "x", choices: [{ label: "A" }], data: [1, 2] };
    for (const text of [JSON.stringify(one), JSON.stringify(one, null, 1)]) {
      expect(await rowsOf(fileOf("a.json", text))).toEqual([one]);
    }
    const withRows = { text: "x", data: [{ y: 1 }] };
    expect(await documentsOf(fileOf("a.json", JSON.stringify(withRows)))).toEqual(["x"]);
    expect(await rowsOf(fileOf("a.jsonl", JSON.stringify(withRows)))).toEqual([withRows]);
  });

  it("rows know their line", async () => {
    const file = fileOf("a.json", pretty);
    expect((await locatedRows(file)).map(({ place }) => place)).toEqual([`${file}:2`, `${file}:6`, `${file}:10`]);
  });

  it("what is wrong is said with the line", async () => {
    const fails = (text: string, message: RegExp) => expect(rowsOf(fileOf("a.json", text))).rejects.toThrow(message);
    await fails('[\n{"text": "a"},\n{"text": ', /a\.json:3: not valid JSON: the file ends within a value/);
    await fails('[\n{"text": "a"}\n', /a\.json:3: not valid JSON: the file ends within a value/);
    await fails('[\n{"text": "a"},\n{text: 1}]', /a\.json:3: not valid JSON: /);
    await fails('[\n{"a": 1}]]', /a\.json:2: not valid JSON: a bracket closes nothing/);
    await fails("[1,\n2]", /a\.json:1: not a JSON object/);
    await fails("hello world", /a\.json:1: not valid JSON: /);
    expect(await rowsOf(fileOf("a.json", "[]"))).toEqual([]);
    expect(await rowsOf(fileOf("a.json", " \n"))).toEqual([]);
  });
});

describe("given inputs", () => {
  it("arrays have the rows of the JSON Lines", async () => {
    const rows = await documentsOf(path.join(inputs, "same_rows.jsonl"));
    expect(rows.length).toBeGreaterThan(50);
    expect(await documentsOf(path.join(inputs, "arr_line.json"))).toEqual(rows);
    expect(await documentsOf(path.join(inputs, "arr_pretty.json"))).toEqual(rows);
    expect(await rowsOf(path.join(inputs, "ok.jsonl.gz"))).toHaveLength(3);
  });
});
