/**
 * Replays the reference loss curves in full and keeps the result: a row per 50 steps and per published step in
 * experiments/results/loss_curve.jsonl, and the picture loss_curve.png.
 *
 *     npx tsx experiments/studies/loss_curve.ts [--twin bitnet|float] [--steps 2000] [--threads N] [--shared ../shared]
 *
 * Rows of the twins and steps that a run covers replace the older ones. Exits with 1 if a value leaves its tolerance.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { selectBackend } from "../../native/backend/select_backend.ts";
import { renderLossCurves } from "../../training/loss_plot.ts";
import {
  distanceToPublished,
  hasReplaySources,
  published,
  replay,
  replaySources,
  type Twin,
  totalSteps,
} from "./loss_curve_replay.ts";

/** A row of loss_curve.jsonl. */
interface CurveRow {
  twin: Twin;
  step: number;
  /** Mean training loss of the 50 steps up to this one, nats per character. */
  train_loss: number;
  /** Validation loss here, and in the reference run. */
  validation_loss?: number;
  reference_loss?: number;
  backend: string;
  kernel: string;
  seconds: number;
}

const window = 50;
const results = path.join(import.meta.dirname, "../results");
const rowsFile = path.join(results, "loss_curve.jsonl");

function readRows(): CurveRow[] {
  if (!existsSync(rowsFile)) return [];
  const lines = readFileSync(rowsFile, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

async function saveRows(rows: CurveRow[]): Promise<void> {
  mkdirSync(results, { recursive: true });
  rows.sort((a, b) => a.twin.localeCompare(b.twin) || a.step - b.step);
  writeFileSync(rowsFile, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const curve = (twin: Twin, key: "validation_loss" | "reference_loss") =>
    rows.flatMap((row) => {
      const y = row[key];
      return row.twin === twin && y !== undefined ? [{ x: row.step, y }] : [];
    });
  const colours = { bitnet: 0, float: 1 };
  const curves = (["bitnet", "float"] as const).flatMap((twin) => [
    { label: `${twin}, ours`, points: curve(twin, "validation_loss"), colour: colours[twin], dots: true },
    { label: `${twin}, PyTorch`, points: curve(twin, "reference_loss"), colour: colours[twin], dashed: true },
  ]);
  const title = "Validation loss on characters of Shakespeare, same weights and batches";
  const png = await renderLossCurves(title, curves);
  if (png !== null) writeFileSync(path.join(results, "loss_curve.png"), png);
}

const { values } = parseArgs({
  options: {
    twin: { type: "string" },
    steps: { type: "string", default: String(totalSteps) },
    threads: { type: "string" },
    shared: { type: "string", default: path.join(import.meta.dirname, "../../../shared") },
  },
});
const sources = replaySources(values.shared);
if (!hasReplaySources(sources)) {
  console.error(`loss_curve: ${values.shared} does not hold oracle/loss_curve and data/tinyshakespeare`);
  process.exit(1);
}
const compute = await selectBackend("native", values.threads ? Number(values.threads) : undefined);
const steps = Number(values.steps);
const twins = (values.twin ? [values.twin] : ["bitnet", "float"]) as Twin[];
for (const twin of twins) {
  const rows = readRows().filter((row) => row.twin !== twin || row.step > steps);
  const started = performance.now();
  let recent: number[] = [];
  for await (const { step, loss, validation } of replay(twin, steps, sources)) {
    recent = [...recent, loss].slice(-window);
    if (step % window !== 0 && validation === undefined) continue;
    const reference = published[twin].get(step);
    rows.push({
      twin,
      step,
      train_loss: recent.reduce((sum, value) => sum + value, 0) / recent.length,
      validation_loss: validation,
      reference_loss: reference?.compiled,
      backend: compute.backend,
      kernel: compute.kernel(),
      seconds: Math.round((performance.now() - started) / 1000),
    });
    if (validation === undefined || reference === undefined) continue;
    const difference = distanceToPublished(validation, reference);
    const isWithin = Math.abs(difference) <= reference.tolerance;
    if (!isWithin) process.exitCode = 1;
    console.log(
      `${twin} step ${step}: validation ${validation.toFixed(4)}, PyTorch compiled ${reference.compiled.toFixed(3)}, ` +
        `eager ${reference.eager?.toFixed(3) ?? "-"}, distance to the nearest ${difference.toFixed(4)} (${isWithin ? "within" : "OUTSIDE"} ${reference.tolerance})`,
    );
    await saveRows(rows);
  }
}
