/**
 * Types of Parquet columns, as Arrow has them: from the file's schema, and from the Arrow schema that pyarrow keeps beside
 * it, which also knows durations and names of time zones.
 */
import {
  type DataType as AnyType,
  Binary,
  Bool,
  DataType,
  DateDay,
  Decimal,
  Duration,
  Field,
  Float64,
  Int64,
  List,
  Map_,
  RecordBatchReader,
  Struct,
  Time,
  Timestamp,
  TimeUnit,
  Utf8,
} from "apache-arrow";
import type { FileMetaData, ParquetParsers, SchemaElement, SchemaTree } from "hyparquet";

/** Annotations that the library would turn into dates and numbers with fewer digits. */
const turned = /^(DECIMAL|DATE|TIME_|TIMESTAMP)/;

/** The metadata of the same file, whose columns are then read as they are stored; texts and unsigned integers stay. */
export function storedMetadata(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element): SchemaElement => {
    const { converted_type, logical_type, ...rest } = element;
    return turned.test(converted_type ?? "") || turned.test(logical_type?.type ?? "") ? rest : element;
  });
  return { ...metadata, schema };
}

const decoder = new TextDecoder();

/** For what has no annotation to leave out. */
export const storedParsers: Partial<ParquetParsers> = {
  timestampFromNanoseconds: (value) => value,
  jsonFromBytes: (bytes) => bytes && decoder.decode(bytes),
};

const units: Readonly<Record<string, TimeUnit>> = {
  MILLIS: TimeUnit.MILLISECOND,
  MICROS: TimeUnit.MICROSECOND,
  NANOS: TimeUnit.NANOSECOND,
};

function leafType({ type, converted_type, logical_type: logical, scale }: SchemaElement): AnyType {
  const converted: string = converted_type ?? "";
  const kind = logical?.type;
  if (kind === "DECIMAL" || converted === "DECIMAL") return new Decimal(scale ?? 0, 38);
  if (kind === "DATE" || converted === "DATE") return new DateDay();
  if (kind === "TIMESTAMP") return new Timestamp(units[logical.unit], logical.isAdjustedToUTC ? "UTC" : null);
  if (kind === "TIME") return new Time(units[logical.unit], 64);
  const [, what, unit] = /^(TIME|TIMESTAMP)_(\w+)$/.exec(converted) ?? [];
  if (what === "TIMESTAMP") return new Timestamp(units[unit], "UTC");
  if (what === "TIME") return new Time(units[unit], 64);
  if (type === "INT96") return new Timestamp(TimeUnit.NANOSECOND, null);
  if (kind === "FLOAT16" || type === "FLOAT" || type === "DOUBLE") return new Float64();
  if (type === "BOOLEAN") return new Bool();
  if (type === "INT32" || type === "INT64") return new Int64();
  const isText =
    ["UTF8", "ENUM", "JSON"].includes(converted) || ["STRING", "ENUM", "JSON", "UUID"].includes(kind ?? "");
  return isText ? new Utf8() : new Binary();
}

/** The type of a node of the schema. Lists in their two and three level forms, as the library reads them. */
function typeOf(node: SchemaTree): AnyType {
  const { element, children } = node;
  const isList = element.converted_type === "LIST" || element.logical_type?.type === "LIST";
  if (isList && children.length === 1) {
    const [repeated] = children;
    const item = repeated.children.length === 1 ? repeated.children[0] : repeated;
    return new List(new Field("item", item === repeated ? valueType(item) : typeOf(item), true));
  }
  return element.repetition_type === "REPEATED" ? new List(new Field("item", valueType(node), true)) : valueType(node);
}

function valueType({ element, children }: SchemaTree): AnyType {
  if (children.length === 0) return leafType(element);
  if (element.converted_type === "MAP" || element.logical_type?.type === "MAP") {
    const entries = children[0].children.map((child) => new Field(child.element.name, typeOf(child), true));
    return new Map_(
      new Field("entries", new Struct(entries), false) as Field<Struct<{ key: AnyType; value: AnyType }>>,
    );
  }
  return new Struct(children.map((child) => new Field(child.element.name, typeOf(child), true)));
}

/** `type` with what only Arrow's schema tells. */
function refined(type: AnyType, known: AnyType | undefined): AnyType {
  if (known === undefined) return type;
  if (DataType.isDuration(known) && DataType.isInt(type)) return new Duration(known.unit);
  if (DataType.isTimestamp(known) && DataType.isTimestamp(type)) return new Timestamp(type.unit, known.timezone);
  if (DataType.isList(type)) {
    const [item] = type.children;
    return new List(new Field("item", refined(item.type, known.children?.[0]?.type), true));
  }
  if (!DataType.isStruct(type)) return type;
  const others = new Map<string, AnyType>((known.children ?? []).map((field: Field) => [field.name, field.type]));
  return new Struct(type.children.map(({ name, type }) => new Field(name, refined(type, others.get(name)), true)));
}

/** Fields of the Arrow schema in the file's metadata, by name; none if there is no schema or it cannot be read. */
function arrowFields({ key_value_metadata: entries = [] }: FileMetaData): ReadonlyMap<string, AnyType> {
  const text = entries.find(({ key }) => key === "ARROW:schema")?.value;
  if (text === undefined) return new Map();
  try {
    const reader = RecordBatchReader.from(Buffer.from(text, "base64")).open();
    return new Map(reader.schema.fields.map(({ name, type }) => [name, type]));
  } catch {
    return new Map();
  }
}

/** The type of each column. @param schema of the file */
export function columnTypes(metadata: FileMetaData, schema: SchemaTree): ReadonlyMap<string, AnyType> {
  const known = arrowFields(metadata);
  return new Map(
    schema.children.map((child) => {
      const { name } = child.element;
      return [name, refined(typeOf(child), known.get(name))];
    }),
  );
}
