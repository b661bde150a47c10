/** Documents against what `datasets` makes of the same files (experiments/oracles/document_values.py). */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/data/document.ts";
import { readDocumentFile } from "../../../src/data/document_file.ts";
import { parseJsonValues } from "../../../src/data/json_values.ts";
import { withCsvColumnTypes } from "../../../src/eval/data/csv_columns.ts";
import { withColumnTypes } from "../../../src/eval/data/json_columns.ts";
import { pythonRepr, pythonStr } from "../../../src/python/values.ts";

interface Values {
  str: string[];
  repr: string[];
}
type Columns = Record<string, Values>;

const folder = path.join(import.meta.dirname, "../../golden/documents");
const right: Record<"parquet" | "arrow", Columns> & Record<"jsonl" | "csv", { text: string; columns: Columns }[]> =
  JSON.parse(readFileSync(path.join(folder, "values.json"), "utf8"));

function columnsOf(documents: readonly JsonObject[]): Columns {
  return Object.fromEntries(
    Object.keys(documents[0]).map((name) => {
      const column = documents.map((document) => document[name]);
      return [name, { str: column.map(pythonStr), repr: column.map(pythonRepr) }];
    }),
  );
}

describe.each(["parquet", "arrow"] as const)("columns of %s", (kind) => {
  test("every type", async () => {
    const documents = await readDocumentFile(path.join(folder, `columns.${kind}`), { exact: true });
    expect(columnsOf(documents.map(({ document }) => document))).toEqual(right[kind]);
  });
});

test.each(right.jsonl)("JSON $text", ({ text, columns }) => {
  const documents = text
    .trimEnd()
    .split("\n")
    .map((line) => parseJsonValues(line) as JsonObject);
  expect(columnsOf(withColumnTypes(documents))).toEqual(columns);
});

test.each(right.csv)("CSV $text", ({ text, columns }) => {
  const [header, ...lines] = text
    .trimEnd()
    .split(/\n(?!y")/)
    .map((line) => line.split(","));
  const rows = lines.map((cells) =>
    Object.fromEntries(header.map((name, i) => [name, cells[i]?.replaceAll('"', "") ?? null])),
  );
  expect(columnsOf(withCsvColumnTypes(rows))).toEqual(columns);
});
