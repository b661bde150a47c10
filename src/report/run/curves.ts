/** The metrics of runs over their steps, on axes that they share. */
import { type AxisOptions, type Range, rangeOf } from "../figures/axis.ts";
import type { Figure } from "../figures/figure.ts";
import { type LineChart, lineChart, type Point, type Series } from "../figures/line_chart.ts";
import type { MetricPoint, ReportedRun } from "./run_data.ts";

type Metric = (row: MetricPoint) => number | undefined;

interface Course {
  label: string;
  of: (row: MetricPoint) => number;
}

/** Runs with equally long steps are drawn over steps, others over tokens. */
function xMetric(runs: readonly ReportedRun[]): Course {
  const perStep = runs.map(({ metrics }) => Math.round(metrics[0].tokens / metrics[0].step));
  const isEqual = perStep.every((tokens) => tokens === perStep[0]);
  return isEqual ? { label: "step", of: ({ step }) => step } : { label: "tokens", of: ({ tokens }) => tokens };
}

/** From the beginning to the end of the longest run: the same in every figure. */
function xAxis(runs: readonly ReportedRun[]): AxisOptions {
  const { label, of } = xMetric(runs);
  const end = runs.reduce((most, { metrics }) => Math.max(most, of(metrics[metrics.length - 1])), 0);
  return { label, range: { low: 0, high: end } };
}

function pointsOf(rows: readonly MetricPoint[], x: (row: MetricPoint) => number, y: Metric): Point[] {
  return rows.flatMap((row) => {
    const value = y(row);
    // A value that is no number stands in the file as null.
    return typeof value === "number" ? [{ x: x(row), y: value }] : [];
  });
}

/** One curve for each run. */
function curvesOf(runs: readonly ReportedRun[], y: Metric): Series[] {
  const x = xMetric(runs);
  return runs.map(({ name, metrics }, colour) => {
    const points = pointsOf(metrics, x.of, y);
    return { label: name, colour, points, dots: points.length < 25 };
  });
}

interface MetricChart {
  title: string;
  y: LineChart["y"];
  metric: Metric;
}

function metricChart(runs: readonly ReportedRun[], { title, y, metric }: MetricChart): Figure | null {
  return lineChart({ title, x: xAxis(runs), y, series: curvesOf(runs, metric) });
}

const training: Metric = ({ loss }) => loss;
const validation: Metric = ({ val_loss }) => val_loss;
const nats = "nats per token";

/** Of training and validation together, so that both figures can be laid beside one another. */
function lossRange(runs: readonly ReportedRun[]): Range {
  return rangeOf(runs.flatMap(({ metrics }) => metrics.flatMap(({ loss, val_loss = loss }) => [loss, val_loss])));
}

/** Validation (or training) loss where the curves are flat. */
function secondHalf(runs: readonly ReportedRun[]): Figure | null {
  const hasValidation = runs.every(
    ({ metrics }) => metrics.filter((row) => typeof row.val_loss === "number").length > 3,
  );
  const all = curvesOf(runs, hasValidation ? validation : training);
  const end = all.reduce((most, { points }) => Math.max(most, points.at(-1)?.x ?? 0), 0);
  const series = all.map((one) => ({ ...one, points: one.points.filter(({ x }) => x >= end / 2) }));
  if (series.some(({ points }) => points.length < 3)) return null;
  const title = `${hasValidation ? "Validation" : "Training"} loss, second half`;
  return lineChart({ title, x: { label: xMetric(runs).label }, y: { label: nats }, series });
}

/** Loss curves: training, validation, and the end of the runs. */
export function lossFigures(runs: readonly ReportedRun[]): (Figure | null)[] {
  const y = { label: nats, range: lossRange(runs) };
  return [
    metricChart(runs, { title: "Training loss", y, metric: training }),
    metricChart(runs, { title: "Validation loss", y, metric: validation }),
    secondHalf(runs),
  ];
}

const otherCharts: readonly MetricChart[] = [
  { title: "Learning rate", y: { label: "learning rate" }, metric: ({ learning_rate }) => learning_rate },
  {
    title: "Gradient norm, before clipping",
    y: { label: "L2 norm", log: true },
    metric: ({ grad_norm }) => grad_norm,
  },
  { title: "Zeros among the codes", y: { label: "share" }, metric: ({ zero_fraction }) => zero_fraction },
  {
    title: "Codes that an update flips",
    y: { label: "share", log: true },
    // A rate of 0 has no place on a log axis.
    metric: ({ flip_rate }) => (flip_rate === 0 ? undefined : flip_rate),
  },
  { title: "Speed", y: { label: "tokens/s" }, metric: ({ tokens_per_second }) => tokens_per_second },
];

/** What moved beside the loss. */
export function otherFigures(runs: readonly ReportedRun[]): (Figure | null)[] {
  return otherCharts.map((chart) => metricChart(runs, chart));
}
