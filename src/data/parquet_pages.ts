/**
 * The values of one flat column of a Parquet file, a page at a time: a file of one giant row group passes through as much
 * memory as a page takes. (hyparquet itself decodes the column of a row group as a whole.)
 */
import type { AsyncBuffer, ColumnMetaData, DecodedArray, FileMetaData } from "hyparquet";
import { parquetSchema } from "hyparquet";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { convert, DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { getTreePath, isFlatColumn } from "hyparquet/src/schema.js";
import { compressors } from "hyparquet-compressors";

/** Read at once; a page that is larger is read as a whole. */
const readAhead = 4 << 20;
/** A page's header: mostly the statistics of its values. */
const maxHeader = 64 << 10;

/** True if `name` is a column without lists or objects in it. */
export function isFlat(metadata: FileMetaData, name: string): boolean {
  const column = parquetSchema(metadata).children.find(({ element }) => element.name === name);
  return column !== undefined && isFlatColumn(getTreePath(parquetSchema(metadata), [name]));
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
  name: string,
): AsyncGenerator<{ values: DecodedArray; end: number }> {
  const schemaPath = getTreePath(parquetSchema(metadata), [name]);
  for (const { columns, num_rows } of metadata.row_groups) {
    const column = columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === name)?.meta_data;
    if (column === undefined) throw new Error(`a row group lacks the column ${name}`);
    const { element } = schemaPath[schemaPath.length - 1];
    const decoder = { ...column, pathInSchema: [name], element, schemaPath, compressors, parsers: DEFAULT_PARSERS };
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
      yield { values: data, end: position };
    }
  }
}
