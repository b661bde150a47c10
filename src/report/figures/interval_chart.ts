/** Means with their intervals, one row for each arm, and the single runs as dots. */
import { colourOf } from "../style.ts";
import { type AxisOptions, makeAxis } from "./axis.ts";
import { element, type Figure, figureWidth, fitText, hint, makeFigure, text, textWidth } from "./figure.ts";
import { xOf } from "./plot_area.ts";

export interface IntervalRow {
  label: string;
  mean: number;
  /** Ends of the interval; null if there is none, as of one seed. */
  interval: readonly [low: number, high: number] | null;
  /** Single runs. */
  values: readonly number[];
  /** Index of its colour. */
  colour: number;
}

export interface IntervalChart {
  title: string;
  x: AxisOptions;
  rows: readonly IntervalRow[];
  /** An upright line, as of no difference. */
  mark?: number;
}

const rowHeight = 26;

const short = (value: number) => String(Number(value.toPrecision(5)));

function meanText(label: string, mean: number, interval: IntervalRow["interval"]): string {
  return `${label}: ${short(mean)}${interval === null ? "" : `, ${interval.map(short).join(" to ")}`}`;
}

function* valuesOf({ rows, mark }: IntervalChart): Generator<number> {
  if (mark !== undefined) yield mark;
  for (const { mean, interval, values } of rows) {
    yield mean;
    yield* values;
    if (interval !== null) yield* interval;
  }
}

/** Null without rows. */
export function intervalChart(chart: IntervalChart): Figure | null {
  const rows = chart.rows.filter(({ mean }) => Number.isFinite(mean));
  if (rows.length === 0) return null;
  const axis = makeAxis(chart.x, valuesOf(chart), 5);
  const widest = rows.reduce((most, { label }) => Math.max(most, textWidth(label)), 0);
  const left = Math.min(170, widest + 12);
  const area = { left, top: 30, width: figureWidth - left - 14, height: rows.length * rowHeight };
  const bottom = area.top + area.height;
  const at = (value: number) => xOf(area, axis.place(value));
  const grid = axis.ticks.map(
    ({ value, label }) =>
      element("line", { x1: at(value), x2: at(value), y1: area.top, y2: bottom, stroke: "var(--line)" }) +
      text(at(value), bottom + 15, label, { text_anchor: "middle" }),
  );
  const drawn = rows.map(({ label, mean, interval, values, colour }, i) => {
    const y = area.top + (i + 0.5) * rowHeight;
    const fill = colourOf(colour);
    const ends = interval && { x1: at(interval[0]), x2: at(interval[1]), y1: y, y2: y };
    return [
      text(area.left - 8, y + 4, fitText(label, area.left - 8), { text_anchor: "end", fill: "var(--text)" }),
      ends === null ? "" : element("line", { ...ends, stroke: fill, stroke_width: 2.5, stroke_linecap: "round" }),
      ...values.map((value) => element("circle", { cx: at(value), cy: y + 7, r: 2, fill, fill_opacity: 0.6 })),
      element("circle", { cx: at(mean), cy: y, r: 4.5, fill }, hint(meanText(label, mean, interval))),
    ].join("");
  });
  const { mark } = chart;
  const zero =
    mark === undefined
      ? ""
      : element("line", { x1: at(mark), x2: at(mark), y1: area.top, y2: bottom, stroke: "var(--text)" });
  const label = text(area.left + area.width / 2, bottom + 31, axis.label, { text_anchor: "middle" });
  return makeFigure(chart.title, bottom + 36, [...grid, zero, ...drawn, label]);
}
