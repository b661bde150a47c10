/** Documents against what `datasets` makes of the same files (experiments/oracles/document_values.py). */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/data/document.ts";
import { readDocumentFile } from "../../../src/data/document_file.ts";
import { parseJsonValues } from "../../../src/data/json_values.ts";
import { withCsvColumnTypes } from "../../../src/eval/data/csv_columns.ts";
import { withColumnTypes } from "../../../src/eval/data/json_columns.ts";
import { TaskData } from "../../../src/eval/data/task_data.ts";
import { evaluate } from "../../../src/eval/evaluator.ts";
import { sampleLine } from "../../../src/eval/report/result_files.ts";
import { pythonRepr, pythonStr } from "../../../src/python/values.ts";
import { fakeLanguageModel } from "../fake_language_model.ts";
import { evaluateTask, taskOf } from "../task_fixture.ts";

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

/** The targets of lm-evaluation-harness 0.4.13. */
const numbers = path.join(folder, "numbers");
const targets: Record<string, string[]> = JSON.parse(readFileSync(path.join(numbers, "right_targets.json"), "utf8"));

const asked = `
output_type: generate_until
test_split: test
doc_to_text: "{{q}} {{a}} {{[a]}}"
doc_to_target: "{{a}}"
generation_kwargs: {max_gen_toks: 2}
`;

test("a task's prompts and targets", async () => {
  const task = taskOf(asked);
  const ours = Object.keys(targets).map(async (file) => {
    const dataFiles = { test: [path.join(numbers, file)] };
    const [{ samples }] = await evaluate(fakeLanguageModel({}), [{ ...task, dataFiles }], new TaskData());
    for (const {
      target,
      arguments: [[context]],
    } of samples)
      expect(context).toContain(` ${pythonStr(target)} [${pythonStr(target)}]`);
    return [file, samples.map(({ target }) => pythonStr(target))];
  });
  expect(Object.fromEntries(await Promise.all(ours))).toEqual(targets);
});

test("samples keep what JSON can say of them, as Python's json does", async () => {
  const task = taskOf(asked);
  const document = { q: 6.5, a: 7, big: 2 ** 53, day: "2024-01-02" };
  const { samples } = await evaluateTask(fakeLanguageModel({}), task, { test: [document, { ...document, q: 7 }] });
  const line = sampleLine(samples[1]);
  expect(line).toContain('"doc":{"q":7.0,"a":7,"big":9007199254740992,"day":"2024-01-02 00:00:00"}');
  // json.dumps(doc, indent=2, ensure_ascii=False) of that, by Python's hashlib.
  expect(JSON.parse(line).doc_hash).toBe("132bb8ec351d9e54b11976d8dea2f72311a1f0d586c33e31e098d8b610738f9f");
});
