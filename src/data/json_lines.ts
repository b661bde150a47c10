/** JSON Lines, as they are or gzipped: a JSON object a line; empty lines do not count. */
import { messageOf } from "../errors/user_error.ts";
import { DataError } from "./data_error.ts";
import type { JsonObject } from "./document.ts";
import { parseJson, parseJsonValues } from "./json_values.ts";
import { checkFields, type LocatedRow, type OnBytes, type RowOptions } from "./row_source.ts";
import { readTextChunks } from "./text_chunks.ts";

/** A longer line is taken for a file that is not JSON Lines. */
const maxLineLength = 64 << 20;

async function* readLines(file: string, gzipped: boolean, onBytes?: OnBytes): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of readTextChunks(file, gzipped, onBytes)) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > maxLineLength) throw new DataError(`${file}: a line is longer than 64 Mi characters`);
  }
  if (rest !== "") yield rest;
}

/** Object of a line that must have `fields`. @throws {DataError} */
function parseRow(line: string, place: string, { fields, exact }: RowOptions): JsonObject {
  let row: unknown;
  try {
    row = exact ? parseJsonValues(line) : parseJson(line);
  } catch (error) {
    throw new DataError(`${place}: not valid JSON: ${messageOf(error)}`);
  }
  if (row === null || typeof row !== "object" || Array.isArray(row)) {
    const having = fields === undefined ? "" : ` with a ${fields.map((field) => `"${field}"`).join(" and ")} field`;
    throw new DataError(`${place}: not a JSON object (one object${having} a line is expected)`);
  }
  checkFields(place, Object.keys(row), fields);
  return row as JsonObject;
}

export async function* readJsonLines(file: string, gzipped: boolean, options: RowOptions): AsyncGenerator<LocatedRow> {
  let number = 0;
  for await (const line of readLines(file, gzipped, options.onBytes)) {
    number++;
    if (line.trim() === "") continue;
    const place = `${file}:${number}`;
    yield { row: parseRow(line, place, options), place };
  }
}
