/** The loss curves of a run as a PNG: training and validation loss over steps. */
import path from "node:path";
import { writeWholeFileSync } from "../src/files/whole_file.ts";
import { renderChart } from "../src/report/render_png.ts";
import type { MetricsRow } from "./metrics.ts";

/** A named curve of (step, nats per token) points. */
export interface LossCurve {
  label: string;
  points: { x: number; y: number }[];
  /** CSS color. */
  color: string;
  dashed?: boolean;
  /** Draw a dot at every point (for sparse curves); default only where there is one. */
  dots?: boolean;
}

/** PNG of the curves. @throws {ChartError} */
export function renderLossCurves(title: string, curves: readonly LossCurve[]): Promise<Buffer> {
  return renderChart<"line", LossCurve["points"]>({
    type: "line",
    data: {
      datasets: curves.map(({ label, points, color, dashed, dots = points.length === 1 }) => ({
        label,
        data: points,
        borderColor: color,
        backgroundColor: color,
        borderWidth: 2,
        borderDash: dashed ? [6, 4] : [],
        pointRadius: dots ? 3 : 0,
      })),
    },
    options: {
      plugins: {
        title: { display: true, text: title, font: { size: 19 } },
        legend: { position: "top", labels: { usePointStyle: true, pointStyle: "line" } },
      },
      scales: {
        x: { type: "linear", title: { display: true, text: "step" } },
        y: { title: { display: true, text: "loss, nats per token" } },
      },
    },
  });
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
  // The first of them is drawn on top.
  const curves = [
    { label: "validation", points: validation, color: "#1f6feb", dots: true },
    { label: "training", points: training, color: "#8b96a3" },
  ];
  const png = await renderLossCurves(
    title,
    curves.filter(({ points }) => points.length > 0),
  );
  writeWholeFileSync(file, png);
}
