/** Task documents from data files. Whatever is wrong is reported with the file and the line or row. */
import type { JsonObject } from "./document.ts";
import { openRows } from "./open_rows.ts";
import type { RowOptions } from "./row_source.ts";

export interface LocatedDocument {
  document: JsonObject;
  /** `file:line`, or `file: row N` in a file of columns (both from 1). */
  place: string;
  /** Fields that other documents of its split have; here they are None. */
  missing?: readonly string[];
}

/** All documents of a file, in order. @throws {DataError} */
export async function readDocumentFile(file: string, options: RowOptions = {}): Promise<LocatedDocument[]> {
  const documents: LocatedDocument[] = [];
  for await (const { row, place } of openRows(file).rows(options)) documents.push({ document: row, place });
  return documents;
}
