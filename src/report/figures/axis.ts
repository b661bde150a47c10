/** Where values lie on an axis, and which of them are written on it. */

export interface Range {
  low: number;
  high: number;
}

export interface AxisOptions {
  label: string;
  /** Decades are equally long; values must be above 0. */
  log?: boolean;
  /** Default: that of the values. */
  range?: Range;
}

export interface Tick {
  value: number;
  label: string;
}

export interface Axis {
  label: string;
  /** From 0 at the beginning to 1 at the end. */
  place(value: number): number;
  ticks: readonly Tick[];
}

/** Digits that tell values so far apart from one another; large numbers with k and M. */
export function tickLabel(value: number, step: number): string {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size < 1e-3 && step < 1e-4) return value.toExponential(step < size / 5 ? 1 : 0);
  if (size >= 1e6 && step >= 1e4) return `${Number((value / 1e6).toFixed(2))}M`;
  if (size >= 1e4 && step >= 100) return `${Number((value / 1e3).toFixed(1))}k`;
  return value.toFixed(Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9))));
}

/** 1, 2 or 5 times a power of ten, with which about `count` steps fill the range. */
function niceStep(length: number, count: number): number {
  const rough = length / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= rough * 0.8)!;
}

function linearAxis({ label }: AxisOptions, { low, high }: Range, count: number): Axis {
  const step = niceStep(high - low, count);
  const ticks: Tick[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
    ticks.push({ value: i * step, label: tickLabel(i * step, step) });
  }
  return { label, ticks, place: (value) => (value - low) / (high - low) };
}

function logAxis({ label }: AxisOptions, { low, high }: Range, count: number): Axis {
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const ticks: Tick[] = [];
  const digits = to - from < 1.2 ? [1, 2, 3, 5, 7] : to - from < 3 ? [1, 2, 5] : [1];
  for (let power = Math.floor(from); power <= Math.ceil(to); power++) {
    for (const digit of digits) {
      const value = digit * 10 ** power;
      if (value < low * 0.999 || value > high * 1.001) continue;
      const label = value < 1e-3 || value >= 1e5 ? value.toExponential(0) : String(Number(value.toPrecision(2)));
      ticks.push({ value, label });
    }
  }
  const every = Math.ceil(ticks.length / (count + 2));
  const shown = ticks.filter((_, i) => i % every === 0);
  return { label, ticks: shown, place: (value) => (Math.log10(value) - from) / (to - from) };
}

/** The range of finite values (above 0 for a log axis) with room at its ends; 0 to 1 of none. */
export function rangeOf(values: Iterable<number>, log = false): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value) || (log && value <= 0)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return log ? { low: 0.1, high: 1 } : { low: 0, high: 1 };
  if (log) return low === high ? { low: low / 2, high: high * 2 } : { low: low / 1.1, high: high * 1.1 };
  if (low === high) {
    const room = Math.abs(low) / 10 || 1;
    return { low: low - room, high: high + room };
  }
  const room = (high - low) * 0.04;
  // Shares, rates and norms begin at 0: no room below it.
  return { low: low >= 0 && low < room * 8 ? 0 : low - room, high: high + room };
}

/** @param count of ticks, about */
export function makeAxis(options: AxisOptions, values: Iterable<number>, count: number): Axis {
  const range = options.range ?? rangeOf(values, options.log);
  return options.log ? logAxis(options, range, count) : linearAxis(options, range, count);
}
