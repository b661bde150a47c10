/** The text of data files as document parts: of plain text split at separators, of rows the field with the text. */
import { DataError } from "./data_error.ts";
import { formatOf } from "./data_format.ts";
import type { JsonObject } from "./document.ts";
import { columnOf, fieldValue } from "./field_path.ts";
import { openRows } from "./open_rows.ts";
import type { OnBytes, OnRemark } from "./row_source.ts";
import { readTextChunks } from "./text_chunks.ts";
import { cutDocument, type DocumentPart, DocumentSplitter } from "./text_document.ts";

export interface DocumentOptions {
  /** Field or column with the text, or the path to it (`meta.text`), in files of rows. Default `text`. */
  textField?: string;
  /** What the user sets to name another field. Default `--set data.text_field`. */
  textFieldKey?: string;
  /** String between the documents of a plain text file. Default: each file is one document. */
  documentSeparator?: string | null;
  /** Gets what was left out or let through, file by file. */
  onRemark?: OnRemark;
}

/** Columns of conversations: they must become texts first. */
const conversationFields = ["messages", "conversations", "conversation", "chosen", "prompt"];

/** What to do where the field with the text is not among `present`. */
export function textFieldAdvice(present: readonly string[], key: string): string {
  const conversation = conversationFields.find((field) => present.includes(field));
  if (conversation === "messages" || conversation?.startsWith("conversation")) {
    return `"${conversation}" holds conversations, not texts: write each as one text (by a chat template) into a field "text"`;
  }
  return `name the one with the text by ${key}=NAME (or a path like meta.text)`;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value instanceof Uint8Array) return "bytes";
  return typeof value === "object" ? "an object" : `a ${typeof value === "bigint" ? "number" : typeof value}`;
}

/** The fields that the object has in which a path ends. */
function innerFields(row: JsonObject, path: string): string {
  const column = columnOf(path, Object.keys(row));
  const value = column === undefined ? undefined : row[column];
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  return isObject ? ` (fields of ${column}: ${Object.keys(value).join(", ") || "none"})` : "";
}

/** The text in a row, or null. @throws {DataError} if the field is not there or holds something else. */
function textOf(row: JsonObject, place: string, field: string, key: string): string | null {
  const value = fieldValue(row, field);
  if (value === null || typeof value === "string") return value;
  if (value === undefined) {
    // Absent, or a path that ends early: Arrow's missing values are undefined, too.
    if (field in row) return null;
    throw new DataError(`${place}: no field "${field}"${innerFields(row, field)}: ${textFieldAdvice([], key)}`);
  }
  const isConversation = conversationFields.includes(field) && Array.isArray(value);
  const advice = isConversation ? textFieldAdvice([field], key) : textFieldAdvice([], key);
  throw new DataError(`${place}: field "${field}" is ${describe(value)}, not a text: ${advice}`);
}

/** The documents of a file, in order. @throws {DataError} with the line or row. */
export async function* readDocumentParts(
  file: string,
  options: DocumentOptions = {},
  onBytes?: OnBytes,
): AsyncGenerator<DocumentPart> {
  const { textField = "text", textFieldKey = "--set data.text_field", documentSeparator, onRemark } = options;
  const format = formatOf(file);
  if (format?.format === "text") {
    const splitter = new DocumentSplitter(documentSeparator || null);
    for await (const chunk of readTextChunks(file, format.compression, { onBytes, onRemark })) {
      yield* splitter.push(chunk);
    }
    yield* splitter.end();
    return;
  }
  const advise = (present: readonly string[]) => textFieldAdvice(present, textFieldKey);
  let rows = 0;
  let empty = 0;
  for await (const { row, place } of openRows(file).rows({ fields: [textField], advise, onBytes, onRemark })) {
    const text = textOf(row, place, textField, textFieldKey);
    rows++;
    if (text === null) empty++;
    else yield* cutDocument(text);
  }
  if (empty > 0) onRemark?.(`${file}: ${empty} of ${rows} rows left out: their "${textField}" is null`);
}
