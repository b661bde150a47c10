/**
 * CSV and TSV: the first line names the columns, quotes keep separators and line breaks, a quote within a field is doubled;
 * LF, CRLF and CR. Every value is a text, or null where the line is too short.
 */
import { Readable } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import type { Compression } from "./compression.ts";
import { DataError } from "./data_error.ts";
import type { JsonObject } from "./document.ts";
import { checkFields, type LocatedRow, type RowOptions } from "./row_source.ts";
import { readTextChunks } from "./text_chunks.ts";

interface Line {
  record: string[];
  info: Info;
}

async function* readSeparated(
  file: string,
  compression: Compression | null,
  delimiter: string,
  options: RowOptions,
): AsyncGenerator<LocatedRow> {
  const text = Readable.from(readTextChunks(file, compression, { ...options, asRows: true }), { objectMode: true });
  const lines = parse({
    delimiter,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: 64 << 20,
  });
  text.on("error", (error) => lines.destroy(error));
  let names: readonly string[] | undefined;
  let wanted: readonly string[] = [];
  let place = `${file}:1`;
  try {
    for await (const { record, info } of text.pipe(lines) as AsyncIterable<Line>) {
      if (names === undefined) {
        names = record;
        wanted = checkFields(file, names, options);
        place = `${file}:${info.lines + 1}`;
        continue;
      }
      if (record.length > names.length) {
        throw new DataError(`${place}: ${record.length} values, and ${names.length} columns`);
      }
      const row: JsonObject = {};
      for (const [index, name] of names.entries()) if (wanted.includes(name)) row[name] = record[index] ?? null;
      yield { row, place };
      place = `${file}:${info.lines + 1}`;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new DataError(`${place}: not readable as CSV: ${error.message}`);
  } finally {
    text.destroy();
    lines.destroy();
  }
}

export const readCsv = (file: string, compression: Compression | null, options: RowOptions) =>
  readSeparated(file, compression, ",", options);

export const readTsv = (file: string, compression: Compression | null, options: RowOptions) =>
  readSeparated(file, compression, "\t", options);
