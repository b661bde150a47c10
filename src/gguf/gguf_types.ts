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

/** The elements of an array have one type; those of an array of arrays may differ in theirs. */
export type GgufArray =
  | { type: "array"; of: "string"; value: readonly string[] }
  | { type: "array"; of: "bool"; value: readonly boolean[] }
  | { type: "array"; of: Exclude<GgufScalarType, "string" | "bool">; value: readonly number[] }
  | { type: "array"; of: "array"; value: readonly GgufArray[] };

/** One metadata value with its stored type. 64-bit integers are JavaScript numbers: above 2^53 they are refused. */
export type GgufValue =
  | { type: "string"; value: string }
  | { type: "bool"; value: boolean }
  | { type: Exclude<GgufScalarType, "string" | "bool">; value: number }
  | GgufArray;

/** In file order. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** A GGUF file that cannot be read or written: one line that says what and where. */
export class GgufError extends UserError {
  override name = "GgufError";
}

/** `offset` rounded up to a multiple of `alignment`. */
export function align(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
