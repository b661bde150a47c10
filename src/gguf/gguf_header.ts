/**
 * Parses the header of a GGUF file. The bytes are untrusted: every count, length and offset is checked against a
 * named limit and against the size of the file before it is used.
 *
 * `surveyGgufHeader` says what is there, with what keeps us from reading it; `parseGgufHeader` refuses such a file.
 */
import {
  align,
  GgufError,
  type GgufMetadata,
  type GgufValue,
  ggufDefaultAlignment,
  ggufMagic,
  ggufVersion,
} from "./gguf_types.ts";
import { HeaderCursor } from "./header_cursor.ts";
import { type TensorType, tensorBytes } from "./types/tensor_type.ts";
import { meaningsInFile, type NumberedTensor, readAs, type TypeMeaning } from "./types/type_number.ts";

export const maxMetadataEntries = 1 << 16;
export const maxTensors = 1 << 20;
export const maxDimensions = 4;
const maxAlignment = 1 << 20;

export interface GgufTensorInfo {
  name: string;
  type: TensorType;
  /** Row-major. */
  shape: readonly number[];
  /** Absolute, in its file. */
  offset: number;
  bytes: number;
  /** Which file of a split model it lies in; 0 is the first. */
  part: number;
}

export interface GgufHeader {
  metadata: GgufMetadata;
  /** In file order. */
  tensors: readonly GgufTensorInfo[];
}

/** A tensor as it is found, whether we read its type or not. */
export interface SurveyedTensor {
  name: string;
  /** Row-major. */
  shape: readonly number[];
  /** The number of its type, and what that means here; null if it means nothing that is known. */
  id: number;
  meaning: TypeMeaning | null;
  /** Absolute, in its file. */
  offset: number;
  /** Bytes up to the next tensor or the end of the file. */
  span: number;
}

export interface SurveyedHeader {
  littleEndian: boolean;
  version: number;
  alignment: number;
  metadata: GgufMetadata;
  tensors: readonly SurveyedTensor[];
  /** Byte of the file where tensors begin. */
  dataStart: number;
  /** Why it is not read: the first is what `parseGgufHeader` throws. */
  faults: readonly string[];
}

interface Beginning {
  version: number;
  metadata: Map<string, GgufValue>;
  tensorCount: number;
}

/** Magic number, version, counts and metadata: what stands before the tensor infos. */
function parseBeginning(cursor: HeaderCursor): Beginning {
  const magic = cursor.u32("the magic number");
  if (magic !== ggufMagic) throw new GgufError("not a GGUF file: it does not begin with the letters GGUF");
  const version = parseVersion(cursor);
  const tensorCount = cursor.u64("the tensor count", maxTensors);
  const metadataCount = cursor.u64("the metadata count", maxMetadataEntries);

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < metadataCount; i++) {
    const key = cursor.string(`metadata key ${i}`);
    if (metadata.has(key)) throw new GgufError(`metadata key ${key} occurs twice`);
    metadata.set(key, cursor.value(`metadata ${key}`));
  }
  return { version, metadata, tensorCount };
}

const isKnownVersion = (version: number) => version === ggufVersion || version === 2;

/** The version, which also tells the order of the bytes of all numbers. */
function parseVersion(cursor: HeaderCursor): number {
  const version = cursor.u32("the version");
  if (isKnownVersion(version)) return version;
  const swapped = new DataView(Uint32Array.of(version).buffer).getUint32(0, false);
  if (!isKnownVersion(swapped)) throw new GgufError(`GGUF version ${version}: only 2 and 3 are read`);
  cursor.littleEndian = false;
  return swapped;
}

const bigEndianFault =
  "big-endian GGUF (its numbers begin with the high byte), which is not read: convert it with gguf_convert_endian.py of llama.cpp's gguf-py";

/**
 * The metadata alone, whatever the types of the tensors; parameters and errors as of {@link parseGgufHeader}.
 */
export function parseGgufMetadata(bytes: Uint8Array, fileSize: number): GgufMetadata {
  const cursor = new HeaderCursor(bytes, fileSize);
  const { metadata } = parseBeginning(cursor);
  if (!cursor.littleEndian) throw new GgufError(bigEndianFault);
  return metadata;
}

/**
 * The header that starts at byte 0 of `bytes`, the beginning of a file of `fileSize` bytes.
 * @throws {HeaderIncomplete} if it needs more than `bytes` and the file has more.
 * @throws {GgufError} if the file is not a GGUF file that we read.
 */
export function parseGgufHeader(bytes: Uint8Array, fileSize: number): GgufHeader {
  const { metadata, tensors, faults } = surveyGgufHeader(bytes, fileSize);
  if (faults.length > 0) throw new GgufError(faults[0]);
  return {
    metadata,
    tensors: tensors.map(({ name, shape, meaning, offset }) => {
      const type = meaning!.type!;
      return { name, shape, type, offset, bytes: tensorBytes(type, shape), part: 0 };
    }),
  };
}

/**
 * What a header says, whether we read such a file or not. Parameters as of {@link parseGgufHeader}.
 * @throws {HeaderIncomplete} if it needs more than `bytes` and the file has more.
 * @throws {GgufError} if the bytes are no header of a GGUF file.
 */
export function surveyGgufHeader(bytes: Uint8Array, fileSize: number): SurveyedHeader {
  const cursor = new HeaderCursor(bytes, fileSize);
  const { version, metadata, tensorCount } = parseBeginning(cursor);
  const { littleEndian } = cursor;
  const faults = littleEndian ? [] : [bigEndianFault];
  const infos: RawInfo[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    const info = parseTensorInfo(cursor, i);
    if (names.has(info.name)) throw new GgufError(`tensor ${info.name} occurs twice`);
    names.add(info.name);
    infos.push(info);
  }
  const { alignment, fault } = alignmentOf(metadata);
  if (fault !== null) faults.push(fault);
  const dataStart = align(cursor.position, alignment);
  const folded = [...metadata.keys()].find((key) => key.startsWith(foldedKeys));
  if (folded !== undefined) faults.push(foldedFault(folded));
  const begins = [...new Set(infos.map(({ offset }) => offset))].sort((a, b) => a - b);
  const ends = new Map(begins.map((offset, i) => [offset, begins[i + 1] ?? fileSize - dataStart]));
  const numbered = infos.map((info) => ({ ...info, span: ends.get(info.offset)! - info.offset }));
  const possible = numbered.filter(isPossible);
  const meanings = meaningsInFile(possible, architectureOf(metadata), alignment);
  const meaningOf = new Map(possible.map(({ name }, i) => [name, meanings[i]]));
  const tensors = numbered.map((info): SurveyedTensor => {
    const { name, shape, id, offset, span } = info;
    const meaning = meaningOf.get(name) ?? null;
    const fault = placeFault(info, meaning, { dataStart, alignment, fileSize });
    if (fault !== null) faults.push(fault);
    return { name, shape, id, meaning, offset: dataStart + offset, span };
  });
  return { littleEndian, version, alignment, metadata, tensors, dataStart, faults };
}

/** Keys of PrismML's files whose weights are folded with a rotation. */
export const foldedKeys = "prism.hadamard.";

function foldedFault(key: string): string {
  return `its weights are folded with a Hadamard rotation (${key}), which is not read: activations would have to be rotated before each product`;
}

function architectureOf(metadata: GgufMetadata): string {
  return String(metadata.get("general.architecture")?.value);
}

/** Multiples of 8, as the format's specification has it; other programs want a power of two. */
function alignmentOf(metadata: GgufMetadata): { alignment: number; fault: string | null } {
  const entry = metadata.get("general.alignment");
  if (entry === undefined) return { alignment: ggufDefaultAlignment, fault: null };
  const { type, value } = entry;
  if (type === "uint32" && value >= 8 && value <= maxAlignment && value % 8 === 0) {
    return { alignment: value, fault: null };
  }
  const fault = `general.alignment is ${String(value)} (${type}): a uint32 that is a multiple of 8 up to ${maxAlignment} is expected`;
  return { alignment: ggufDefaultAlignment, fault };
}

/** A tensor as the header has it; its offset counts from the first tensor. */
interface RawInfo {
  name: string;
  shape: readonly number[];
  /** Number of the type. */
  id: number;
  offset: number;
}

function parseTensorInfo(cursor: HeaderCursor, index: number): RawInfo {
  const name = cursor.string(`name of tensor ${index}`);
  const dimensions = cursor.u32(`dimensions of ${name}`);
  if (dimensions < 1 || dimensions > maxDimensions) throw new GgufError(`tensor ${name} has ${dimensions} dimensions`);
  const shape: number[] = [];
  for (let d = 0; d < dimensions; d++) shape.unshift(cursor.u64(`a size of ${name}`, Number.MAX_SAFE_INTEGER));
  const id = cursor.u32(`type of ${name}`);
  return { name, shape, id, offset: cursor.u64(`offset of ${name}`, Number.MAX_SAFE_INTEGER) };
}

function isPossible({ shape }: RawInfo): boolean {
  return shape.every((size) => size > 0) && shape.reduce((a, b) => a * b, 1) <= Number.MAX_SAFE_INTEGER / 4;
}

/** Why a tensor cannot be read, or null. */
function placeFault(
  info: RawInfo & NumberedTensor,
  meaning: TypeMeaning | null,
  { dataStart, alignment, fileSize }: { dataStart: number; alignment: number; fileSize: number },
): string | null {
  const { name, shape, offset } = info;
  if (!isPossible(info)) return `tensor ${name} has the impossible shape [${shape.join(", ")}]`;
  if (offset % alignment !== 0) return `tensor ${name} is not aligned to ${alignment} bytes`;
  const type = readAs(info, meaning);
  if (typeof type === "string") return `tensor ${name}: ${type}`;
  try {
    const end = dataStart + offset + tensorBytes(type, shape);
    return end <= fileSize ? null : `truncated: tensor ${name} ends at byte ${end}, the file at byte ${fileSize}`;
  } catch (error) {
    return `tensor ${name}: ${(error as Error).message}`;
  }
}
