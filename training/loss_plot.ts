/** The loss curves of a run as a PNG: training and validation loss over steps. */
import path from "node:path";
import { writeWholeFileSync } from "../src/files/whole_file.ts";
import { lineChart, type Series } from "../src/report/figures/line_chart.ts";
import { renderPng } from "../src/report/figures/render_png.ts";
import type { MetricsRow } from "./metrics.ts";

/** PNG of curves of (step, nats per token); null without a point. @throws {ChartError} */
export async function renderLossCurves(title: string, curves: readonly Series[]): Promise<Buffer | null> {
  const figure = lineChart({
    title,
    x: { label: "step" },
    y: { label: "loss, nats per token" },
    series: curves,
    hasLegend: true,
  });
  return figure === null ? null : renderPng(figure);
}

/** Draws the curves of `rows` into `file`; nothing is written when there are no rows. @throws {ChartError} */
export async function writeLossPlot(file: string, rows: readonly MetricsRow[]): Promise<void> {
  if (rows.length === 0) return;
  const training = rows.map(({ step, loss }) => ({ x: step, y: loss }));
  const validation = rows.flatMap(({ step, val_loss }) => (val_loss === undefined ? [] : [{ x: step, y: val_loss }]));
  const last = validation.at(-1);
  const { x: step, y: loss } = last ?? training[training.length - 1];
  const run = path.basename(path.dirname(path.resolve(file)));
  const title = `${run}: ${last ? "validation" : "training"} loss ${loss.toFixed(3)} at step ${step}`;
  const png = await renderLossCurves(title, [
    { label: "validation", points: validation, colour: 0, dots: validation.length < 40 },
    { label: "training", points: training, colour: 5, dashed: false },
  ]);
  if (png !== null) writeWholeFileSync(file, png);
}
