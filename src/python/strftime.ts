/** `datetime.strftime`, in English (the C locale). */

const months = "January February March April May June July August September October November December".split(" ");
const days = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

const padded = (value: number, size: number, fill = "0") => String(value).padStart(size, fill);

function dayOfYear(date: Date): number {
  const day = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((day - Date.UTC(date.getFullYear(), 0, 1)) / 86_400_000) + 1;
}

/** Weeks that begin on Sunday (0) or Monday (1), before the first of which is week 0. */
function weekOfYear(date: Date, firstDay: number): number {
  return Math.floor((dayOfYear(date) + 6 - ((date.getDay() - firstDay + 7) % 7)) / 7);
}

const directives: Record<string, (date: Date) => string> = {
  Y: (date) => String(date.getFullYear()),
  y: (date) => padded(date.getFullYear() % 100, 2),
  m: (date) => padded(date.getMonth() + 1, 2),
  d: (date) => padded(date.getDate(), 2),
  e: (date) => padded(date.getDate(), 2, " "),
  H: (date) => padded(date.getHours(), 2),
  I: (date) => padded(date.getHours() % 12 || 12, 2),
  M: (date) => padded(date.getMinutes(), 2),
  S: (date) => padded(date.getSeconds(), 2),
  f: (date) => padded(date.getMilliseconds() * 1000, 6),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  B: (date) => months[date.getMonth()],
  b: (date) => months[date.getMonth()].slice(0, 3),
  h: (date) => months[date.getMonth()].slice(0, 3),
  A: (date) => days[date.getDay()],
  a: (date) => days[date.getDay()].slice(0, 3),
  w: (date) => String(date.getDay()),
  u: (date) => String(date.getDay() || 7),
  j: (date) => padded(dayOfYear(date), 3),
  U: (date) => padded(weekOfYear(date, 0), 2),
  W: (date) => padded(weekOfYear(date, 1), 2),
  // A time without a zone has neither.
  z: () => "",
  Z: () => "",
  n: () => "\n",
  t: () => "\t",
  "%": () => "%",
};

/** Directives that stand for several. */
const shorthands: Record<string, string> = {
  D: "%m/%d/%y",
  F: "%Y-%m-%d",
  T: "%H:%M:%S",
  R: "%H:%M",
  c: "%a %b %e %H:%M:%S %Y",
  x: "%m/%d/%y",
  X: "%H:%M:%S",
};

/** `date.strftime(format)` of a local time without a zone; `%-d` leaves out the padding, as glibc does. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)([a-zA-Z%])/g, (whole, flag, letter) => {
    if (Object.hasOwn(shorthands, letter)) return strftime(date, shorthands[letter]);
    if (!Object.hasOwn(directives, letter)) return whole;
    const text = directives[letter](date);
    return flag === "-" ? text.replace(/^[ 0]+(?=.)/, "") : text;
  });
}
