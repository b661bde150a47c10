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

/** As pandas names them: repeated names are numbered, missing ones made up. */
function columnNames(header: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return header.map((name, index) => {
    const given = name === "" ? `Unnamed: ${index}` : name;
    const count = seen.get(given) ?? 0;
    seen.set(given, count + 1);
    return count === 0 ? given : `${given}.${count}`;
  });
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
        names = columnNames(record);
        wanted = checkFields(file, names, options);
        place = `${file}:${info.lines + 1}`;
        continue;
      }
      const isBlank = record.length === 1 && names.length > 1 && record[0].trim() === "";
      if (isBlank) {
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
