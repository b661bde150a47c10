/** Bars from 0 to the right, in groups. */
import { colourOf } from "../style.ts";
import { type Axis, type AxisOptions, makeAxis } from "./axis.ts";
import { element, type Figure, figureWidth, fitText, makeFigure, text } from "./figure.ts";

export interface BarGroup {
  label: string;
  bars: readonly { label: string; value: number /** Index of its colour. */; colour: number }[];
}

const barHeight = 20;
const left = 170;

function groupSvg({ label, bars }: BarGroup, top: number, axis: Axis): string {
  const width = figureWidth - left - 50;
  const rows = bars.map(({ label, value, colour }, i) => {
    const y = top + 22 + i * barHeight;
    const length = Math.max(0, axis.place(value)) * width;
    return [
      text(left - 8, y + 13, fitText(label, left - 8), { text_anchor: "end", fill: "var(--text)" }),
      element("rect", { x: left, y: y + 2, width: length, height: barHeight - 5, rx: 2, fill: colourOf(colour) }),
      text(left + length + 5, y + 13, String(Number(value.toPrecision(3)))),
    ].join("");
  });
  return text(0, top + 14, fitText(label, figureWidth)) + rows.join("");
}

/** Values of at least 0, the longest bar as wide as the figure. */
export function barChart(title: string, x: AxisOptions, groups: readonly BarGroup[]): Figure {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value));
  const high = values.reduce((most, value) => Math.max(most, value), 0) || 1;
  const axis = makeAxis({ ...x, range: { low: 0, high } }, values, 5);
  let top = 26;
  const parts = groups.map((group) => {
    const svg = groupSvg(group, top, axis);
    top += 30 + group.bars.length * barHeight;
    return svg;
  });
  return makeFigure(title, top + 18, [...parts, text(left, top + 8, x.label)]);
}
