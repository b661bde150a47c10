/**
 * Parses the header of a GGUF file. The bytes are untrusted: every count, length and offset is checked against a
 * named limit and against the size of the file before it is used.
 */
import {
  align,
  GgufError,
  type GgufMetadata,
  type GgufScalarType,
  type GgufValue,
  type GgufValueType,
  ggufDefaultAlignment,
  ggufMagic,
  ggufValueTypes,
  ggufVersion,
} from "./gguf_types.ts";
import { type TensorType, tensorBytes } from "./types/tensor_type.ts";
import { typeOfNumber } from "./types/type_number.ts";

export const maxMetadataEntries = 1 << 16;
export const maxTensors = 1 << 20;
/** The longest real one is a tokenizer.json: about 30 MB. */
export const maxStringBytes = 1 << 28;
/** Twice the merges of the largest vocabularies in use (about 500 thousand), and room. */
export const maxArrayLength = 1 << 23;
export const maxDimensions = 4;
const maxAlignment = 1 << 16;

export interface GgufTensorInfo {
  name: string;
  type: TensorType;
  /** Row-major. */
  shape: readonly number[];
  /** Absolute, in the file. */
  offset: number;
  bytes: number;
}

export interface GgufHeader {
  metadata: GgufMetadata;
  /** In file order. */
  tensors: readonly GgufTensorInfo[];
}

/** The header goes on after the bytes at hand (which are not the whole file). */
export class HeaderIncomplete extends Error {
  override name = "HeaderIncomplete";
}

const utf8 = new TextDecoder("utf-8");
const valueTypeNames = Object.keys(ggufValueTypes) as GgufValueType[];
class Cursor {
  private readonly view: DataView;
  position = 0;
  private readonly bytes: Uint8Array;
  private readonly fileSize: number;

  constructor(bytes: Uint8Array, fileSize: number) {
    this.bytes = bytes;
    this.fileSize = fileSize;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Offset of the next `count` bytes, which are consumed. */
  take(count: number, what: string): number {
    const offset = this.position;
    if (offset + count > this.fileSize) {
      throw new GgufError(`truncated at byte ${this.fileSize}: ${what} at byte ${offset} needs ${count} bytes`);
    }
    if (offset + count > this.bytes.length) throw new HeaderIncomplete();
    this.position += count;
    return offset;
  }

  u32(what: string): number {
    return this.view.getUint32(this.take(4, what), true);
  }

  /** A count or offset: unsigned, at most `limit`. */
  u64(what: string, limit: number): number {
    const offset = this.position;
    const value = this.view.getBigUint64(this.take(8, what), true);
    if (value > BigInt(limit)) throw new GgufError(`${what} at byte ${offset} is ${value}: the limit is ${limit}`);
    return Number(value);
  }

  string(what: string): string {
    const length = this.u64(`length of ${what}`, maxStringBytes);
    const offset = this.take(length, what);
    return utf8.decode(this.bytes.subarray(offset, offset + length));
  }

  scalar(type: GgufScalarType, what: string): string | number | boolean {
    switch (type) {
      case "uint8":
        return this.view.getUint8(this.take(1, what));
      case "int8":
        return this.view.getInt8(this.take(1, what));
      case "bool":
        return this.view.getUint8(this.take(1, what)) !== 0;
      case "uint16":
        return this.view.getUint16(this.take(2, what), true);
      case "int16":
        return this.view.getInt16(this.take(2, what), true);
      case "uint32":
        return this.view.getUint32(this.take(4, what), true);
      case "int32":
        return this.view.getInt32(this.take(4, what), true);
      case "float32":
        return this.view.getFloat32(this.take(4, what), true);
      case "float64":
        return this.view.getFloat64(this.take(8, what), true);
      case "uint64":
        return this.u64(what, Number.MAX_SAFE_INTEGER);
      case "int64": {
        const value = Number(this.view.getBigInt64(this.take(8, what), true));
        if (!Number.isSafeInteger(value)) throw new GgufError(`${what} does not fit in 53 bits`);
        return value;
      }
      case "string":
        return this.string(what);
    }
  }

  valueType(what: string): GgufValueType {
    const id = this.u32(`type of ${what}`);
    const name = valueTypeNames.find((candidate) => ggufValueTypes[candidate] === id);
    if (name === undefined) throw new GgufError(`${what} has the unknown value type ${id}`);
    return name;
  }

  value(what: string): GgufValue {
    const type = this.valueType(what);
    if (type !== "array") return { type, value: this.scalar(type, what) } as GgufValue;
    const of = this.valueType(`the elements of ${what}`);
    if (of === "array") throw new GgufError(`${what} is an array of arrays: not supported`);
    const length = this.u64(`length of ${what}`, maxArrayLength);
    const value: (string | number | boolean)[] = [];
    for (let i = 0; i < length; i++) value.push(this.scalar(of, what));
    return { type, of, value } as GgufValue;
  }
}

/** Magic number, version, counts and metadata: what stands before the tensor infos. */
function parseBeginning(cursor: Cursor): { metadata: GgufMetadata; tensorCount: number } {
  const magic = cursor.u32("the magic number");
  if (magic !== ggufMagic) throw new GgufError("not a GGUF file: it does not begin with the letters GGUF");
  const version = cursor.u32("the version");
  if (version !== ggufVersion && version !== 2) throw new GgufError(`GGUF version ${version}: only 2 and 3 are read`);
  const tensorCount = cursor.u64("the tensor count", maxTensors);
  const metadataCount = cursor.u64("the metadata count", maxMetadataEntries);

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < metadataCount; i++) {
    const key = cursor.string(`metadata key ${i}`);
    if (metadata.has(key)) throw new GgufError(`metadata key ${key} occurs twice`);
    metadata.set(key, cursor.value(`metadata ${key}`));
  }
  return { metadata, tensorCount };
}

/**
 * The metadata alone, whatever the types of the tensors; parameters and errors as of {@link parseGgufHeader}.
 */
export function parseGgufMetadata(bytes: Uint8Array, fileSize: number): GgufMetadata {
  return parseBeginning(new Cursor(bytes, fileSize)).metadata;
}

/**
 * The header that starts at byte 0 of `bytes`, the beginning of a file of `fileSize` bytes.
 * @throws {HeaderIncomplete} if it needs more than `bytes` and the file has more.
 * @throws {GgufError} if the file is not a GGUF file that we read.
 */
export function parseGgufHeader(bytes: Uint8Array, fileSize: number): GgufHeader {
  const cursor = new Cursor(bytes, fileSize);
  const { metadata, tensorCount } = parseBeginning(cursor);
  const infos: RawInfo[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    const info = parseTensorInfo(cursor, i);
    if (names.has(info.name)) throw new GgufError(`tensor ${info.name} occurs twice`);
    names.add(info.name);
    infos.push(info);
  }
  const alignment = alignmentOf(metadata);
  const start = align(cursor.position, alignment);
  const layout = { start, alignment, fileSize, architecture: String(metadata.get("general.architecture")?.value) };
  const begins = [...new Set(infos.map(({ offset }) => offset))].sort((a, b) => a - b);
  const ends = new Map(begins.map((offset, i) => [offset, begins[i + 1] ?? fileSize - start]));
  return { metadata, tensors: infos.map((info) => place(info, ends.get(info.offset)! - info.offset, layout)) };
}

function alignmentOf(metadata: GgufMetadata): number {
  const entry = metadata.get("general.alignment");
  if (entry === undefined) return ggufDefaultAlignment;
  const value = entry.value;
  if (typeof value !== "number" || value < 8 || value > maxAlignment || value % 8 !== 0) {
    throw new GgufError(`general.alignment is ${String(value)}: a multiple of 8 up to ${maxAlignment} is expected`);
  }
  return value;
}

/** A tensor as the header has it; its offset counts from the first tensor. */
interface RawInfo {
  name: string;
  shape: readonly number[];
  /** Number of the type. */
  id: number;
  offset: number;
}

function parseTensorInfo(cursor: Cursor, index: number): RawInfo {
  const name = cursor.string(`name of tensor ${index}`);
  const dimensions = cursor.u32(`dimensions of ${name}`);
  if (dimensions < 1 || dimensions > maxDimensions) throw new GgufError(`tensor ${name} has ${dimensions} dimensions`);
  const shape: number[] = [];
  for (let d = 0; d < dimensions; d++) shape.unshift(cursor.u64(`a size of ${name}`, Number.MAX_SAFE_INTEGER));
  const id = cursor.u32(`type of ${name}`);
  return { name, shape, id, offset: cursor.u64(`offset of ${name}`, Number.MAX_SAFE_INTEGER) };
}

interface FileLayout {
  /** Byte of the file where tensors begin. */
  start: number;
  alignment: number;
  fileSize: number;
  architecture: string;
}

/** Finds the type of a tensor and checks that it lies inside the file. `span`: bytes up to the next tensor. */
function place({ name, shape, id, offset: relative }: RawInfo, span: number, layout: FileLayout): GgufTensorInfo {
  const { start, alignment, fileSize, architecture } = layout;
  if (shape.some((size) => size === 0) || shape.reduce((a, b) => a * b, 1) > Number.MAX_SAFE_INTEGER / 4) {
    throw new GgufError(`tensor ${name} has the impossible shape [${shape.join(", ")}]`);
  }
  if (relative % alignment !== 0) throw new GgufError(`tensor ${name} is not aligned to ${alignment} bytes`);
  let type: TensorType;
  let bytes: number;
  try {
    type = typeOfNumber({ id, shape, span }, architecture, alignment);
    bytes = tensorBytes(type, shape);
  } catch (error) {
    throw new GgufError(`tensor ${name}: ${(error as Error).message}`);
  }
  const offset = start + relative;
  if (offset + bytes > fileSize) {
    throw new GgufError(`truncated: tensor ${name} ends at byte ${offset + bytes}, the file at byte ${fileSize}`);
  }
  return { name, type, shape, offset, bytes };
}
