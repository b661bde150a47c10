/** The rows of experiments/results/backward_precision.jsonl, and the table of what they say. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { type BackwardPrecision, backwardPrecisions } from "../../src/config/backward_precision.ts";
import type { Measurement } from "../bench/measurement.ts";

export const studyFile = path.join(import.meta.dirname, "../results/backward_precision.jsonl");

/** Updates of a run of each shape. */
export const studySteps = { T: 2000, S: 1000 } as const;

export interface StudyRow {
  shape: "T" | "S";
  precision: BackwardPrecision;
  seed: number;
  /** Updates of the whole run: its schedule depends on them. */
  steps: number;
  /** Of this row. */
  step: number;
  /** Nats per token (T: per character). */
  train_loss: number;
  validation_loss: number;
  threads?: number;
  /** Since the run began. */
  seconds: number;
}

export function readStudy(): StudyRow[] {
  if (!existsSync(studyFile)) return [];
  const lines = readFileSync(studyFile, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as StudyRow);
}

export type RunKey = Pick<StudyRow, "shape" | "precision" | "seed" | "steps">;

/** Last validation loss of a run; undefined if it did not get to its end. */
function finalLoss(rows: readonly StudyRow[], { shape, precision, seed, steps }: RunKey): number | undefined {
  return rows.findLast(
    (row) =>
      row.shape === shape &&
      row.precision === precision &&
      row.seed === seed &&
      row.steps === steps &&
      row.step === steps,
  )?.validation_loss;
}

export function hasRun(rows: readonly StudyRow[], run: RunKey): boolean {
  return finalLoss(rows, run) !== undefined;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation of a sample. */
function deviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/**
 * One row per shape and precision over the seeds that all of the shape's finished precisions share: their last validation
 * losses, the mean difference to float32's of the same seed with its standard error, and the spread of the seeds
 * (standard deviation).
 */
export function precisionTable(rows: readonly StudyRow[]): Measurement[] {
  return (["T", "S"] as const).flatMap((shape) => {
    const steps = studySteps[shape];
    const loss = (precision: BackwardPrecision, seed: number) => finalLoss(rows, { shape, precision, seed, steps });
    const finished = rows.filter((row) => row.shape === shape && row.steps === steps && row.step === steps);
    const seeds = [...new Set(finished.map((row) => row.seed))].sort((a, b) => a - b);
    return backwardPrecisions.flatMap((precision) => {
      const paired = seeds.filter((seed) => loss(precision, seed) !== undefined && loss("f32", seed) !== undefined);
      if (paired.length === 0) return [];
      const losses = paired.map((seed) => loss(precision, seed)!);
      const differences = paired.map((seed, i) => losses[i]! - loss("f32", seed)!);
      const text = (value: number) => (Number.isFinite(value) ? value.toFixed(4) : "");
      const row: Measurement = {
        shape,
        steps,
        precision,
        seeds: paired.join(" "),
        losses: losses.map((value) => value.toFixed(3)).join(" "),
      };
      row.difference = precision === "f32" ? "" : text(mean(differences));
      row.standard_error = precision === "f32" ? "" : text(deviation(differences) / Math.sqrt(paired.length));
      row.seed_spread = text(deviation(losses));
      return [row];
    });
  });
}
