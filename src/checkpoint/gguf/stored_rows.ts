/** The rows of a GGUF tensor, read in pieces: as levels and scales, or as the values that they stand for. */
import type { GgufFile } from "../../gguf/gguf_reader.ts";
import { GgufError } from "../../gguf/gguf_types.ts";
import { type CodeTensorType, holdsCodes, type ReadOnlyCodeType, rowBytes } from "../../gguf/types/tensor_type.ts";

/** Bytes that are read at once. */
const pieceBytes = 1 << 22;

/** Packed rows of a tensor, one after the other: `visit` gets the piece, where in it the row begins, and its number. */
export async function eachRow(
  file: GgufFile,
  name: string,
  visit: (piece: Uint8Array, offset: number, row: number) => void,
): Promise<void> {
  const { type, shape } = file.info(name);
  const { rows, cols } = sizeOf(shape);
  const bytes = rowBytes(type, cols);
  const each = Math.max(1, Math.floor(pieceBytes / bytes));
  for (let first = 0; first < rows; first += each) {
    const count = Math.min(each, rows - first);
    const piece = await file.read(name, first * bytes, (first + count) * bytes);
    for (let i = 0; i < count; i++) visit(piece, i * bytes, first + i);
  }
}

/** Rows and columns of a row-major shape; a vector is one row. */
export function sizeOf(shape: readonly number[]): { rows: number; cols: number } {
  const cols = shape[shape.length - 1];
  return { rows: shape.reduce((product, size) => product * size, 1) / cols, cols };
}

type StoredCodes = CodeTensorType | ReadOnlyCodeType;

/** The scale of the whole tensor, of a type that has one; else null. */
export async function tailScale(file: GgufFile, name: string, type: StoredCodes): Promise<number | null> {
  if (type.kind !== "codes" || type.tail === undefined) return null;
  const { bytes } = file.info(name);
  return type.tail.unpack(await file.read(name, bytes - type.tailBytes, bytes));
}

/** The levels of a row and its scales, one per unit of neighbours; both are overwritten by the next row. */
export type VisitCodes = (levels: Int8Array, scales: Float32Array, row: number) => void;

/** Visits each row of a type of codes, whose units are its blocks. */
async function eachCodedRow(
  file: GgufFile,
  name: string,
  type: StoredCodes,
  unit: number,
  visit: VisitCodes,
): Promise<void> {
  const { cols } = sizeOf(file.info(name).shape);
  const levels = new Int8Array(cols);
  const scales = new Float32Array(cols / unit);
  const shared = await tailScale(file, name, type);
  await eachRow(file, name, (piece, offset, row) => {
    type.unpackRow(piece, offset, levels, scales);
    if (shared !== null) scales.fill(shared);
    visit(levels, scales, row);
  });
}

/** Neighbours of a row that have one scale for certain. @param group what the file says; types of floats do not know */
export function unitOf(file: GgufFile, name: string, group: number | null): number {
  const { type, shape } = file.info(name);
  return holdsCodes(type) ? type.blockElements : (group ?? sizeOf(shape).cols);
}

/**
 * Visits the rows of a tensor that is quantized, whatever type it has.
 * @param unit as of {@link unitOf}
 * @throws {GgufError} if it has floats that are no levels times a scale.
 */
export async function eachQuantizedRow(file: GgufFile, name: string, unit: number, visit: VisitCodes): Promise<void> {
  const { type, shape } = file.info(name);
  if (holdsCodes(type)) return eachCodedRow(file, name, type, unit, visit);
  const { cols } = sizeOf(shape);
  const values = new Float32Array(cols);
  const levels = new Int8Array(cols);
  const scales = new Float32Array(cols / unit);
  await eachRow(file, name, (piece, offset, row) => {
    type.unpackRow(piece, offset, values);
    for (let u = 0; u < scales.length; u++) {
      scales[u] = 0;
      for (let i = u * unit; i < (u + 1) * unit; i++) scales[u] = Math.max(scales[u], Math.abs(values[i]));
      for (let i = u * unit; i < (u + 1) * unit; i++) {
        levels[i] = Math.sign(values[i]);
        if (values[i] !== levels[i] * scales[u]) {
          throw new GgufError(`${file.path}: tensor ${name} holds floats of more than one magnitude in row ${row}`);
        }
      }
    }
    visit(levels, scales, row);
  });
}

/**
 * The values of a tensor, row-major.
 * @param rowOrder for each row of the file, the row that it becomes; null: the same
 */
export async function readValues(
  file: GgufFile,
  name: string,
  rowOrder: Int32Array | null = null,
): Promise<Float32Array> {
  const { type, shape } = file.info(name);
  const { rows, cols } = sizeOf(shape);
  const values = new Float32Array(rows * cols);
  const rowAt = (row: number) => (rowOrder?.[row] ?? row) * cols;
  if (!holdsCodes(type)) {
    await eachRow(file, name, (piece, offset, row) => {
      type.unpackRow(piece, offset, values.subarray(rowAt(row), rowAt(row) + cols));
    });
    return values;
  }
  const block = type.blockElements;
  await eachCodedRow(file, name, type, block, (levels, scales, row) => {
    const at = rowAt(row);
    for (let i = 0; i < cols; i++) values[at + i] = levels[i] * scales[Math.floor(i / block)];
  });
  return values;
}
