/**
 * The values of one column of a Parquet file, a page at a time: a file of one giant row group passes through as much
 * memory as a page takes. (hyparquet itself decodes the columns of a row group as a whole.)
 */
import type { AsyncBuffer, ColumnMetaData, DecodedArray, FileMetaData } from "hyparquet";
import { parquetSchema } from "hyparquet";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { convert, DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { getMaxRepetitionLevel, getTreePath } from "hyparquet/src/schema.js";
import { compressors } from "hyparquet-compressors";
import { columnOf } from "./field_path.ts";

/** Read at once; a page that is larger is read as a whole. */
const readAhead = 4 << 20;
/** A page's header: mostly the statistics of its values. */
const maxHeader = 64 << 10;

/**
 * Names from the top to the column that `field` is, or the path to it (`meta.text`); undefined if it is a list, or has objects
 * in it: that takes several columns.
 */
export function columnPath(metadata: FileMetaData, field: string): string[] | undefined {
  const path: string[] = [];
  let node = parquetSchema(metadata);
  for (let rest = field; rest !== ""; ) {
    const names = node.children.map(({ element }) => element.name);
    const name = columnOf(rest, names);
    if (name === undefined) return undefined;
    path.push(name);
    node = node.children[names.indexOf(name)];
    rest = rest.slice(name.length + 1);
  }
  const isOne = node.children.length === 0 && getMaxRepetitionLevel(getTreePath(parquetSchema(metadata), path)) === 0;
  return isOne ? path : undefined;
}

/** A value out of the lists that stand for the objects around it; an empty one is an object that is null. */
function innermost(value: unknown): unknown {
  return Array.isArray(value) ? innermost(value[0] ?? null) : value;
}

/** A stretch of a file, read in parts as they are needed. */
class Window {
  private readonly file: AsyncBuffer;
  private readonly end: number;
  private view = new DataView(new ArrayBuffer(0));
  private start: number;

  constructor(file: AsyncBuffer, start: number, end: number) {
    this.file = file;
    this.start = start;
    this.end = end;
  }

  /** At least `length` bytes from `position` on, or those that are left. */
  async at(position: number, length: number): Promise<DataView> {
    const wanted = Math.min(length, this.end - position);
    const offset = position - this.start;
    if (offset < 0 || offset + wanted > this.view.byteLength) {
      const end = Math.min(this.end, position + Math.max(readAhead, length));
      this.view = new DataView(await this.file.slice(position, end));
      this.start = position;
    }
    const from = position - this.start;
    return new DataView(this.view.buffer, from, this.view.byteLength - from);
  }
}

function startOf({ dictionary_page_offset, data_page_offset }: ColumnMetaData): number {
  const dictionary = Number(dictionary_page_offset ?? 0);
  return dictionary > 0 && dictionary < data_page_offset ? dictionary : Number(data_page_offset);
}

/** Values of the column, page by page; `end` is where in the file the page ends. */
export async function* columnPages(
  file: AsyncBuffer,
  metadata: FileMetaData,
  path: readonly string[],
): AsyncGenerator<{ values: unknown[]; end: number }> {
  const schemaPath = getTreePath(parquetSchema(metadata), [...path]);
  const name = path.join(".");
  for (const { columns, num_rows } of metadata.row_groups) {
    const column = columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === name)?.meta_data;
    if (column === undefined) throw new Error(`a row group lacks the column ${name}`);
    const { element } = schemaPath[schemaPath.length - 1];
    const decoder = { ...column, pathInSchema: [...path], element, schemaPath, compressors, parsers: DEFAULT_PARSERS };
    let position = startOf(column);
    const window = new Window(file, position, position + Number(column.total_compressed_size));
    let dictionary: DecodedArray | undefined;
    for (let rows = 0; rows < Number(num_rows); ) {
      const reader = { view: await window.at(position, maxHeader), offset: 0 };
      const header = parquetHeader(reader);
      position += reader.offset;
      const page = { view: await window.at(position, header.compressed_page_size), offset: 0 };
      position += header.compressed_page_size;
      const { data } = readPage(page, header, decoder, dictionary, undefined, 0);
      if (data === undefined) throw new Error("a page holds no values");
      if (header.type === "DICTIONARY_PAGE") {
        dictionary = convert(data, decoder);
        continue;
      }
      rows += data.length;
      yield { values: Array.from(data, innermost), end: position };
    }
  }
}
