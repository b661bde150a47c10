/**
 * Names and numbers of the GGUF container, version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
 *
 *   "GGUF" | u32 version | u64 tensor count | u64 metadata count
 *   metadata:     string key | u32 value type | value                                 (count times)
 *   tensor infos: string name | u32 dimensions | u64 size ... | u32 type | u64 offset  (count times)
 *   padding to the alignment, then the tensors, each padded to the alignment; offsets count from there
 *
 * A string is u64 bytes + UTF-8; an array is u32 element type + u64 length + elements. All little-endian. Sizes are
 * written innermost first, so a row-major [rows, cols] matrix is stored as (cols, rows); in this code a shape is
 * always row-major.
 */
import { UserError } from "../errors/user_error.ts";

export const ggufMagic = 0x46554747;
export const ggufVersion = 3;
export const ggufDefaultAlignment = 32;

/** Numbers of the metadata value types. */
export const ggufValueTypes = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

export type GgufValueType = keyof typeof ggufValueTypes;
export type GgufScalarType = Exclude<GgufValueType, "array">;

/** One metadata value with its stored type. 64-bit integers are JavaScript numbers: above 2^53 they are refused. */
export type GgufValue =
  | { type: "string"; value: string }
  | { type: "bool"; value: boolean }
  | { type: Exclude<GgufScalarType, "string" | "bool">; value: number }
  | { type: "array"; of: "string"; value: readonly string[] }
  | { type: "array"; of: "bool"; value: readonly boolean[] }
  | { type: "array"; of: Exclude<GgufScalarType, "string" | "bool">; value: readonly number[] };

/** In file order. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

interface TensorTypeLayout {
  /** Number in the file. */
  id: number;
  /** Elements of one block; a row is a whole number of blocks. */
  blockElements: number;
  blockBytes: number;
  /** Bytes after the last row (I2_S keeps the scale of the tensor there). */
  tailBytes: number;
}

/** The tensor types that we write and read. I2_S is Microsoft's: upstream gives 36 another, retired meaning. */
export const tensorTypes = {
  F32: { id: 0, blockElements: 1, blockBytes: 4, tailBytes: 0 },
  F16: { id: 1, blockElements: 1, blockBytes: 2, tailBytes: 0 },
  Q8_0: { id: 8, blockElements: 32, blockBytes: 34, tailBytes: 0 },
  BF16: { id: 30, blockElements: 1, blockBytes: 2, tailBytes: 0 },
  TQ1_0: { id: 34, blockElements: 256, blockBytes: 54, tailBytes: 0 },
  TQ2_0: { id: 35, blockElements: 256, blockBytes: 66, tailBytes: 0 },
  I2_S: { id: 36, blockElements: 128, blockBytes: 32, tailBytes: 32 },
} as const satisfies Record<string, TensorTypeLayout>;

export type TensorType = keyof typeof tensorTypes;

/** A GGUF file that cannot be read or written: one line that says what and where. */
export class GgufError extends UserError {
  override name = "GgufError";
}

/**
 * Bytes of one row of `cols` elements.
 * @throws {GgufError} if the row is not a whole number of blocks.
 */
export function rowBytes(type: TensorType, cols: number): number {
  const { blockElements, blockBytes } = tensorTypes[type];
  if (cols % blockElements !== 0) {
    throw new GgufError(`${type} rows are multiples of ${blockElements} elements, not ${cols}`);
  }
  return (cols / blockElements) * blockBytes;
}

/** Bytes of a tensor of this row-major shape, without padding. Same error as {@link rowBytes}. */
export function tensorBytes(type: TensorType, shape: readonly number[]): number {
  const cols = shape[shape.length - 1] ?? 1;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  return rows * rowBytes(type, cols) + tensorTypes[type].tailBytes;
}

/** `offset` rounded up to a multiple of `alignment`. */
export function align(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
