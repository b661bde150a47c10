/** A folder for the data files of a test, and the documents of a file. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import type { JsonObject } from "../../src/data/document.ts";
import { openRows } from "../../src/data/open_rows.ts";
import type { LocatedRow, RowOptions } from "../../src/data/row_source.ts";
import { type DocumentOptions, readDocumentParts } from "../../src/data/text_reader.ts";

/** Inputs that real programs wrote. */
export const inputs = path.join(import.meta.dirname, "../golden/data/inputs");

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A new folder with these files; removed after the tests. */
export function folderOf(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(path.join(tmpdir(), "bitnet-lab-data-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return folder;
}

/** One such file. */
export function fileOf(name: string, content: string | Uint8Array): string {
  return path.join(folderOf({ [name]: content }), name);
}

export async function documentsOf(file: string, options: DocumentOptions = {}): Promise<string[]> {
  const documents: string[] = [];
  for await (const { text, first } of readDocumentParts(file, options)) {
    if (first) documents.push(text);
    else documents[documents.length - 1] += text;
  }
  return documents;
}

export async function locatedRows(file: string, options?: RowOptions): Promise<LocatedRow[]> {
  const rows: LocatedRow[] = [];
  for await (const row of openRows(file).rows(options)) rows.push(row);
  return rows;
}

export async function rowsOf(file: string, options?: RowOptions): Promise<JsonObject[]> {
  return (await locatedRows(file, options)).map(({ row }) => row);
}
