/** The part of a figure between two axes: grid, ticks, labels, and the legend below. */
import type { Axis } from "./axis.ts";
import { element, figureWidth, fitText, fontSize, text, textWidth } from "./figure.ts";

export interface PlotArea {
  left: number;
  top: number;
  width: number;
  height: number;
}

const titleHeight = 30;
/** Tick labels and the label of the x axis. */
const footHeight = 38;
const plotHeight = 190;

export interface LegendEntry {
  label: string;
  colour: string;
  dashed?: boolean;
}

/** Room on the left for the tick labels of y. */
export function plotArea(y: Axis): PlotArea {
  const widest = y.ticks.reduce((most, { label }) => Math.max(most, textWidth(label)), 0);
  const left = Math.max(34, widest + 24);
  return { left, top: titleHeight, width: figureWidth - left - 10, height: plotHeight };
}

export const belowPlot = ({ top, height }: PlotArea) => top + height + footHeight;

/** Of places from 0 to 1 in the area. */
export const xOf = ({ left, width }: PlotArea, place: number) => left + place * width;
export const yOf = ({ top, height }: PlotArea, place: number) => top + (1 - place) * height;

export function axesSvg(area: PlotArea, x: Axis, y: Axis): string {
  const { left, top, width, height } = area;
  const right = left + width;
  const bottom = top + height;
  const grid = y.ticks.map(({ value, label }) => {
    const at = yOf(area, y.place(value));
    return (
      element("line", { x1: left, x2: right, y1: at, y2: at, stroke: "var(--line)", stroke_width: 1 }) +
      text(left - 6, at + 4, label, { text_anchor: "end" })
    );
  });
  const feet = x.ticks.map(({ value, label }) => {
    const at = xOf(area, x.place(value));
    return (
      element("line", { x1: at, x2: at, y1: bottom, y2: bottom + 4, stroke: "var(--faint)", stroke_width: 1 }) +
      text(at, bottom + 17, label, { text_anchor: at > right - 14 ? "end" : "middle" })
    );
  });
  const line = element("line", { x1: left, x2: right, y1: bottom, y2: bottom, stroke: "var(--faint)" });
  const middle = top + height / 2;
  return [
    ...grid,
    ...feet,
    line,
    text(left + width / 2, bottom + 33, x.label, { text_anchor: "middle" }),
    text(11, middle, y.label, { text_anchor: "middle", transform: `rotate(-90 11 ${middle})` }),
  ].join("");
}

/** Entries side by side as far as they fit, from `top` on. */
export function legendSvg(entries: readonly LegendEntry[], top: number): { svg: string; height: number } {
  const rowHeight = fontSize + 5;
  let [x, row] = [0, 0];
  const parts = entries.map(({ label, colour, dashed }) => {
    const shown = fitText(label, figureWidth - 40);
    const width = 24 + textWidth(shown) + 12;
    if (x > 0 && x + width > figureWidth) [x, row] = [0, row + 1];
    const y = top + row * rowHeight + fontSize;
    const line = element("line", {
      x1: x,
      x2: x + 18,
      y1: y - 4,
      y2: y - 4,
      stroke: colour,
      stroke_width: 2.5,
      stroke_dasharray: dashed ? "5 3" : undefined,
    });
    const written = text(x + 24, y, shown, { fill: "var(--text)" });
    x += width;
    return line + written;
  });
  return { svg: parts.join(""), height: entries.length === 0 ? 0 : (row + 1) * rowHeight + 4 };
}
