/** One row of telemetry.jsonl: a parameter, or the input of a linear product, at one step. */
import type { ParameterKind } from "../../src/model/parameters.ts";
import type { StepRow } from "../run_directory.ts";
import type { Histogram } from "./histogram.ts";

export interface TelemetryRow extends StepRow {
  /** `model.layers.0.self_attn.q_proj.weight`, or of a product `model.layers.0.self_attn.qkv`. */
  name: string;
  /** Activations are the input of a product as it is before it is quantized. */
  kind: ParameterKind | "activations";

  /** Of a parameter after the update: its L2 norm. */
  norm?: number;
  /** L2 norm of its gradient, averaged over the batches of the step, before clipping. */
  gradient_norm?: number;
  /** L2 norm of what the update changed over that of the parameter before it. */
  update_ratio?: number;

  /** Mean of the matrix's scales. */
  scale?: number;
  /** Share of the codes that are 0: of a matrix after the update, of activations. */
  zero_fraction?: number;
  /** Share of the codes of a matrix that the update changed. */
  flip_rate?: number;
  /** L2 norm of Q(x) - x over that of x: of a matrix, or of activations. */
  quantization_error?: number;

  /** Of activations: root of the mean square. */
  rms?: number;
  /** Largest magnitude over `rms`. */
  outlier_ratio?: number;
  /** Share of magnitudes above `telemetry.outlier_sigma` times `rms`. */
  outlier_share?: number;
  /** Fourth central moment over the squared variance: 3 for a normal distribution. */
  kurtosis?: number;

  /** Latent weights, of a quantized matrix in units of the scale. */
  weights?: Histogram;
  gradients?: Histogram;
  activations?: Histogram;
}

/** Columns that are numbers, in the order of the table. */
export const telemetryNumbers = [
  "norm",
  "gradient_norm",
  "update_ratio",
  "scale",
  "zero_fraction",
  "flip_rate",
  "quantization_error",
  "rms",
  "outlier_ratio",
  "outlier_share",
  "kurtosis",
] as const satisfies readonly (keyof TelemetryRow)[];

export const telemetryHistograms = [
  "weights",
  "gradients",
  "activations",
] as const satisfies readonly (keyof TelemetryRow)[];

/** The values of a row by `KEY/TENSOR`, as TensorBoard and trackers name them. */
export function telemetryEntries(row: TelemetryRow): [string, number | Histogram][] {
  const name = row.name.replace(/\.weight$/, "");
  return [...telemetryNumbers, ...telemetryHistograms].flatMap((key): [string, number | Histogram][] => {
    const value = row[key];
    return value === undefined ? [] : [[`${key}/${name}`, value]];
  });
}
