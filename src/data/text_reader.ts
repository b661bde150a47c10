/** The text of data files as document parts: of plain text split at separators, of rows the field with the text. */
import { DataError } from "./data_error.ts";
import { formatOf } from "./data_format.ts";
import { openRows } from "./open_rows.ts";
import type { OnBytes } from "./row_source.ts";
import { readTextChunks } from "./text_chunks.ts";
import { cutDocument, type DocumentPart, DocumentSplitter } from "./text_document.ts";

export interface DocumentOptions {
  /** Field or column with the text, in JSONL, Parquet and Arrow files. Default `text`. */
  textField?: string;
  /** String between the documents of a plain text file. Default: each file is one document. */
  documentSeparator?: string | null;
}

/** The documents of a file, in order. @throws {DataError} with the line or row. */
export async function* readDocumentParts(
  file: string,
  { textField = "text", documentSeparator }: DocumentOptions = {},
  onBytes?: OnBytes,
): AsyncGenerator<DocumentPart> {
  const format = formatOf(file);
  if (format?.format === "text") {
    const splitter = new DocumentSplitter(documentSeparator || null);
    for await (const chunk of readTextChunks(file, format.gzipped, onBytes)) yield* splitter.push(chunk);
    yield* splitter.end();
    return;
  }
  for await (const { row, place } of openRows(file).rows({ fields: [textField], onBytes })) {
    const value = row[textField] ?? "";
    if (typeof value !== "string") throw new DataError(`${place}: field "${textField}" is not text`);
    yield* cutDocument(value);
  }
}
