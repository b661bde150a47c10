/**
 * A GGUF file written value by value from the format's description, sharing no code with `export/`: for tests that
 * need a file which our exporter did not make.
 *
 *   "GGUF", u32 version 3, u64 tensors, u64 metadata entries
 *   entry:   string key, u32 type, value         tensor: string name, u32 n, n x u64 size (fastest first), u32 type,
 *   string:  u64 bytes, UTF-8                            u64 offset in the data, which starts at a multiple of 32
 */

export type HandValue =
  | { u32: number }
  | { f32: number }
  | { bool: boolean }
  | { string: string }
  | { strings: readonly string[] }
  | { i32s: readonly number[] }
  | { f32s: readonly number[] };

export interface HandTensor {
  name: string;
  /** Fastest first, as stored: a linear weight is [in, out]. */
  sizes: readonly number[];
  /** Number of the ggml type. */
  type: number;
  bytes: Uint8Array;
}

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const array = (type: number, elements: readonly Buffer[]) => [u32(9), u32(type), u64(elements.length), ...elements];

function encoded(value: HandValue): Buffer[] {
  if ("u32" in value) return [u32(4), u32(value.u32)];
  if ("f32" in value) return [u32(6), Buffer.from(Float32Array.of(value.f32).buffer)];
  if ("bool" in value) return [u32(7), Buffer.from([value.bool ? 1 : 0])];
  if ("string" in value) return [u32(8), text(value.string)];
  if ("strings" in value) return array(8, value.strings.map(text));
  if ("i32s" in value) {
    return array(
      5,
      value.i32s.map((number) => Buffer.from(Int32Array.of(number).buffer)),
    );
  }
  return array(
    6,
    value.f32s.map((number) => Buffer.from(Float32Array.of(number).buffer)),
  );
}

const padding = (length: number) => Buffer.alloc((32 - (length % 32)) % 32);

/** The bytes of a file with these entries and tensors, in order. */
export function ggufByHand(metadata: Readonly<Record<string, HandValue>>, tensors: readonly HandTensor[]): Buffer {
  const entries = Object.entries(metadata);
  const parts: Uint8Array[] = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(entries.length)];
  for (const [key, value] of entries) parts.push(text(key), ...encoded(value));
  let offset = 0;
  for (const { name, sizes, type, bytes } of tensors) {
    parts.push(text(name), u32(sizes.length), ...sizes.map(u64), u32(type), u64(offset));
    offset += bytes.length + padding(bytes.length).length;
  }
  const header = Buffer.concat(parts);
  const data = tensors.flatMap(({ bytes }) => [Buffer.from(bytes), padding(bytes.length)]);
  return Buffer.concat([header, padding(header.length), ...data]);
}

/** A float32 tensor. */
export function floatTensor(name: string, sizes: readonly number[], values: Float32Array): HandTensor {
  return { name, sizes, type: 0, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}
