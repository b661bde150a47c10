/** Telemetry as heat maps: a row for each matrix (or layer, where there are many), over the steps. */
import type { Figure } from "../figures/figure.ts";
import { heatMap } from "../figures/heat_map.ts";
import type { TelemetryPoint } from "./run_data.ts";
import { shortName } from "./short_name.ts";

type Quantity = Exclude<keyof TelemetryPoint, "step" | "name" | "kind">;

interface MapOptions {
  title: string;
  quantity: Quantity;
  kinds: readonly string[];
  /** Equal factors are equally far apart. */
  log?: boolean;
}

const maps: readonly MapOptions[] = [
  { title: "Zeros by matrix", quantity: "zero_fraction", kinds: ["matrix"] },
  { title: "Flip rate by matrix", quantity: "flip_rate", kinds: ["matrix"], log: true },
  { title: "Quantization error of weights", quantity: "quantization_error", kinds: ["matrix"] },
  { title: "Gradient norm by tensor", quantity: "gradient_norm", kinds: ["matrix", "embedding", "norm"], log: true },
  {
    title: "Update over weight by tensor",
    quantity: "update_ratio",
    kinds: ["matrix", "embedding", "norm"],
    log: true,
  },
  { title: "Largest activation over RMS", quantity: "outlier_ratio", kinds: ["activations"], log: true },
  { title: "Quantization error of activations", quantity: "quantization_error", kinds: ["activations"] },
];

/** More rows than this are means of a layer. */
const mostRows = 36;

const layerOf = (name: string) => /layers\.(\d+)\./.exec(name)?.[1];

function telemetryMap(points: readonly TelemetryPoint[], { title, quantity, kinds, log }: MapOptions): Figure | null {
  const known = points.filter((point) => kinds.includes(point.kind) && Number.isFinite(point[quantity]));
  const names = new Set(known.map(({ name }) => name));
  const isByLayer = names.size > mostRows;
  const rowOf = ({ name }: TelemetryPoint) => {
    const layer = layerOf(name);
    return isByLayer && layer !== undefined ? `layer ${layer}` : shortName(name);
  };
  const columns = [...new Set(known.map(({ step }) => step))].sort((a, b) => a - b);
  const rows = [...new Set(known.map(rowOf))];
  const sums = new Map<string, { sum: number; count: number }>();
  for (const point of known) {
    const key = `${rowOf(point)} ${point.step}`;
    const { sum, count } = sums.get(key) ?? { sum: 0, count: 0 };
    sums.set(key, { sum: sum + point[quantity]!, count: count + 1 });
  }
  const values = rows.map((row) =>
    columns.map((step) => {
      const { sum, count } = sums.get(`${row} ${step}`) ?? { sum: 0, count: 0 };
      return count === 0 ? null : sum / count;
    }),
  );
  const heading = `${title}${isByLayer ? ", mean of a layer" : ""}`;
  return heatMap({ title: heading, rows, columns, values, xLabel: "step", log });
}

/** Those of which something was measured. */
export function telemetryFigures(points: readonly TelemetryPoint[]): (Figure | null)[] {
  return maps.map((options) => telemetryMap(points, options));
}
