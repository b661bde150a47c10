/** Python's `datetime` module as far as values of data sets have it: dates, times, time stamps, durations. */
import { PythonObject } from "./python_object.ts";

const microsecondsADay = 86_400_000_000n;
const two = (value: number) => String(value).padStart(2, "0");
const six = (value: number) => String(value).padStart(6, "0");

/** Quotient rounded down, and what is left, which is not negative. */
function divide(value: bigint, by: bigint): [bigint, bigint] {
  const rest = ((value % by) + by) % by;
  return [(value - rest) / by, rest];
}

interface DateParts {
  year: number;
  month: number;
  day: number;
}

interface TimeParts {
  hour: number;
  minute: number;
  second: number;
  microsecond: number;
}

function datePartsOf(days: number): DateParts {
  const date = new Date(days * 86_400_000);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

function timePartsOf(microseconds: bigint): TimeParts {
  const [seconds, rest] = divide(microseconds, 1_000_000n);
  const second = Number(seconds);
  return {
    hour: Math.floor(second / 3600),
    minute: Math.floor(second / 60) % 60,
    second: second % 60,
    microsecond: Number(rest),
  };
}

const dateText = ({ year, month, day }: DateParts) => `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;

function timeText({ hour, minute, second, microsecond }: TimeParts): string {
  return `${two(hour)}:${two(minute)}:${two(second)}${microsecond > 0 ? `.${six(microsecond)}` : ""}`;
}

/** Arguments of a constructor: seconds and microseconds are left out where they are 0. */
function timeArguments({ hour, minute, second, microsecond }: TimeParts): number[] {
  if (microsecond > 0) return [hour, minute, second, microsecond];
  return second > 0 ? [hour, minute, second] : [hour, minute];
}

/** What prints, compares and is looked up by its parts. */
abstract class DateTimeObject extends PythonObject {
  /** What has a name: `year`, `isoformat`. */
  protected abstract readonly parts: object;

  override equals(other: unknown): boolean {
    return other instanceof DateTimeObject && other.repr() === this.repr();
  }

  override attribute(name: string): unknown {
    return Object.hasOwn(this.parts, name) ? (this.parts as Record<string, unknown>)[name] : undefined;
  }

  /** As lm-evaluation-harness writes it to its samples. */
  toJSON(): string {
    return this.str();
  }
}

/** `datetime.date` */
export class PythonDate extends DateTimeObject {
  readonly typeName = "date";
  protected readonly parts: DateParts;

  /** @param days since 1970-01-01 */
  constructor(days: number) {
    super();
    const methods = { isoformat: () => this.str() };
    this.parts = { ...datePartsOf(days), ...methods };
  }

  repr(): string {
    const { year, month, day } = this.parts;
    return `datetime.date(${year}, ${month}, ${day})`;
  }

  override str(): string {
    return dateText(this.parts);
  }
}

/** `datetime.time` */
export class PythonTime extends DateTimeObject {
  readonly typeName = "time";
  protected readonly parts: TimeParts;

  /** @param microseconds since midnight */
  constructor(microseconds: bigint) {
    super();
    const methods = { isoformat: () => this.str() };
    this.parts = { ...timePartsOf(microseconds), ...methods };
  }

  repr(): string {
    return `datetime.time(${timeArguments(this.parts).join(", ")})`;
  }

  override str(): string {
    return timeText(this.parts);
  }
}

/** Where a time stamp's clock stands: a fixed offset (`+02:00`) or a name of the time zone database. */
interface Zone {
  /** Minutes east of Greenwich. */
  offset: number;
  repr: string;
}

function zoneAt(name: string, milliseconds: number): Zone {
  const fixed = /^([+-])(\d\d):(\d\d)$/.exec(name);
  if (fixed !== null) {
    const offset = (fixed[1] === "-" ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3]));
    return {
      offset,
      repr:
        offset === 0
          ? "datetime.timezone.utc"
          : `datetime.timezone(${new PythonTimedelta(BigInt(offset) * 60_000_000n).repr()})`,
    };
  }
  return { offset: namedOffset(name, milliseconds), repr: `zoneinfo.ZoneInfo(key='${name}')` };
}

function namedOffset(name: string, milliseconds: number): number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  const text = format.formatToParts(milliseconds).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const match = /([+-])(\d\d):(\d\d)/.exec(text);
  return match === null ? 0 : (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}

function offsetText(offset: number): string {
  const size = Math.abs(offset);
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** `datetime.datetime`; with nanoseconds it is pandas' `Timestamp`. */
export class PythonDatetime extends DateTimeObject {
  readonly typeName: "datetime" | "Timestamp";
  protected readonly parts: DateParts & TimeParts;
  private readonly zone: Zone | null;
  private readonly zoneName: string | null;
  private readonly nanosecond: number | null;

  /**
   * @param microseconds since 1970-01-01 00:00 UTC
   * @param zone its clock is the one that is shown; null: none is known
   * @param nanosecond below the microsecond; null: a plain datetime
   */
  constructor(microseconds: bigint, zone: string | null = null, nanosecond: number | null = null) {
    super();
    this.typeName = nanosecond === null ? "datetime" : "Timestamp";
    this.nanosecond = nanosecond;
    this.zoneName = zone;
    this.zone = zone === null ? null : zoneAt(zone, Number(microseconds / 1000n));
    const local = microseconds + BigInt(this.zone?.offset ?? 0) * 60_000_000n;
    const [days, rest] = divide(local, microsecondsADay);
    const methods = {
      isoformat: () => this.text("T"),
      date: () => new PythonDate(Number(days)),
      time: () => new PythonTime(rest),
    };
    this.parts = { ...datePartsOf(Number(days)), ...timePartsOf(rest), ...methods };
  }

  private text(separator: string): string {
    const offset = this.zone === null ? "" : offsetText(this.zone.offset);
    const { nanosecond } = this;
    const time = timeText(this.parts);
    const fraction = nanosecond ? `${time.includes(".") ? "" : ".000000"}${String(nanosecond).padStart(3, "0")}` : "";
    return `${dateText(this.parts)}${separator}${time}${fraction}${offset}`;
  }

  repr(): string {
    if (this.nanosecond !== null) {
      const zone = this.zoneName === null ? "" : `, tz='${this.zoneName.replace(/^[+-]/, "UTC$&")}'`;
      return `Timestamp('${this.str().replace(/:(\d\d)$/, this.zoneName === null ? "$&" : "$1")}'${zone})`;
    }
    const { year, month, day } = this.parts;
    const zone = this.zone === null ? [] : [`tzinfo=${this.zone.repr}`];
    return `datetime.datetime(${[year, month, day, ...timeArguments(this.parts), ...zone].join(", ")})`;
  }

  override str(): string {
    return this.text(" ");
  }
}

/** `datetime.timedelta`; with nanoseconds it is pandas' `Timedelta`. */
export class PythonTimedelta extends DateTimeObject {
  readonly typeName: "timedelta" | "Timedelta";
  protected readonly parts: { days: number; seconds: number; microseconds: number };
  private readonly nanosecond: number | null;

  constructor(microseconds: bigint, nanosecond: number | null = null) {
    super();
    this.typeName = nanosecond === null ? "timedelta" : "Timedelta";
    this.nanosecond = nanosecond;
    const [days, ofDay] = divide(microseconds, microsecondsADay);
    const [seconds, rest] = divide(ofDay, 1_000_000n);
    this.parts = { days: Number(days), seconds: Number(seconds), microseconds: Number(rest) };
  }

  repr(): string {
    if (this.nanosecond !== null) return `Timedelta('${this.str()}')`;
    const parts = Object.entries(this.parts).filter(([, value]) => value !== 0);
    return `datetime.timedelta(${parts.map(([name, value]) => `${name}=${value}`).join(", ") || "0"})`;
  }

  override str(): string {
    const { days, seconds, microseconds } = this.parts;
    const time = timePartsOf(BigInt(seconds) * 1_000_000n + BigInt(microseconds));
    if (this.nanosecond !== null) {
      const below =
        this.nanosecond > 0
          ? `${time.microsecond > 0 ? "" : ".000000"}${String(this.nanosecond).padStart(3, "0")}`
          : "";
      return `${days} days ${days < 0 ? "+" : ""}${timeText(time)}${below}`;
    }
    const clock = timeText(time).replace(/^0/, "");
    return days === 0 ? clock : `${days} day${Math.abs(days) === 1 ? "" : "s"}, ${clock}`;
  }

  override isTruthy(): boolean {
    return Object.values(this.parts).some((value) => value !== 0) || Boolean(this.nanosecond);
  }
}
