/** A value for each row and column, as the strength of one colour: layers over steps. */
import { largest, smallest } from "../../arrays/large_arrays.ts";
import { tickLabel } from "./axis.ts";
import { element, type Figure, figureWidth, fitText, makeFigure, text, textWidth } from "./figure.ts";

export interface HeatMap {
  title: string;
  rows: readonly string[];
  /** Ascending, as steps are. */
  columns: readonly number[];
  /** By row, then column; null where nothing was measured. */
  values: readonly (readonly (number | null)[])[];
  xLabel: string;
  /** Equal factors are equally far apart; values of 0 and below are left out. */
  log?: boolean;
}

/** More columns than this are shown in part, evenly spaced. */
const mostColumns = 60;

/** Null without a value. */
export function heatMap({ title, rows, columns, values, xLabel, log = false }: HeatMap): Figure | null {
  const isKnown = (value: number | null): value is number =>
    value !== null && Number.isFinite(value) && (!log || value > 0);
  const known = values.flat().filter(isKnown);
  if (known.length === 0) return null;
  const [low, high] = [smallest(known), largest(known)];
  const place = (value: number) => (log ? Math.log(value) : value);
  const share = (value: number) => (high > low ? (place(value) - place(low)) / (place(high) - place(low)) : 1);
  const every = Math.ceil(columns.length / mostColumns);
  const shown = columns.map((_, i) => i).filter((i) => (columns.length - 1 - i) % every === 0);
  const widest = rows.reduce((most, row) => Math.max(most, textWidth(row, 10)), 0);
  const left = Math.min(170, widest + 10);
  const rowHeight = rows.length > 24 ? 9 : 15;
  const cell = (figureWidth - left - 4) / shown.length;
  const top = 46;
  const bottom = top + rows.length * rowHeight;
  const cells = rows.flatMap((row, r) => [
    text(left - 6, top + (r + 0.5) * rowHeight + 3.5, fitText(row, left - 6, 10), {
      text_anchor: "end",
      font_size: Math.min(10, rowHeight),
    }),
    ...shown.map((column, c) => {
      const value = values[r][column];
      if (!isKnown(value)) return "";
      return element("rect", {
        x: left + c * cell,
        y: top + r * rowHeight,
        width: cell - (cell > 5 ? 0.6 : 0),
        height: rowHeight - 0.8,
        fill: "var(--a)",
        fill_opacity: 0.06 + 0.94 * share(value),
      });
    }),
  ]);
  const step = (high - low) / 20 || Math.abs(high) / 100 || 1;
  const key = [0, 0.25, 0.5, 0.75, 1].map((strength, i) =>
    element("rect", {
      x: left + 70 + i * 14,
      y: 26,
      width: 14,
      height: 11,
      fill: "var(--a)",
      fill_opacity: 0.06 + 0.94 * strength,
    }),
  );
  const keyText = [
    text(left + 64, 36, tickLabel(low, step), { text_anchor: "end" }),
    text(left + 146, 36, tickLabel(high, step)),
  ];
  const ends = [
    text(left, bottom + 14, String(columns[shown[0]])),
    text(figureWidth - 4, bottom + 14, String(columns[columns.length - 1]), { text_anchor: "end" }),
    text(left + (figureWidth - left) / 2, bottom + 14, xLabel, { text_anchor: "middle" }),
  ];
  return makeFigure(title, bottom + 20, [...key, ...keyText, ...cells, ...ends]);
}
