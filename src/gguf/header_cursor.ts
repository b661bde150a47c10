/** Reads the values of a GGUF header one after the other. The bytes are untrusted: every count and length is checked. */
import {
  type GgufArray,
  GgufError,
  type GgufScalarType,
  type GgufValue,
  type GgufValueType,
  ggufValueTypes,
} from "./gguf_types.ts";

/** The longest real one is a tokenizer.json: about 30 MB. */
export const maxStringBytes = 1 << 28;
/** Twice the merges of the largest vocabularies in use (about 500 thousand), and room. */
export const maxArrayLength = 1 << 23;
/** Arrays in arrays in an array. */
const maxArrayDepth = 4;

/** The header goes on after the bytes at hand (which are not the whole file). */
export class HeaderIncomplete extends Error {
  override name = "HeaderIncomplete";
}

const utf8 = new TextDecoder("utf-8");
const valueTypeNames = Object.keys(ggufValueTypes) as GgufValueType[];

export class HeaderCursor {
  private readonly view: DataView;
  position = 0;
  /** Of everything that is read from now on. */
  littleEndian = true;
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
    return this.view.getUint32(this.take(4, what), this.littleEndian);
  }

  /** A count or offset: unsigned, at most `limit`. */
  u64(what: string, limit: number): number {
    const offset = this.position;
    const value = this.view.getBigUint64(this.take(8, what), this.littleEndian);
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
        return this.view.getUint16(this.take(2, what), this.littleEndian);
      case "int16":
        return this.view.getInt16(this.take(2, what), this.littleEndian);
      case "uint32":
        return this.view.getUint32(this.take(4, what), this.littleEndian);
      case "int32":
        return this.view.getInt32(this.take(4, what), this.littleEndian);
      case "float32":
        return this.view.getFloat32(this.take(4, what), this.littleEndian);
      case "float64":
        return this.view.getFloat64(this.take(8, what), this.littleEndian);
      case "uint64":
        return this.u64(what, Number.MAX_SAFE_INTEGER);
      case "int64": {
        const value = Number(this.view.getBigInt64(this.take(8, what), this.littleEndian));
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
    return type === "array" ? this.array(what, 1) : ({ type, value: this.scalar(type, what) } as GgufValue);
  }

  private array(what: string, depth: number): GgufArray {
    if (depth > maxArrayDepth) throw new GgufError(`${what} has arrays in arrays ${maxArrayDepth + 1} deep`);
    const of = this.valueType(`the elements of ${what}`);
    const length = this.u64(`length of ${what}`, maxArrayLength);
    const value: (string | number | boolean | GgufArray)[] = [];
    for (let i = 0; i < length; i++) value.push(of === "array" ? this.array(what, depth + 1) : this.scalar(of, what));
    return { type: "array", of, value } as GgufArray;
  }
}
