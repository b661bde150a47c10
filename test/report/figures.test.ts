/** Figures: where axes put values, what is drawn and what is left out. */
import { describe, expect, test } from "vitest";
import { makeAxis, rangeOf, tickLabel } from "../../src/report/figures/axis.ts";
import { barChart } from "../../src/report/figures/bar_chart.ts";
import { figureGrid } from "../../src/report/figures/figure.ts";
import { heatMap } from "../../src/report/figures/heat_map.ts";
import { intervalChart } from "../../src/report/figures/interval_chart.ts";
import { lineChart } from "../../src/report/figures/line_chart.ts";
import { standaloneSvg } from "../../src/report/figures/render_png.ts";
import { thinned } from "../../src/report/figures/thinned.ts";

const labels = (axis: { ticks: readonly { label: string }[] }) => axis.ticks.map(({ label }) => label);

describe("axes", () => {
  test("have round ticks, as many as asked for", () => {
    const axis = makeAxis({ label: "loss", range: { low: 1.43, high: 2.61 } }, [], 5);
    expect(labels(axis)).toEqual(["1.6", "1.8", "2.0", "2.2", "2.4", "2.6"]);
    expect(axis.place(1.43)).toBe(0);
    expect(axis.place(2.02)).toBeCloseTo(0.5, 12);
  });

  test("count decades on a log axis", () => {
    const axis = makeAxis({ label: "rate", log: true, range: { low: 1e-4, high: 1e-2 } }, [], 6);
    expect(labels(axis)).toEqual(["1e-4", "2e-4", "5e-4", "0.001", "0.002", "0.005", "0.01"]);
    expect(axis.place(1e-3)).toBeCloseTo(0.5, 12);
  });

  test("begin at 0 where values come near it, and leave out what is not finite", () => {
    expect(rangeOf([0.01, 1, Number.NaN, Infinity]).low).toBe(0);
    expect(rangeOf([2, 3])).toEqual({ low: 1.96, high: 3.04 });
    expect(rangeOf([])).toEqual({ low: 0, high: 1 });
    expect(rangeOf([5]).low).toBeLessThan(5);
  });

  test("write numbers by their distance", () => {
    expect([
      tickLabel(0.25, 0.05),
      tickLabel(20000, 5000),
      tickLabel(3e6, 1e6),
      tickLabel(0, 1),
      tickLabel(5e-4, 5e-4),
      tickLabel(5e-5, 5e-5),
    ]).toEqual(["0.25", "20k", "3M", "0", "0.0005", "5e-5"]);
  });
});

describe("a line chart", () => {
  const series = [
    { label: "<b>", colour: 0, points: [0, 1, 2].map((x) => ({ x, y: x === 1 ? Number.NaN : x })) },
    { label: "seed", colour: 7, thin: true, points: [0, 1].map((x) => ({ x, y: x })) },
  ];
  const { svg } = lineChart({ title: "a < b", x: { label: "step" }, y: { label: "y" }, series, hasLegend: true })!;

  test("breaks a line at a value that is missing, and escapes its names", () => {
    const [dashed, first] = [...svg.matchAll(/<path d="([^"]*)"/g)].map(([, path]) => path);
    expect(first.match(/M/g)).toHaveLength(2);
    expect(dashed).toMatch(/^M[\d.]+ [\d.]+L[\d.]+ [\d.]+$/);
    expect(svg).toContain("<title>a &lt; b</title>");
    expect(svg).toContain(">&lt;b&gt;</text>");
    // Of the thin line there is no entry; its colour is the second one again, dashed.
    expect(svg).not.toContain(">seed<");
    expect(svg).toMatch(/stroke="var\(--b\)"[^>]*stroke-dasharray/);
  });

  test("tells the values of its dots where a pointer rests on them", () => {
    const dotted = [{ label: "a & b", colour: 0, points: [{ x: 100, y: 2.123456 }] }];
    const { svg } = lineChart({ title: "t", x: { label: "" }, y: { label: "" }, series: dotted })!;
    expect(svg).toContain("<title>a &amp; b: 2.1235 at 100</title>");
  });

  test("is null of nothing", () => {
    expect(lineChart({ title: "", x: { label: "" }, y: { label: "" }, series: [] })).toBeNull();
    expect(figureGrid([null])).toBe("");
  });

  test("has light colours of its own as a file", () => {
    const text = standaloneSvg({ title: "", svg, width: 460, height: 200 });
    expect(text).not.toContain("var(");
    expect(text).toContain('stroke="#2f6db5"');
    expect(text).toMatch(/^<svg width="920" height="400" /);
  });
});

test("a long curve keeps its peaks and its ends when it is thinned", () => {
  const points = Array.from({ length: 5000 }, (_, i) => [i / 50, i === 2500 ? 100 : Math.sin(i)] as const);
  const kept = thinned(points);
  expect(kept.length).toBeLessThan(500);
  expect(kept).toContain(points[2500]);
  expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)]);
  expect(thinned(points.slice(0, 10))).toEqual(points.slice(0, 10));
});

test("intervals: a mean with its ends and its seeds", () => {
  const row = { label: "arm", mean: 2, interval: [1, 3] as const, values: [1.5, 2.5], colour: 0 };
  const { svg } = intervalChart({
    title: "t",
    x: { label: "loss", range: { low: 0, high: 4 } },
    rows: [row],
    mark: 0,
  })!;
  const centres = [...svg.matchAll(/<circle cx="([\d.]+)"/g)].map(([, x]) => Number(x));
  const [, from, to] = svg.match(/<line x1="([\d.]+)" x2="([\d.]+)"[^>]*stroke-linecap/)!.map(Number);
  expect(centres[2]).toBeCloseTo((from + to) / 2, 1);
  expect(centres[1] - centres[0]).toBeCloseTo((to - from) / 2, 1);
  expect(svg).toContain("<title>arm: 2, 1 to 3</title>");
});

test("a heat map is strongest where the value is largest, and empty where there is none", () => {
  const { svg } = heatMap({
    title: "t",
    rows: ["a", "b"],
    columns: [10, 20],
    values: [
      [0, 1],
      [null, 0.5],
    ],
    xLabel: "step",
  })!;
  const cells = [...svg.matchAll(/<rect [^>]*fill-opacity="([\d.]+)"/g)].slice(5);
  expect(cells.map(([, opacity]) => Number(opacity))).toEqual([0.06, 1, 0.53]);
});

test("the longest bar is as wide as there is room", () => {
  const bars = [4, 2].map((value) => ({ label: "x", value, colour: 0 }));
  const widths = [...barChart("t", { label: "%" }, [{ label: "g", bars }]).svg.matchAll(/<rect [^>]* width="(\d+)"/g)];
  expect(widths.map(([, width]) => Number(width))).toEqual([240, 120]);
});
