/** The weights of a tensor, some rows at a time: their codes and scales where there are, their values always. */
import { unpackTernary } from "../checkpoint/packed_ternary.ts";
import {
  type CodeTensorType,
  holdsCodes,
  type ReadOnlyCodeType,
  rowBytes,
  type TensorType,
} from "../gguf/types/tensor_type.ts";
import type { EmbeddingDtype } from "../quant/dtypes.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "../quant/float16.ts";
import { roundRows } from "../quant/round_to_dtype.ts";
import type { Learnt, WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import { type InspectedModel, type InspectedTensor, weightsOf } from "./inspected_model.ts";

export interface Codes {
  /** What a code stands for, in units of the scale, ascending. */
  levels: readonly number[];
  /** Places in `levels`, row-major. */
  places: Uint8Array;
  /** Of so many weights each, row-major; one for a tensor of one scale. */
  scales: Float32Array;
  perScale: number;
}

/** Whole rows of a tensor. */
export interface Piece {
  /** Row of the tensor with which it begins. */
  first: number;
  rows: number;
  cols: number;
  /** Null for floats. */
  codes: Codes | null;
  /** Row-major. */
  values(): Float32Array;
  /** Bytes of the file that were read for it. */
  bytes: number;
}

/** Bytes that are read at once; a row that has more is read whole. */
const pieceBytes = 1 << 22;

/** Largest matrix that a quantizer is asked about: it needs all of it at once. */
const maxQuantized = 1 << 28;

export interface PieceOptions {
  /** Codes of latent linear weights, made by the model's quantizer. */
  quantized?: boolean;
  /** The embedding and head as training takes them, too: rounded, or quantized. */
  asTrained?: boolean;
  signal?: AbortSignal;
}

/** Nothing of a tensor whose weights are not known. */
export async function* piecesOf(
  model: InspectedModel,
  tensor: InspectedTensor,
  { quantized = false, asTrained = false, signal }: PieceOptions = {},
): AsyncGenerator<Piece> {
  const { layout, role } = tensor;
  const embedding = asTrained && (role === "embedding" || role === "head") ? model.embedding : null;
  const quantizer = quantized && role === "linear" ? model.quantizer : (embedding?.quantizer ?? null);
  switch (layout.kind) {
    case "bytes":
      return;
    case "packed":
      if (layout.scale !== null) yield await packedPiece(model, tensor, layout.scale);
      return;
    case "gguf":
      yield* ggufPieces(model, tensor, layout.type, signal);
      return;
    case "floats":
      if (quantizer !== null && weightsOf(tensor) <= maxQuantized) {
        yield await quantizedPiece(model, tensor, quantizer);
      } else yield* floatPieces(model, tensor, layout.dtype, embedding?.dtype ?? "f32", signal);
  }
}

function sizesOf({ shape }: InspectedTensor): { rows: number; cols: number } {
  const cols = shape[shape.length - 1] ?? 1;
  return { rows: shape.slice(0, -1).reduce((product, size) => product * size, 1), cols };
}

/** Ranges of rows whose bytes are read together. */
function* rowRanges(rows: number, each: number): Generator<{ first: number; count: number }> {
  const together = Math.max(1, Math.floor(pieceBytes / each));
  for (let first = 0; first < rows; first += together) yield { first, count: Math.min(together, rows - first) };
}

async function* ggufPieces(
  model: InspectedModel,
  tensor: InspectedTensor,
  type: TensorType,
  signal: AbortSignal | undefined,
): AsyncGenerator<Piece> {
  const { rows, cols } = sizesOf(tensor);
  const each = rowBytes(type, cols);
  const tail = type.kind === "codes" ? await tailScale(model, tensor, type) : null;
  for (const { first, count } of rowRanges(rows, each)) {
    signal?.throwIfAborted();
    const bytes = await model.read(tensor, first * each, (first + count) * each);
    const shape = { first, rows: count, cols, bytes: bytes.length };
    if (holdsCodes(type)) {
      const codes = ggufCodes(type, bytes, count, cols, each, tail);
      yield { ...shape, codes, values: () => dequantized(codes) };
    } else {
      const values = new Float32Array(count * cols);
      for (let r = 0; r < count; r++) type.unpackRow(bytes, r * each, values.subarray(r * cols, (r + 1) * cols));
      yield { ...shape, codes: null, values: () => values };
    }
  }
}

async function tailScale(model: InspectedModel, tensor: InspectedTensor, type: CodeTensorType): Promise<number | null> {
  if (type.tail === undefined) return null;
  return type.tail.unpack(await model.read(tensor, tensor.bytes - type.tailBytes, tensor.bytes));
}

function ggufCodes(
  type: CodeTensorType | ReadOnlyCodeType,
  bytes: Uint8Array,
  rows: number,
  cols: number,
  each: number,
  tail: number | null,
): Codes {
  const { levels } = type.holds;
  const blocks = cols / type.blockElements;
  const row = new Int8Array(cols);
  const places = new Uint8Array(rows * cols);
  const scales = new Float32Array(tail === null ? rows * blocks : 1);
  if (tail !== null) scales[0] = tail;
  const [lowest, highest] = [levels[0], levels[levels.length - 1]];
  // Codes without a level (I2_S has room for one) get a place of their own.
  const placeOf = Uint8Array.from({ length: 256 }, (_, i) => {
    const place = levels.indexOf(i + lowest);
    return i + lowest <= highest && place >= 0 ? place : levels.length;
  });
  for (let r = 0; r < rows; r++) {
    type.unpackRow(bytes, r * each, row, tail === null ? scales.subarray(r * blocks, (r + 1) * blocks) : scales);
    for (let i = 0, to = r * cols; i < cols; i++, to++) places[to] = placeOf[row[i] - lowest];
  }
  return { levels, places, scales, perScale: tail === null ? type.blockElements : places.length };
}

export function dequantized({ levels, places, scales, perScale }: Codes): Float32Array {
  const values = new Float32Array(places.length);
  const known = [...levels, Number.NaN];
  for (let i = 0; i < places.length; i++) values[i] = known[places[i]] * scales[Math.floor(i / perScale)];
  return values;
}

async function packedPiece(model: InspectedModel, tensor: InspectedTensor, scaleName: string): Promise<Piece> {
  const { rows, cols } = sizesOf(tensor);
  const packed = await model.read(tensor, 0, tensor.bytes);
  const codes = unpackTernary(packed, rows, cols);
  const places = Uint8Array.from(codes, (code) => code + 1);
  const stored = await wholeFloats(model, scaleName);
  const divides = model.facts.folder?.quantization?.linearClass !== "autobitlinear";
  const scales = divides ? stored.map((scale) => Math.fround(1 / scale)) : stored;
  const all = { levels: [-1, 0, 1], places, scales, perScale: places.length / scales.length };
  return { first: 0, rows, cols, codes: all, values: () => dequantized(all), bytes: packed.length };
}

/** All values of a float tensor of a folder. */
export async function wholeFloats(model: InspectedModel, name: string): Promise<Float32Array> {
  const tensor = model.tensors.find((each) => each.name === name);
  if (tensor?.layout.kind !== "floats") return new Float32Array(0);
  return floatsOf(await model.read(tensor, 0, tensor.bytes), tensor.layout.dtype);
}

function floatsOf(bytes: Uint8Array<ArrayBuffer>, dtype: "F32" | "F16" | "BF16"): Float32Array {
  if (dtype === "F32") return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return Float32Array.from(halves, dtype === "F16" ? float16ToFloat32 : bfloat16ToFloat32);
}

async function* floatPieces(
  model: InspectedModel,
  tensor: InspectedTensor,
  dtype: "F32" | "F16" | "BF16",
  roundedTo: EmbeddingDtype,
  signal: AbortSignal | undefined,
): AsyncGenerator<Piece> {
  const { rows, cols } = sizesOf(tensor);
  const each = cols * (dtype === "F32" ? 4 : 2);
  for (const { first, count } of rowRanges(rows, each)) {
    signal?.throwIfAborted();
    const bytes = await model.read(tensor, first * each, (first + count) * each);
    const values = roundRows(floatsOf(bytes, dtype), cols, roundedTo);
    yield { first, rows: count, cols, codes: null, values: () => values, bytes: bytes.length };
  }
}

async function quantizedPiece(
  model: InspectedModel,
  tensor: InspectedTensor,
  quantizer: WeightQuantizer,
): Promise<Piece> {
  const { rows, cols } = sizesOf(tensor);
  const latent = await wholeFloats(model, tensor.name);
  const learnt: Learnt = await Promise.all(
    (quantizer.parameters?.({ rows, cols }) ?? []).map(({ suffix }) => wholeFloats(model, `${tensor.name}_${suffix}`)),
  );
  const { codes, scales } = quantizer.quantize(latent, { rows, cols }, learnt);
  const middle = quantizer.levels.length >> 1;
  const all: Codes = {
    levels: quantizer.levels,
    places: Uint8Array.from(codes, (code) => code + middle),
    scales,
    perScale: codes.length / scales.length,
  };
  return { first: 0, rows, cols, codes: all, values: () => dequantized(all), bytes: tensor.bytes };
}
