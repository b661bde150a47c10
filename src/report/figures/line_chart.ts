/** Curves over a common x axis. */
import { colourOf, colours } from "../style.ts";
import { type AxisOptions, makeAxis } from "./axis.ts";
import { element, type Figure, hint, makeFigure, pathOf } from "./figure.ts";
import { axesSvg, belowPlot, type LegendEntry, legendSvg, type PlotArea, plotArea, xOf, yOf } from "./plot_area.ts";
import { thinned } from "./thinned.ts";

export interface Point {
  x: number;
  y: number;
}

export interface Series {
  label: string;
  /** By ascending x; a y that is no finite number breaks the line. */
  points: readonly Point[];
  /** Index of its colour; from the seventh on lines are dashed as well. */
  colour: number;
  dashed?: boolean;
  /** One of several that belong together: a thin line, which the legend does not name. */
  thin?: boolean;
  /** A dot at every point, for few points; default only where there is one. */
  dots?: boolean;
}

export interface LineChart {
  title: string;
  x: AxisOptions;
  y: AxisOptions;
  /** The first is drawn on top. */
  series: readonly Series[];
  /** Values of x with a dashed upright line. */
  marks?: readonly number[];
  /** Default: where there is more than one name. */
  hasLegend?: boolean;
}

const isDashed = ({ dashed, colour }: Series) => dashed ?? colour >= colours.length;

function* pointsOf(charts: readonly Series[], key: "x" | "y"): Generator<number> {
  for (const { points } of charts) for (const point of points) yield point[key];
}

/** Null if there is nothing to draw. */
export function lineChart({ title, x, y, series, marks = [], hasLegend }: LineChart): Figure | null {
  const drawn = series.filter(({ points }) => points.some((point) => Number.isFinite(point.y)));
  if (drawn.length === 0) return null;
  const yAxis = makeAxis(y, pointsOf(drawn, "y"), 5);
  const xAxis = makeAxis(tight(x, drawn), pointsOf(drawn, "x"), 6);
  const area = plotArea(yAxis);
  const placed = (point: Point): [number, number] | null => {
    const [px, py] = [xAxis.place(point.x), yAxis.place(point.y)];
    return Number.isFinite(px) && Number.isFinite(py) ? [xOf(area, px), yOf(area, py)] : null;
  };
  const lines = drawn.toReversed().map((one) => curve(one, one.points.map(placed)));
  const upright = marks.map((mark) => {
    const at = xOf(area, xAxis.place(mark));
    const ends = { x1: at, x2: at, y1: area.top, y2: area.top + area.height };
    return element("line", { ...ends, stroke: "var(--faint)", stroke_dasharray: "3 3" });
  });
  const entries: LegendEntry[] = drawn.flatMap((one) =>
    one.thin ? [] : [{ label: one.label, colour: colourOf(one.colour), dashed: isDashed(one) }],
  );
  const bottom = belowPlot(area);
  const named = legendSvg((hasLegend ?? entries.length > 1) ? entries : [], bottom + 4);
  const clip = clipPath(area, title);
  const curves = element("g", { clip_path: `url(#${clip.id})` }, [...upright, ...lines].join(""));
  const parts = [clip.svg, axesSvg(area, xAxis, yAxis), curves, named.svg];
  return makeFigure(title, bottom + (named.height > 0 ? named.height + 4 : 2), parts);
}

/** Curves reach both edges: an x axis has no room at its ends. */
function tight(x: AxisOptions, series: readonly Series[]): AxisOptions {
  if (x.range !== undefined || x.log) return x;
  let [low, high] = [Infinity, -Infinity];
  for (const value of pointsOf(series, "x")) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low < high ? { ...x, range: { low: low > 0 && low < high / 4 ? 0 : low, high } } : x;
}

function curve(series: Series, points: readonly ([number, number] | null)[]): string {
  const { thin = false, dots = points.length === 1 } = series;
  const stroke = colourOf(series.colour);
  const line = element("path", {
    d: pathOf(thinned(points)),
    fill: "none",
    stroke,
    stroke_width: thin ? 1 : 1.8,
    stroke_opacity: thin ? 0.55 : undefined,
    stroke_dasharray: isDashed(series) ? "5 3" : undefined,
    stroke_linejoin: "round",
  });
  if (!dots) return line;
  const marked = points.map((point, i) => {
    if (point === null) return "";
    const { x, y } = series.points[i];
    const [cx, cy] = point;
    const text = `${series.label}: ${Number(y.toPrecision(5))} at ${Number(x.toPrecision(5))}`;
    return element("circle", { cx, cy, r: thin ? 1.5 : 2.6, fill: stroke }, hint(text));
  });
  return line + marked.join("");
}

/** What lies outside a range that was asked for is cut. The id stands in a page with other figures. */
function clipPath({ left, top, width, height }: PlotArea, title: string): { id: string; svg: string } {
  const size = [left, top, width, height].map(Math.round);
  const id = `clip-${title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}-${size.join("-")}`;
  const rect = element("rect", { x: left - 3, y: top - 3, width: width + 6, height: height + 6 });
  return { id, svg: element("clipPath", { id }, rect) };
}
