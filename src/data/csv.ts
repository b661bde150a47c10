/** CSV and TSV: the first line names the columns. Every value is a text, or null where the line is too short. */
import type { Compression } from "./compression.ts";
import { DataError } from "./data_error.ts";
import type { JsonObject } from "./document.ts";
import { checkFields, type LocatedRow, type RowOptions } from "./row_source.ts";
import { SeparatedLines } from "./separated_lines.ts";
import { readTextChunks } from "./text_chunks.ts";

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
  separator: string,
  options: RowOptions,
): AsyncGenerator<LocatedRow> {
  const lines = new SeparatedLines(file, separator);
  let names: readonly string[] | undefined;
  let wanted: (readonly [name: string, index: number])[] = [];
  function* rows(found: ReturnType<SeparatedLines["push"]>): Generator<LocatedRow> {
    for (const { values, place } of found) {
      if (names === undefined) {
        names = columnNames(values);
        const fields = checkFields(file, names, options);
        wanted = [...names.entries()].filter(([, name]) => fields.includes(name)).map(([index, name]) => [name, index]);
        continue;
      }
      if (values.length > names.length) {
        throw new DataError(`${place}: ${values.length} values, and ${names.length} columns`);
      }
      const row: JsonObject = {};
      for (const [name, index] of wanted) row[name] = values[index] ?? null;
      yield { row, place };
    }
  }
  for await (const chunk of readTextChunks(file, compression, { ...options, asRows: true })) {
    yield* rows(lines.push(chunk));
  }
  yield* rows(lines.end());
}

export const readCsv = (file: string, compression: Compression | null, options: RowOptions) =>
  readSeparated(file, compression, ",", options);

export const readTsv = (file: string, compression: Compression | null, options: RowOptions) =>
  readSeparated(file, compression, "\t", options);
