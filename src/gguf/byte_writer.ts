/** A growing little-endian buffer for the header of a GGUF file. */
import { type GgufArray, type GgufScalarType, type GgufValue, ggufValueTypes } from "./gguf_types.ts";

const utf8 = new TextEncoder();

interface NumberLayout {
  bytes: number;
  set(view: DataView, offset: number, value: number): void;
}

const u8: NumberLayout = { bytes: 1, set: (view, offset, value) => view.setUint8(offset, value) };

const numbers: Record<Exclude<GgufScalarType, "string">, NumberLayout> = {
  uint8: u8,
  bool: u8,
  int8: { bytes: 1, set: (view, offset, value) => view.setInt8(offset, value) },
  uint16: { bytes: 2, set: (view, offset, value) => view.setUint16(offset, value, true) },
  int16: { bytes: 2, set: (view, offset, value) => view.setInt16(offset, value, true) },
  uint32: { bytes: 4, set: (view, offset, value) => view.setUint32(offset, value, true) },
  int32: { bytes: 4, set: (view, offset, value) => view.setInt32(offset, value, true) },
  float32: { bytes: 4, set: (view, offset, value) => view.setFloat32(offset, value, true) },
  uint64: { bytes: 8, set: (view, offset, value) => view.setBigUint64(offset, BigInt(value), true) },
  int64: { bytes: 8, set: (view, offset, value) => view.setBigInt64(offset, BigInt(value), true) },
  float64: { bytes: 8, set: (view, offset, value) => view.setFloat64(offset, value, true) },
};

export class ByteWriter {
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);
  length = 0;

  /** The bytes written so far. Valid until the next write. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  u32(value: number): void {
    this.scalar("uint32", value);
  }

  u64(value: number): void {
    this.scalar("uint64", value);
  }

  string(value: string): void {
    const encoded = utf8.encode(value);
    this.u64(encoded.length);
    const offset = this.reserve(encoded.length);
    this.bytes.set(encoded, offset);
  }

  /** Type number, then the value. */
  value(value: GgufValue): void {
    this.u32(ggufValueTypes[value.type]);
    if (value.type === "array") this.array(value);
    else this.scalar(value.type, value.value);
  }

  /** Type number and count, then the elements; of an array of arrays each in the same way. */
  private array({ of, value }: GgufArray): void {
    this.u32(ggufValueTypes[of]);
    this.u64(value.length);
    if (of === "array") for (const element of value) this.array(element);
    else for (const element of value) this.scalar(of, element);
  }

  zeros(count: number): void {
    const offset = this.reserve(count);
    this.bytes.fill(0, offset, offset + count);
  }

  private scalar(type: GgufScalarType, value: string | number | boolean): void {
    if (type === "string") {
      this.string(value as string);
      return;
    }
    const layout = numbers[type];
    // Reserving may replace the view: it comes first.
    const offset = this.reserve(layout.bytes);
    layout.set(this.view, offset, Number(value));
  }

  /** Makes room for `count` bytes and returns their offset. */
  private reserve(count: number): number {
    const offset = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.length, this.bytes.length * 2));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return offset;
  }
}
