/**
 * Charts as PNG, drawn by chart.js on a canvas that needs no browser. Both are loaded when the first chart is drawn: the
 * canvas is a binary that not every machine can load, and nothing else depends on it.
 */
import { tmpdir } from "node:os";
import type { Chart, ChartConfiguration, ChartItem, ChartType, DefaultDataPoint } from "chart.js/auto";
import { messageOf, UserError } from "../errors/user_error.ts";
import { homeDirectory } from "../files/user_cache.ts";

const width = 960;
const height = 540;
/** Of all that is written. */
const ink = "#1f2328";

/** The charts cannot be drawn on this machine. */
export class ChartError extends UserError {
  override name = "ChartError";
}

async function loadCanvas() {
  // Looks for the user's fonts as it is loaded, and fails where there is no home.
  const { HOME } = process.env;
  if (homeDirectory() === null) process.env.HOME = tmpdir();
  try {
    const [canvas, charts] = await Promise.all([import("@napi-rs/canvas"), import("chart.js/auto")]);
    return { createCanvas: canvas.createCanvas, Chart: charts.Chart };
  } catch (error) {
    throw new ChartError(`no chart can be drawn on this machine: ${messageOf(error).split("\n")[0]}`);
  } finally {
    if (HOME === undefined) delete process.env.HOME;
    else process.env.HOME = HOME;
  }
}

/** A chart on white paper, 960 x 540 pixels. @throws {ChartError} */
export async function renderChart<Type extends ChartType, Data = DefaultDataPoint<Type>>(
  configuration: ChartConfiguration<Type, Data>,
): Promise<Buffer> {
  const { createCanvas, Chart } = await loadCanvas();
  Object.assign(Chart.defaults, { color: ink, borderColor: "#d8dee4" });
  Chart.defaults.font.size = 15;
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
