/**
 * Objects of JSON: one a line (empty lines do not count), or, where the first line is not a whole object, whatever
 * `json_elements.ts` finds. Compressed or not.
 */
import { stat } from "node:fs/promises";
import { messageOf } from "../errors/user_error.ts";
import type { Compression } from "./compression.ts";
import { DataError } from "./data_error.ts";
import type { JsonObject } from "./document.ts";
import { JsonElements } from "./json_elements.ts";
import { parseJson, parseJsonValues } from "./json_values.ts";
import { LoneSurrogates } from "./lone_surrogates.ts";
import { checkFields, type LocatedRow, type RowOptions } from "./row_source.ts";
import { readTextChunks } from "./text_chunks.ts";

/** A longer line is taken for a file that is not JSON Lines. */
const maxLineLength = 64 << 20;
/** The first line must be whole within so much to be looked at as one. */
const maxFirstLine = 1 << 20;

async function* splitLines(file: string, chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > maxLineLength) throw new DataError(`${file}: a line is longer than 64 Mi characters`);
  }
  if (rest !== "") yield rest;
}

function parses(line: string): boolean {
  try {
    const value: unknown = parseJson(line);
    return value !== null && typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * Object of a text that must have `fields`.
 * @param inList an element of an array: of texts each is a row, in the field `text`, as `datasets` has it
 * @throws {DataError}
 */
function parseRow(text: string, place: string, options: RowOptions, inList = false): JsonObject {
  let row: unknown;
  try {
    row = options.exact ? parseJsonValues(text) : parseJson(text);
  } catch (error) {
    throw new DataError(`${place}: not valid JSON: ${messageOf(error)}`);
  }
  if (inList && typeof row === "string") row = { text: row };
  if (row === null || typeof row !== "object" || Array.isArray(row)) {
    const { fields } = options;
    const having = fields === undefined ? "" : ` with a ${fields.map((field) => `"${field}"`).join(" and ")} field`;
    throw new DataError(`${place}: not a JSON object (one object${having} a line is expected)`);
  }
  checkFields(place, Object.keys(row), options);
  return row as JsonObject;
}

/** The chunks again, and whether they hold an object a line. */
async function lookAhead(chunks: AsyncGenerator<string>, isJsonFile: boolean) {
  let seen = "";
  let isEnd = false;
  let lines: string[] = [];
  while (lines.length < 2 && seen.length < maxFirstLine) {
    const next = await chunks.next();
    if (next.done) {
      isEnd = true;
      break;
    }
    seen += next.value;
    lines = seen.split("\n", 50).filter((line) => line.trim() !== "");
  }
  async function* all(): AsyncGenerator<string> {
    yield seen;
    yield* chunks;
  }
  const isWhole = isEnd || lines.length > 1;
  // The only line of a .json file may be an object around the rows.
  const isWrapper = isJsonFile && isEnd && lines.length === 1;
  return { all: all(), hasLines: isWhole && !isWrapper && lines.length > 0 && parses(lines[0]) };
}

export async function* readJsonLines(
  file: string,
  compression: Compression | null,
  options: RowOptions,
): AsyncGenerator<LocatedRow> {
  const isJsonFile = /\.json(\.\w+)?$/i.test(file);
  const { all, hasLines } = await lookAhead(
    readTextChunks(file, compression, { ...options, asRows: true }),
    isJsonFile,
  );
  const surrogates = new LoneSurrogates(file, (await stat(file)).size);
  const rowOf = (text: string, line: number, inList = false): LocatedRow => {
    const place = `${file}:${line}`;
    return { row: parseRow(surrogates.replace(text, place), place, options, inList), place };
  };
  if (hasLines) {
    let number = 0;
    for await (const line of splitLines(file, all)) {
      number++;
      if (line.trim() !== "") yield rowOf(line, number);
    }
  } else {
    const elements = new JsonElements(file, { field: options.fields?.[0], unwraps: isJsonFile });
    function* rows(found: Iterable<{ text: string; line: number }>): Generator<LocatedRow> {
      for (const { text, line } of found) yield rowOf(text, line, elements.isList);
    }
    for await (const chunk of all) yield* rows(elements.push(chunk));
    yield* rows(elements.end());
  }
  const remark = surrogates.remark();
  if (remark !== undefined) options.onRemark?.(remark);
}
