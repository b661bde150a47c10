/**
 * The header of a safetensors file: names, types, shapes and places of its tensors.
 *
 *     u64 little-endian n | n bytes of JSON | tensor data
 *     JSON: { "name": { "dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end] }, "__metadata__": {...} }
 *
 * Offsets count from the end of the JSON. Files are untrusted: every number is checked before it is used.
 * Format: https://huggingface.co/docs/safetensors
 */
import { CheckpointError } from "./checkpoint_error.ts";

/** Bytes per element of the types that are read and written here. */
export const dtypeBytes = { F32: 4, F16: 2, BF16: 2, I8: 1, U8: 1, I32: 4, I64: 8 } as const;

export type SafetensorsDtype = keyof typeof dtypeBytes;

/** The reference implementation's limit on the JSON. */
export const maxHeaderBytes = 100_000_000;
/** No model has tensors of more dimensions. */
const maxRank = 8;

export interface TensorInfo {
  dtype: SafetensorsDtype;
  shape: number[];
}

/** Place of a tensor in the file, in bytes from the start of the tensor data. */
export interface TensorEntry extends TensorInfo {
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  tensors: Map<string, TensorEntry>;
  metadata: Record<string, string>;
  /** Bytes that the tensors occupy. */
  dataBytes: number;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Bytes of a tensor; not a safe integer if the shape is absurd. */
export function tensorBytes({ dtype, shape }: TensorInfo): number {
  return shape.reduce((product, dimension) => product * dimension, dtypeBytes[dtype]);
}

function parseEntry(name: string, value: unknown, file: string): TensorEntry {
  const fail = (reason: string): never => {
    throw new CheckpointError(`${file}: tensor ${JSON.stringify(name)} ${reason}`);
  };
  if (typeof value !== "object" || value === null) return fail("has no description");
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(dtypeBytes, dtype)) {
    return fail(`has type ${JSON.stringify(dtype)}; supported: ${Object.keys(dtypeBytes).join(", ")}`);
  }
  if (!Array.isArray(shape) || shape.length > maxRank || !shape.every(isCount)) return fail("has an invalid shape");
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1]) {
    return fail("has invalid data offsets");
  }
  const entry = { dtype: dtype as SafetensorsDtype, shape, begin: offsets[0], end: offsets[1] };
  if (tensorBytes(entry) !== entry.end - entry.begin) {
    return fail(`of shape [${shape}] ${dtype} does not fit its ${entry.end - entry.begin} bytes`);
  }
  return entry;
}

function parseMetadata(value: unknown, file: string): Record<string, string> {
  if (value === undefined) return {};
  const valid =
    typeof value === "object" && value !== null && Object.values(value).every((entry) => typeof entry === "string");
  if (!valid) throw new CheckpointError(`${file}: __metadata__ is not a map of strings`);
  return value as Record<string, string>;
}

/** Checks and indexes the JSON text of a header. `file` names the file in errors. */
export function parseHeader(text: string, file: string): SafetensorsHeader {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CheckpointError(`${file}: the safetensors header is not JSON`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new CheckpointError(`${file}: the safetensors header is not a JSON object`);
  }
  const { __metadata__, ...entries } = json as Record<string, unknown>;
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(entries)) tensors.set(name, parseEntry(name, value, file));

  let dataBytes = 0;
  for (const [name, entry] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== dataBytes) {
      throw new CheckpointError(`${file}: tensor ${JSON.stringify(name)} overlaps another or leaves a hole`);
    }
    dataBytes = entry.end;
  }
  return { tensors, metadata: parseMetadata(__metadata__, file), dataBytes };
}

/** Length field and JSON of a file whose tensors follow in this order, padded so that the data is 8-byte aligned. */
export function encodeHeader(
  tensors: readonly ({ name: string } & TensorInfo)[],
  metadata: Record<string, string>,
): Uint8Array {
  const json: Record<string, unknown> = { __metadata__: { format: "pt", ...metadata } };
  let begin = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = begin + tensorBytes({ dtype, shape });
    json[name] = { dtype, shape, data_offsets: [begin, end] };
    begin = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(json));
  const padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(text, 8);
  return bytes;
}
