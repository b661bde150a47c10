/**
 * A GGUF file written value by value from the format's description, sharing no code with `export/`: for tests that
 * need a file which our exporter did not make.
 *
 *   "GGUF", u32 version 3, u64 tensors, u64 metadata entries
 *   entry:   string key, u32 type, value         tensor: string name, u32 n, n x u64 size (fastest first), u32 type,
 *   string:  u64 bytes, UTF-8                            u64 offset in the data, which starts at a multiple of 32 (of
 *                                                         the alignment)
 */

export type HandValue =
  | { u16: number }
  | { u32: number }
  | { f32: number }
  | { bool: boolean }
  | { string: string }
  | { strings: readonly string[] }
  | { i32s: readonly number[] }
  | { f32s: readonly number[] }
  | { arrays: readonly (readonly number[])[] };

export interface HandTensor {
  name: string;
  /** Fastest first, as stored: a linear weight is [in, out]. */
  sizes: readonly number[];
  /** Number of the ggml type. */
  type: number;
  bytes: Uint8Array;
}

export interface HandLayout {
  /** Where tensors begin; the key `general.alignment` is the caller's. */
  alignment?: number;
  /** All numbers of the header with the high byte first; the tensors are the caller's. */
  bigEndian?: boolean;
}

/** Numbers in the byte order of a file. */
function encoder(bigEndian: boolean) {
  const number = (bytes: number, set: (view: DataView) => void) => {
    const view = new DataView(new ArrayBuffer(bytes));
    set(view);
    return Buffer.from(view.buffer);
  };
  const u32 = (value: number) => number(4, (view) => view.setUint32(0, value, !bigEndian));
  const u64 = (value: number) => number(8, (view) => view.setBigUint64(0, BigInt(value), !bigEndian));
  const i32 = (value: number) => number(4, (view) => view.setInt32(0, value, !bigEndian));
  const f32 = (value: number) => number(4, (view) => view.setFloat32(0, value, !bigEndian));
  const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
  const elements = (type: number, all: readonly Buffer[]) => Buffer.concat([u32(type), u64(all.length), ...all]);
  const value = (given: HandValue): Buffer[] => {
    if ("u16" in given) return [u32(2), number(2, (view) => view.setUint16(0, given.u16, !bigEndian))];
    if ("u32" in given) return [u32(4), u32(given.u32)];
    if ("f32" in given) return [u32(6), f32(given.f32)];
    if ("bool" in given) return [u32(7), Buffer.from([given.bool ? 1 : 0])];
    if ("string" in given) return [u32(8), text(given.string)];
    if ("strings" in given) return [u32(9), elements(8, given.strings.map(text))];
    if ("i32s" in given) return [u32(9), elements(5, given.i32s.map(i32))];
    if ("f32s" in given) return [u32(9), elements(6, given.f32s.map(f32))];
    const inner = given.arrays.map((each) => elements(5, each.map(i32)));
    return [u32(9), elements(9, inner)];
  };
  return { u32, u64, text, value };
}

/** The bytes of a file with these entries and tensors, in order. */
export function ggufByHand(
  metadata: Readonly<Record<string, HandValue>>,
  tensors: readonly HandTensor[],
  { alignment = 32, bigEndian = false }: HandLayout = {},
): Buffer {
  const { u32, u64, text, value } = encoder(bigEndian);
  const padding = (length: number) => Buffer.alloc((alignment - (length % alignment)) % alignment);
  const entries = Object.entries(metadata);
  const parts: Uint8Array[] = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(entries.length)];
  for (const [key, given] of entries) parts.push(text(key), ...value(given));
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
