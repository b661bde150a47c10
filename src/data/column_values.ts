/** Values of typed columns (Arrow, Parquet) as Python has them when `datasets` reads the file: src/python/values.ts. */
import {
  type Data,
  DataType,
  DateUnit,
  type Field,
  FixedSizeList,
  Int32,
  Int64,
  List,
  MapRow,
  Struct,
  StructRow,
  TimeUnit,
  Vector,
} from "apache-arrow";
import { PythonBytes } from "../python/bytes.ts";
import { PythonDate, PythonDatetime, PythonTime, PythonTimedelta } from "../python/datetime.ts";
import { PythonDecimal } from "../python/decimal.ts";
import { pythonFloat, pythonInt } from "../python/values.ts";

/** From what the library gives to the value; null and undefined are None before it is asked. */
export type Converter = (value: unknown) => unknown;

const perMicrosecond: Record<TimeUnit, bigint> = {
  [TimeUnit.SECOND]: 1_000_000n,
  [TimeUnit.MILLISECOND]: 1000n,
  [TimeUnit.MICROSECOND]: 1n,
  [TimeUnit.NANOSECOND]: 0n,
};

/** Microseconds, and the nanoseconds below them where the unit has them (else null). */
function microseconds(value: unknown, unit: TimeUnit): [bigint, number | null] {
  const count = BigInt(value as number | bigint);
  if (unit !== TimeUnit.NANOSECOND) return [count * perMicrosecond[unit], null];
  const below = ((count % 1000n) + 1000n) % 1000n;
  return [(count - below) / 1000n, Number(below)];
}

/** The integer of little-endian 32-bit words (Arrow), of big-endian bytes (Parquet), or as it is. */
function decimalDigits(value: unknown): bigint {
  if (typeof value === "bigint" || typeof value === "number") return BigInt(value);
  if (value instanceof Uint8Array) {
    return BigInt.asIntN(8 * value.length, BigInt(`0x${Buffer.from(value).toString("hex") || "0"}`));
  }
  const words = Array.from(value as ArrayLike<number>);
  const unsigned = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n);
  return BigInt.asIntN(32 * words.length, unsigned);
}

const decoder = new TextDecoder();
const asText: Converter = (value) => (value instanceof Uint8Array ? decoder.decode(value) : String(value));

function fieldsOf(value: unknown): Record<string, unknown> {
  return value instanceof StructRow || value instanceof MapRow ? value.toJSON() : (value as Record<string, unknown>);
}

/** @throws {Error} for types that `datasets` does not read either (unions, intervals). */
export function converterOf(type: DataType): Converter {
  const convert = convertPresent(type);
  return (value) => (value === null || value === undefined ? null : convert(value));
}

function convertPresent(type: DataType): Converter {
  if (DataType.isInt(type)) return (value) => pythonInt(value as number | bigint);
  if (DataType.isFloat(type)) return (value) => pythonFloat(value as number);
  if (DataType.isBool(type)) return Boolean;
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type)) return asText;
  if (
    DataType.isBinary(type) ||
    DataType.isLargeBinary(type) ||
    DataType.isFixedSizeBinary(type) ||
    DataType.isBinaryView(type)
  )
    return (value) => new PythonBytes(value as Uint8Array);
  if (DataType.isNull(type)) return () => null;
  if (DataType.isDecimal(type)) return (value) => new PythonDecimal(decimalDigits(value), type.scale);
  if (DataType.isDictionary(type)) return converterOf(type.dictionary);
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type)) {
    const item = converterOf(type.children[0].type);
    return (value) => Array.from(value as Iterable<unknown>, item);
  }
  if (DataType.isStruct(type)) {
    const fields = type.children.map(({ name, type }) => [name, converterOf(type)] as const);
    return (value) => {
      const parts = fieldsOf(value);
      return Object.fromEntries(fields.map(([name, convert]) => [name, convert(parts[name])]));
    };
  }
  if (DataType.isMap(type)) {
    const item = converterOf(type.valueType);
    return (value) => Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, entry]) => [key, item(entry)]));
  }
  return temporal(type);
}

function temporal(type: DataType): Converter {
  if (DataType.isDate(type)) {
    const perDay = type.unit === DateUnit.DAY ? 1 : 86_400_000;
    return (value) => new PythonDate(Math.floor(Number(value) / perDay));
  }
  if (DataType.isTimestamp(type)) {
    const { unit, timezone } = type;
    return (value) => {
      const [whole, below] = microseconds(value, unit);
      return new PythonDatetime(whole, timezone ?? null, below);
    };
  }
  if (DataType.isTime(type)) return (value) => new PythonTime(microseconds(value, type.unit)[0]);
  if (DataType.isDuration(type)) return (value) => new PythonTimedelta(...microseconds(value, type.unit));
  throw new Error(`columns of type ${type} are not read`);
}

/** The type whose values the library gives as they are stored: it makes milliseconds of time stamps and dates. */
function storedType(type: DataType): DataType {
  if (DataType.isTimestamp(type)) return new Int64();
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? new Int32() : new Int64();
  const children = type.children?.map((field: Field) => field.clone({ type: storedType(field.type) }));
  if (DataType.isList(type)) return new List(children[0]);
  if (DataType.isFixedSizeList(type)) return new FixedSizeList(type.listSize, children[0]);
  return DataType.isStruct(type) ? new Struct(children) : type;
}

function stored(data: Data): Data {
  const children = data.children.map(stored);
  return data.clone(storedType(data.type), data.offset, data.length, undefined, undefined, children);
}

/** The values of a column of a record batch, as Python has them. */
export function pythonColumn(column: Vector): { get(index: number): unknown } {
  const convert = converterOf(column.type);
  const values = new Vector(column.data.map(stored));
  return { get: (index) => convert(values.get(index)) };
}
