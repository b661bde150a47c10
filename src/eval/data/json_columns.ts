/**
 * Columns of JSON documents, as `datasets` makes them: one type for all documents of a split. A column with 6.5 and 7 holds
 * floats; a field that some documents lack is None there; texts that are all time stamps become datetimes; structs without
 * the same fields, and values of different kinds, stay what they are, though texts among them that are JSON are read.
 */
import type { JsonObject } from "../../data/document.ts";
import { parseJsonValues } from "../../data/json_values.ts";
import { PythonDatetime } from "../../python/datetime.ts";
import { isFloat, isInteger, isPlainDict, PythonFloat } from "../../python/values.ts";

type Change = (value: unknown) => unknown;

const unchanged: Change = (value) => value;
const isNumber = (value: unknown) => isInteger(value) || isFloat(value);
const isDict = (value: unknown): value is JsonObject => isPlainDict(value);

/** The documents with the columns of all of them. */
export function withColumnTypes(documents: readonly JsonObject[]): JsonObject[] {
  const names = new Set(documents.flatMap((document) => Object.keys(document)));
  const columns = Array.from(names, (name) => [name, changeOf(documents.map((document) => document[name]))] as const);
  return documents.map((document) =>
    Object.fromEntries(columns.map(([name, change]) => [name, change(document[name] ?? null)])),
  );
}

/** What the type of a column makes of each of its values. */
function changeOf(column: readonly unknown[]): Change {
  const values = column.filter((value) => value !== null && value !== undefined);
  const all = (test: (value: unknown) => boolean) => values.every(test);
  if (all((value) => typeof value === "boolean")) return unchanged;
  if (all(isNumber)) return all(isInt64) ? unchanged : toFloat;
  if (all((value) => typeof value === "string")) return all((value) => timeOf(value) !== null) ? toDatetime : unchanged;
  if (all(Array.isArray)) {
    const item = changeOf((values as unknown[][]).flat());
    return item === unchanged ? unchanged : present((list) => (list as unknown[]).map(item));
  }
  return all(isDict) ? ofStructs(values as JsonObject[]) : present(decoded);
}

function ofStructs(structs: readonly JsonObject[]): Change {
  const names = Object.keys(structs[0]);
  const isSame = (struct: JsonObject) =>
    Object.keys(struct).length === names.length && names.every((name) => Object.hasOwn(struct, name));
  if (names.length === 0 || !structs.every(isSame)) return unchanged;
  const fields = names.map((name) => [name, changeOf(structs.map((struct) => struct[name]))] as const);
  return present((struct) =>
    Object.fromEntries(fields.map(([name, change]) => [name, change((struct as JsonObject)[name])])),
  );
}

/** None stays None. */
function present(change: Change): Change {
  return (value) => (value === null || value === undefined ? null : change(value));
}

function isInt64(value: unknown): boolean {
  return isInteger(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value);
}

const toFloat = present((value) => {
  const number = Number(value);
  return Number.isInteger(number) ? new PythonFloat(number) : number;
});

/** What has a kind of its own among others. */
function decoded(value: unknown): unknown {
  if (Number.isNaN(value)) return null;
  if (typeof value !== "string") return value;
  try {
    return parseJsonValues(value);
  } catch {
    return value;
  }
}

const timestamp =
  /^(?<date>\d{4}-\d\d-\d\d)(?:[ T](?<hour>\d\d)(?::(?<minute>\d\d)(?::(?<second>\d\d))?)?(?<zone>Z|(?<sign>[+-])(?<zoneHour>\d\d)(?::?(?<zoneMinute>\d\d))?)?)?$/;

/** Seconds since 1970 of a time stamp as Arrow infers it (no fraction of a second); null for another text. */
function timeOf(text: unknown): number | null {
  const parts = timestamp.exec(text as string)?.groups;
  if (parts === undefined) return null;
  const [hour, minute, second, zoneHour, zoneMinute] = ["hour", "minute", "second", "zoneHour", "zoneMinute"].map(
    (name) => Number(parts[name] ?? 0),
  );
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return null;
  const day = new Date(`${parts.date}T00:00:00Z`);
  // JavaScript takes February 30th for March; Python has no year 0.
  const isDay =
    !Number.isNaN(day.getTime()) && day.toISOString().startsWith(parts.date) && !parts.date.startsWith("0000");
  if (!isDay) return null;
  const offset = (parts.sign === "-" ? -1 : 1) * (zoneHour * 60 + zoneMinute);
  return day.getTime() / 1000 + hour * 3600 + (minute - offset) * 60 + second;
}

const toDatetime = present((value) => new PythonDatetime(BigInt(timeOf(value)!) * 1_000_000n));
