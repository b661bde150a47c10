/** What the readers of all formats share: the form of a row, and how errors name file and place. */
import { systemErrorCode, systemErrorText } from "../errors/system_error.ts";
import { messageOf, UserError } from "../errors/user_error.ts";
import { DataError } from "./data_error.ts";
import type { JsonObject } from "./document.ts";
import { columnOf } from "./field_path.ts";
import { contentRemark } from "./file_content.ts";

/** Bytes of the file read so far, on disk. */
export type OnBytes = (bytes: number) => void;

/** Something about the data that is no error, but that the user should hear: a line, without a full stop. */
export type OnRemark = (line: string) => void;

/** The first few of many remarks, and how many there are besides. */
export function firstRemarks(remarks: readonly string[], most = 5): string[] {
  const rest = remarks.length - most;
  return rest <= 1 ? [...remarks] : [...remarks.slice(0, most), `${rest} remarks more of this kind on the data`];
}

export interface LocatedRow {
  row: JsonObject;
  /** `file:line`, or `file: row N` where there are no lines (both from 1). */
  place: string;
}

export interface RowOptions {
  /**
   * Fields that every row must have, or paths into them (`meta.text`); only these columns are read from files of
   * columns. Default: all that there are.
   */
  fields?: readonly string[];
  /**
   * Values as Python has them, ints apart from floats, dates, decimals (src/python/values.ts); else as JSON has them, which
   * is enough for texts.
   */
  exact?: boolean;
  /** What to do about a field that is not there, to end the error; `present` are those that are. */
  advise?: (present: readonly string[]) => string;
  onBytes?: OnBytes;
  onRemark?: OnRemark;
}

export interface RowSource {
  /**
   * The rows, in order, a chunk of the file in memory at a time.
   * @throws {DataError} with file and place: what cannot be read, is no object, or lacks a field
   */
  rows(options?: RowOptions): AsyncGenerator<LocatedRow>;
}

/** The columns that hold the wanted fields. @throws {DataError} naming the fields that there are, if one has none. */
export function checkFields(place: string, present: readonly string[], { fields, advise }: RowOptions): string[] {
  const columns = fields?.map((field) => {
    const column = columnOf(field, present);
    if (column !== undefined) return column;
    throw new DataError(
      `${place}: no field "${field}" (fields: ${present.join(", ") || "none"})${advise === undefined ? "" : `: ${advise(present)}`}`,
    );
  });
  return [...new Set(columns ?? present)];
}

/** What a reader's library, or the system, says of `file`; errors for people stay. @param kind `Parquet` */
export function readError(file: string, error: unknown, kind?: string): unknown {
  if (error instanceof UserError) return error;
  if (systemErrorCode(error) !== undefined && (error as NodeJS.ErrnoException).path !== undefined) {
    return new DataError(`cannot read ${file}: ${systemErrorText(error)}`);
  }
  return new DataError(`${file}: ${kind === undefined ? "" : `not a readable ${kind} file: `}${messageOf(error)}`);
}

/**
 * The items of `source`, whose errors become those of `file`; what the consumer throws does not. Of a file of columns that
 * is something else, the error says what.
 */
export async function* readable<T>(source: AsyncIterable<T>, file: string, kind?: string): AsyncGenerator<T> {
  const items = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await items.next().catch(async (error: unknown) => {
        const remark = kind === undefined ? undefined : await contentRemark(file, kind);
        const isLibrary = !(error instanceof UserError) && systemErrorCode(error) === undefined;
        throw readError(file, isLibrary && remark !== undefined ? new Error(remark) : error, kind);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await items.return?.();
  }
}

/** Values as JSON has them: the 64-bit integers of files of columns become numbers. */
export function withPlainNumbers(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(withPlainNumbers);
  if (value === null || typeof value !== "object" || value instanceof Date || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withPlainNumbers(entry)]));
}
