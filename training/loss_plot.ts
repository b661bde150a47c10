/** The loss curves of a run as a PNG: training and validation loss over steps. */
import { createCanvas } from "@napi-rs/canvas";
import { Chart, type ChartConfiguration, type ChartItem } from "chart.js/auto";
import { writeFileAtomically } from "./atomic_files.ts";
import type { MetricsRow } from "./metrics.ts";

const width = 960;
const height = 540;

/** A named curve of (step, nats per token) points. */
export interface LossCurve {
  label: string;
  points: { x: number; y: number }[];
  /** CSS color. */
  color: string;
  dashed?: boolean;
  /** Draw a dot at every point (for sparse curves). */
  dots?: boolean;
}

/** PNG of the curves. */
export function renderLossCurves(title: string, curves: readonly LossCurve[]): Buffer {
  const canvas = createCanvas(width, height);
  const configuration: ChartConfiguration<"line", { x: number; y: number }[]> = {
    type: "line",
    data: {
      datasets: curves.map(({ label, points, color, dashed, dots }) => ({
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
      animation: false,
      responsive: false,
      layout: { padding: 12 },
      plugins: { title: { display: true, text: title, font: { size: 18 } }, legend: { position: "top" } },
      scales: {
        x: { type: "linear", title: { display: true, text: "step" } },
        y: { title: { display: true, text: "loss, nats per token" } },
      },
    },
    plugins: [
      {
        id: "white-paper",
        beforeDraw: ({ ctx }) => {
          ctx.fillStyle = "white";
          ctx.fillRect(0, 0, width, height);
        },
      },
    ],
  };
  // chart.js draws through the 2D context alone; the canvas needs no page around it.
  const chart = new Chart(canvas as unknown as ChartItem, configuration);
  const png = canvas.toBuffer("image/png");
  chart.destroy();
  return png;
}

/** Draws the curves of `rows` into `file`; nothing is written when there are no rows. */
export function writeLossPlot(file: string, rows: readonly MetricsRow[]): void {
  if (rows.length === 0) return;
  const training = rows.map(({ step, loss }) => ({ x: step, y: loss }));
  const validation = rows.flatMap(({ step, val_loss }) => (val_loss === undefined ? [] : [{ x: step, y: val_loss }]));
  const last = validation.at(-1);
  const title = last ? `validation ${last.y.toFixed(3)} nats per token at step ${last.x}` : "training loss";
  const png = renderLossCurves(title, [
    { label: "training", points: training, color: "#9aa5b1" },
    { label: "validation", points: validation, color: "#1f6feb", dots: true },
  ]);
  writeFileAtomically(file, png);
}
