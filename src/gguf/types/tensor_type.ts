/**
 * What a tensor type of GGUF files is. Each has one file in this folder that says everything true of it, its layout
 * drawn above; `tensor_types.ts` is the list of them. Rows are whole numbers of blocks; packed bytes are little-endian.
 */
import type { EmbeddingDtype } from "../../quant/dtypes.ts";
import { GgufError } from "../gguf_types.ts";

interface Layout {
  /** As files, readers and people call it. */
  readonly name: string;
  /** Number in the file. Some numbers have other meanings in other programs: see `type_number.ts`. */
  readonly id: number;
  /** Elements of one block; a row is a whole number of blocks. */
  readonly blockElements: number;
  readonly blockBytes: number;
  /** Bytes after the last row: those of the scale, where there is one for the tensor. */
  readonly tailBytes: number;
  /** How the engine keeps rows that it converts when it loads them (native/cc/inference/row_conversion.h). */
  readonly inMemory?: { readonly elements: number; readonly bytes: number };
}

/** A type of codes: a weight is level x scale. */
export interface CodeTensorType extends Layout {
  readonly kind: "codes";
  /** `general.file_type` of a file whose linear weights have it. */
  readonly fileType: number;
  readonly holds: CodeStorage;
  /** Packs the levels of a row and its scales, one per block, into `out` at `offset` (`rowBytes` of them). */
  packRow(levels: Int8Array, scales: Float32Array, out: Uint8Array, offset: number): void;
  /** Fills `levels` with the row at `offset`, and `scales` with one per block if they stand there. */
  unpackRow(bytes: Uint8Array, offset: number, levels: Int8Array, scales: Float32Array): void;
  /** Where there is one scale for the tensor: the bytes after the last row, and back. */
  readonly tail?: { pack(scale: number): Uint8Array; unpack(bytes: Uint8Array): number };
}

/** What codes and scales a type of codes can hold. */
export interface CodeStorage {
  /** Of a code, in units of the scale. */
  readonly levels: readonly number[];
  /** One scale for the tensor, or one per block of a row. */
  readonly scales: "tensor" | "block";
  readonly scaleDtype: "f16" | "f32";
}

/** A type of floats, or of integers that stand for floats. */
export interface FloatTensorType extends Layout {
  readonly kind: "floats";
  /** `general.file_type` of a file whose linear weights have it. */
  readonly fileType: number;
  /** What values are rounded to by packing: exactly what unpacking gives back. */
  readonly dtype: EmbeddingDtype;
  /** Packs one row of values into `out` at `offset` (`rowBytes` of them). */
  packRow(values: Float32Array, out: Uint8Array, offset: number): void;
  /** Fills `values` with the row that starts at `offset`. */
  unpackRow(bytes: Uint8Array, offset: number, values: Float32Array): void;
}

/** A type of other programs that we read and do not write. */
export interface ReadOnlyTensorType extends Layout {
  readonly kind: "read only";
  /** Fills `values` with the row that starts at `offset`. */
  unpackRow(bytes: Uint8Array, offset: number, values: Float32Array): void;
}

/** The same of types of codes. */
export interface ReadOnlyCodeType extends Layout {
  readonly kind: "read-only codes";
  readonly holds: CodeStorage;
  /** Fills `levels` with the row at `offset`, and `scales` with one per block. */
  unpackRow(bytes: Uint8Array, offset: number, levels: Int8Array, scales: Float32Array): void;
}

export type WritableTensorType = CodeTensorType | FloatTensorType;
export type TensorType = WritableTensorType | ReadOnlyTensorType | ReadOnlyCodeType;

/** True for a type whose weights are levels times scales. */
export function holdsCodes(type: TensorType): type is CodeTensorType | ReadOnlyCodeType {
  return type.kind === "codes" || type.kind === "read-only codes";
}

/** True for a type that holds -1, 0, 1 and no other code. */
export function isTernary(type: TensorType): type is CodeTensorType {
  return type.kind === "codes" && type.holds.levels.join() === "-1,0,1";
}

/**
 * Bytes of one row of `cols` elements.
 * @throws {GgufError} if the row is not a whole number of blocks.
 */
export function rowBytes({ name, blockElements, blockBytes }: Layout, cols: number): number {
  if (cols % blockElements !== 0) {
    throw new GgufError(`${name} rows are multiples of ${blockElements} elements, not ${cols}`);
  }
  return (cols / blockElements) * blockBytes;
}

/** Bytes of a tensor of this row-major shape, without padding. Same error as {@link rowBytes}. */
export function tensorBytes(type: Layout, shape: readonly number[]): number {
  const cols = shape[shape.length - 1] ?? 1;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  return rows * rowBytes(type, cols) + type.tailBytes;
}
