/** Charts as PNG, drawn by chart.js on a canvas that needs no browser. */
import { createCanvas } from "@napi-rs/canvas";
import { Chart, type ChartConfiguration, type ChartItem, type ChartType, type DefaultDataPoint } from "chart.js/auto";

const width = 960;
const height = 540;

/** A chart on white paper, 960 x 540 pixels. */
export function renderChart<Type extends ChartType, Data = DefaultDataPoint<Type>>(
  configuration: ChartConfiguration<Type, Data>,
): Buffer {
  const canvas = createCanvas(width, height);
  const paper = {
    id: "white-paper",
    beforeDraw: ({ ctx }: Chart) => {
      ctx.fillStyle = "white";
      ctx.fillRect(0, 0, width, height);
    },
  };
  // chart.js draws through the 2D context alone; the canvas needs no page around it.
  const chart = new Chart(
    canvas as unknown as ChartItem,
    {
      ...configuration,
      options: { ...configuration.options, animation: false, responsive: false, layout: { padding: 12 } },
      plugins: [paper],
    } as ChartConfiguration,
  );
  const png = canvas.toBuffer("image/png");
  chart.destroy();
  return png;
}
