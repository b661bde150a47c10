/** A sweep as figures: means and differences with their intervals, curves of arms, values over what was tuned. */
import { largest, smallest } from "../../arrays/large_arrays.ts";
import type { Figure } from "../figures/figure.ts";
import { intervalChart } from "../figures/interval_chart.ts";
import { lineChart, type Point, type Series } from "../figures/line_chart.ts";
import type { MetricPoint } from "../run/run_data.ts";
import type { ReportedComparison, ReportedSweep, ReportedSweepRun } from "./sweep_data.ts";

/** Each arm's mean with one standard deviation to both sides, and its runs. */
export function armsFigure({ arms, metric }: ReportedSweep): Figure | null {
  const rows = arms.flatMap(({ arm, mean, sd, values }, colour) => {
    if (mean === null) return [];
    const interval = sd === null ? null : ([mean - sd, mean + sd] as const);
    return [{ label: arm, mean, interval, values: values.map(({ value }) => value), colour }];
  });
  return intervalChart({ title: "Arms: mean, one s.d., runs", x: { label: metric.name }, rows });
}

/** A sweep's only comparison may be called after its metric: then there is nothing to tell it from. */
export function titled({ metric }: ReportedSweep, { name }: ReportedComparison, text: string): string {
  return name === metric.name ? text : `${name}: ${text[0].toLowerCase()}${text.slice(1)}`;
}

/** Arm minus baseline, with the t interval. */
export function differencesFigure(sweep: ReportedSweep, comparison: ReportedComparison): Figure | null {
  const { baseline, arms } = comparison;
  const rows = arms.flatMap(({ arm, n, mean, tInterval }) => {
    if (n === 0) return [];
    const interval = tInterval === null ? null : ([tInterval.low, tInterval.high] as const);
    return [{ label: arm, mean, interval, values: [], colour: sweep.arms.findIndex((each) => each.arm === arm) }];
  });
  const title = titled(sweep, comparison, `Difference from ${baseline}`);
  return intervalChart({ title, x: { label: "arm minus baseline" }, rows, mark: 0 });
}

const metricAt = (row: MetricPoint, name: string) => (row as unknown as Record<string, unknown>)[name];

function pointsOf(run: ReportedSweepRun, metric: string): Point[] {
  return run.rows.flatMap((row) => {
    const value = metricAt(row, metric);
    return typeof value === "number" ? [{ x: row.step, y: value }] : [];
  });
}

/** Mean of the seeds at the steps that all of them have. */
function meanPoints(curves: readonly (readonly Point[])[]): Point[] {
  const values = new Map<number, number[]>();
  for (const { x, y } of curves.flat()) values.set(x, [...(values.get(x) ?? []), y]);
  return [...values]
    .filter(([, ys]) => ys.length === curves.length)
    .map(([x, ys]) => ({ x, y: ys.reduce((sum, y) => sum + y, 0) / ys.length }))
    .sort((a, b) => a.x - b.x);
}

/** The arms' means as lines, their seeds as thin ones. @param from share of the run that is left out */
export function curvesFigure(sweep: ReportedSweep, comparison: ReportedComparison, from: 0 | 0.5): Figure | null {
  const { metric, runs } = sweep;
  const end = runs.reduce((most, { rows }) => Math.max(most, rows.at(-1)?.step ?? 0), 0);
  const series = [comparison.baseline, ...comparison.arms.map(({ arm }) => arm)].flatMap((arm): Series[] => {
    const colour = sweep.arms.findIndex((each) => each.arm === arm);
    const own = runs.filter((run) => run.arm === arm && run.stage === "final");
    const shown = own.map((run) => pointsOf(run, metric.name).filter(({ x }) => x >= from * end));
    const curves = shown.filter((points) => points.length > 0);
    if (curves.length === 0) return [];
    const seeds = curves.map((points): Series => ({ label: arm, points, colour, thin: true }));
    return [{ label: arm, points: meanPoints(curves), colour }, ...(curves.length > 1 ? seeds : [])];
  });
  if (from > 0 && series.every(({ points }) => points.length < 3)) return null;
  const title = titled(sweep, comparison, `${metric.name}${from > 0 ? ", second half" : " over the run"}`);
  return lineChart({ title, x: { label: "step" }, y: { label: metric.name }, series, hasLegend: true });
}

/** From here on values are laid out by their factors. */
const logRatio = 3;

/** The metric over the tuned value, a line for each arm; broken where a run failed. */
export function tuningFigure({ arms, metric, tunedKey }: ReportedSweep): Figure | null {
  if (tunedKey === null) return null;
  const series = arms.map(({ arm, tuned }, colour): Series => {
    const points = (tuned?.tried ?? []).map(({ value, metric: mean }) => ({ x: value, y: mean ?? Number.NaN }));
    return { label: arm, colour, points, dots: true };
  });
  const xs = series.flatMap(({ points }) => points.map(({ x }) => x));
  const [least, most] = [smallest(xs), largest(xs)];
  const x = { label: tunedKey, log: least > 0 && most / least >= logRatio };
  return lineChart({ title: `${metric.name} by ${tunedKey}`, x, y: { label: metric.name }, series });
}
