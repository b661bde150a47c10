/**
 * What TensorBoard shows of a run: `metrics/KEY` for the numbers of metrics.jsonl, `KEY/TENSOR` for those of
 * telemetry.jsonl, the histograms `weights`, `gradients` and `activations`, samples and the configuration as texts, and
 * the keys of the recipe on the HParams page.
 */

import { formatRunConfig } from "../config/load_run_config.ts";
import type { RunConfig } from "../config/run_config.ts";
import type { MetricsRow } from "../metrics.ts";
import { type TelemetryRow, telemetryEntries } from "../telemetry/telemetry_row.ts";
import type { TrainerListener } from "../trainer.ts";
import { EventFile } from "./event_file.ts";
import { type HyperParameter, hyperParameterValues, type SummaryValue } from "./summary.ts";

/** Sections whose keys do not say what is trained, or how. */
const otherSections: ReadonlySet<string> = new Set(["data", "about", "telemetry"]);

const comparedMetrics = ["loss", "val_loss", "bits_per_byte"] as const satisfies readonly (keyof MetricsRow)[];

/** Writes an event file of this start of a run in its folder. @param step updates made before it */
export function runEvents(folder: string, config: RunConfig, step: number): TrainerListener {
  const file = new EventFile(folder, step + 1);
  file.add(step, [
    { tag: "config", text: asCode(formatRunConfig(config)) },
    ...hyperParameterValues(
      hyperParameters(config),
      comparedMetrics.map((key) => `metrics/${key}`),
      Date.now() / 1000,
    ),
  ]);
  return {
    onMetrics: (row) => file.add(row.step, metricsValues(row)),
    onTelemetry: (at, rows) => file.add(at, rows.flatMap(telemetryValues)),
    onSample: (at, text) => file.add(at, [{ tag: "sample", text: asCode(text) }]),
  };
}

function metricsValues(row: MetricsRow): SummaryValue[] {
  return Object.entries(row)
    .filter((entry): entry is [string, number] => typeof entry[1] === "number" && entry[0] !== "step")
    .map(([key, scalar]) => ({ tag: `metrics/${key}`, scalar }));
}

function telemetryValues(row: TelemetryRow): SummaryValue[] {
  return telemetryEntries(row).map(([tag, value]) =>
    typeof value === "number" ? { tag, scalar: value } : { tag, histogram: value },
  );
}

/** Keys of the recipe by their paths. */
function hyperParameters(config: RunConfig): Record<string, HyperParameter> {
  const flat: Record<string, HyperParameter> = {};
  const visit = (prefix: string, value: unknown) => {
    if (value === undefined || value === null) return;
    if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") flat[prefix] = value;
    else if (Array.isArray(value)) flat[prefix] = JSON.stringify(value);
    else for (const [key, each] of Object.entries(value)) visit(prefix === "" ? key : `${prefix}.${key}`, each);
  };
  visit("", Object.fromEntries(Object.entries(config).filter(([section]) => !otherSections.has(section))));
  return flat;
}

/** Markdown that shows a text as it is. */
function asCode(text: string): string {
  return text.replaceAll(/^/gm, "    ");
}
