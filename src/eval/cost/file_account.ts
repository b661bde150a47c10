/**
 * What a GGUF file holds, by tensor type: parameters, bytes on the disk and in the engine's memory, and how small the
 * same weights could be. Reads the whole file once, a few rows at a time.
 *
 * In memory, ternary linear weights take 2 bits, in groups of 16 rows and 64 columns; all others lie as in the file.
 * Scales are counted on the disk, where blocks have them, and left out of memory and entropy.
 */
import type { GgufTensorInfo } from "../../gguf/gguf_header.ts";
import { GgufFile } from "../../gguf/gguf_reader.ts";
import {
  type CodeTensorType,
  holdsCodes,
  isTernary,
  type ReadOnlyCodeType,
  rowBytes,
} from "../../gguf/types/tensor_type.ts";
import type { ModelShape } from "../../language_model/model_shape.ts";
import { entropyBits, GzipSize, packDense } from "./entropy.ts";

/** The tensors of one type. */
export interface TypeAccount {
  type: string;
  tensors: number;
  parameters: number;
  fileBytes: number;
  memoryBytes: number;
  /** Bits of a weight. Order-0 entropy of the codes, each tensor by its own counts; null for types of floats. */
  entropyBits: number | null;
  /** Share of the codes that are 0; null for types of floats. */
  zeroFraction: number | null;
  /** Bits of a weight that gzip leaves: of codes packed as digits of bytes (five ternary ones), of floats as they lie. */
  gzipBits: number;
}

export interface FileAccount {
  fileBytes: number;
  /** Metadata, tensor names and padding. */
  headerBytes: number;
  parameters: number;
  /** The largest first. */
  types: TypeAccount[];
  /** Null if the file does not say the sizes that the published method needs. */
  shape: ModelShape | null;
  /** Weights of the head: what the published method leaves out, together with the look-up of the embedding. */
  headWeights: number;
}

/** Bytes of a tensor that are read at once. */
const pieceBytes = 1 << 22;

interface Sums extends TypeAccount {
  zeros: number;
  gzip: GzipSize;
}

/** @throws {GgufError} */
export async function accountForFile(
  file: string,
  options: { onProgress?: (bytes: number, of: number) => void; signal?: AbortSignal } = {},
): Promise<FileAccount> {
  const gguf = await GgufFile.open(file);
  try {
    const sums = new Map<string, Sums>();
    const tensorBytes = gguf.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    let read = 0;
    for (const info of gguf.tensors) {
      const { name } = info.type;
      if (!sums.has(name)) sums.set(name, emptySums(name));
      await addTensor(gguf, info, sums.get(name)!, (bytes) => {
        options.signal?.throwIfAborted();
        read += bytes;
        options.onProgress?.(read, tensorBytes);
      });
    }
    const types = await Promise.all(Array.from(sums.values(), finished));
    const { fileBytes } = gguf;
    return {
      fileBytes,
      headerBytes: fileBytes - tensorBytes,
      parameters: types.reduce((sum, { parameters }) => sum + parameters, 0),
      types: types.sort((a, b) => b.fileBytes - a.fileBytes),
      shape: shapeOfFile(gguf),
      headWeights: size(gguf.tensors.find(({ name }) => name === "output.weight") ?? gguf.info("token_embd.weight")),
    };
  } finally {
    await gguf.close();
  }
}

function emptySums(type: string): Sums {
  const counts = { tensors: 0, parameters: 0, fileBytes: 0, memoryBytes: 0, gzipBits: 0, zeros: 0 };
  return { type, ...counts, entropyBits: null, zeroFraction: null, gzip: new GzipSize() };
}

async function finished({ zeros, gzip, ...sums }: Sums): Promise<TypeAccount> {
  const { parameters, entropyBits: bits } = sums;
  return {
    ...sums,
    entropyBits: bits === null ? null : bits / parameters,
    zeroFraction: bits === null ? null : zeros / parameters,
    gzipBits: (8 * (await gzip.end())) / parameters,
  };
}

async function addTensor(
  gguf: GgufFile,
  info: GgufTensorInfo,
  sums: Sums,
  onRead: (bytes: number) => void,
): Promise<void> {
  const { type, bytes } = info;
  const parameters = size(info);
  sums.tensors++;
  sums.parameters += parameters;
  sums.fileBytes += bytes;
  sums.memoryBytes += memoryBytes(info);
  if (holdsCodes(type)) {
    const counts = await addCodes(gguf, info, type, sums, onRead);
    sums.entropyBits = (sums.entropyBits ?? 0) + parameters * entropyBits(counts);
    sums.zeros += counts[type.holds.levels.indexOf(0)] ?? 0;
    return;
  }
  for (let begin = 0; begin < bytes; begin += pieceBytes) {
    const piece = await gguf.read(info.name, begin, Math.min(bytes, begin + pieceBytes));
    await sums.gzip.write(piece);
    onRead(piece.length);
  }
}

/** Returns how often each level is there. */
async function addCodes(
  gguf: GgufFile,
  { name, shape }: GgufTensorInfo,
  type: CodeTensorType | ReadOnlyCodeType,
  { gzip }: Sums,
  onRead: (bytes: number) => void,
): Promise<number[]> {
  const { levels } = type.holds;
  const cols = shape[shape.length - 1];
  const rows = shape.slice(0, -1).reduce((product, each) => product * each, 1);
  const each = rowBytes(type, cols);
  const together = Math.max(1, Math.floor(pieceBytes / each));
  const counts = levels.map(() => 0);
  const row = new Int8Array(cols);
  const scales = new Float32Array(cols / type.blockElements);
  // A level's place in the list, by the level; levels ascend.
  const [lowest, highest] = [levels[0], levels[levels.length - 1]];
  const placeOf = Uint8Array.from({ length: highest - lowest + 1 }, (_, i) => Math.max(0, levels.indexOf(i + lowest)));
  for (let first = 0; first < rows; first += together) {
    const count = Math.min(together, rows - first);
    const bytes = await gguf.read(name, first * each, (first + count) * each);
    const codes = new Uint8Array(count * cols);
    for (let r = 0; r < count; r++) {
      type.unpackRow(bytes, r * each, row, scales);
      for (let i = 0; i < cols; i++) {
        const place = placeOf[row[i] - lowest];
        codes[r * cols + i] = place;
        counts[place]++;
      }
    }
    await gzip.write(packDense(codes, levels.length));
    onRead(bytes.length);
  }
  return counts;
}

function size({ shape }: GgufTensorInfo): number {
  return shape.reduce((product, each) => product * each, 1);
}

/** As the engine keeps it (native/cc/core/ternary_panel.h, native/cc/inference/row_conversion.h). */
function memoryBytes(info: GgufTensorInfo): number {
  const { name, type, shape, bytes } = info;
  const kept = type.inMemory;
  if (kept !== undefined) return (size(info) / kept.elements) * kept.bytes;
  if (!isLinear(name) || !isTernary(type)) return bytes;
  const [rows, cols] = shape;
  return (16 * Math.ceil(rows / 16) * 64 * Math.ceil(cols / 64)) / 4;
}

/** `blk.0.attn_q.weight`, but no gain of a norm. */
function isLinear(name: string): boolean {
  return /^blk\.\d+\..*\.weight$/.test(name) && !name.endsWith("norm.weight");
}

function shapeOfFile(gguf: GgufFile): ModelShape | null {
  const architecture = gguf.scalar("general.architecture");
  const number = (key: string) => {
    const value = gguf.scalar(`${architecture}.${key}`);
    return typeof value === "number" ? value : undefined;
  };
  const [layers, heads, width] = [number("block_count"), number("attention.head_count"), number("embedding_length")];
  if (layers === undefined || heads === undefined || width === undefined) return null;
  const linears = gguf.tensors.filter(({ name }) => isLinear(name));
  return {
    numHiddenLayers: layers,
    attentionWidth: heads * (number("attention.key_length") ?? width / heads),
    linearWeights: linears.reduce((sum, info) => sum + size(info), 0),
    ternary: linears.every(({ type }) => isTernary(type)),
  };
}
