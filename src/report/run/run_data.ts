/** What a report is made of: plain data of runs, which the command reads from their folders. */

/** A row of metrics.jsonl, as far as a report shows it. */
export interface MetricPoint {
  step: number;
  tokens: number;
  /** Nats per token. */
  loss: number;
  val_loss?: number;
  bits_per_byte?: number;
  learning_rate: number;
  grad_norm: number;
  /** Of the ternary codes. */
  zero_fraction?: number;
  flip_rate?: number;
  tokens_per_second: number;
}

export interface SamplePoint {
  step: number;
  prompt: string;
  text: string;
}

/** A row of telemetry.jsonl: a parameter, or the input of a product, at one step. */
export interface TelemetryPoint {
  step: number;
  name: string;
  kind: string;
  zero_fraction?: number;
  flip_rate?: number;
  quantization_error?: number;
  gradient_norm?: number;
  update_ratio?: number;
  outlier_ratio?: number;
}

/** Counts of equally wide bins; the outermost ones hold what lies beyond, too. */
export interface Bins {
  low: number;
  high: number;
  counts: readonly number[];
}

/** A quantized matrix of the newest checkpoint. */
export interface MatrixPicture {
  /** `model.layers.0.self_attn.q_proj.weight` */
  name: string;
  rows: number;
  cols: number;
  /** Values of the codes in units of the scale. */
  levels: readonly number[];
  scales: { count: number; mean: number; least: number; most: number };
  /** Share of the codes of each level. */
  shares: readonly number[];
  /** Latent weights in units of their scale. */
  latent: Bins;
  /** Null where only the numbers are told. */
  codes: CodeMaps | null;
}

export interface CodeMaps {
  /** The first rows and columns, one code a cell: index of the level, row-major. */
  corner: { rows: number; cols: number; codes: Uint8Array };
  /** The whole matrix in blocks: the share of zeros in each, row-major. */
  blocks: { rows: number; cols: number; blockRows: number; blockCols: number; zeros: Float32Array };
}

export interface ReportedRun {
  /** As short as it can be told from the others. */
  name: string;
  directory: string;
  /** `training.max_steps`; the run is unfinished below. */
  maxSteps: number;
  /** Values of config.yaml by key path. */
  config: ReadonlyMap<string, unknown>;
  changes: readonly { step: number; key: string; before?: unknown; now?: unknown }[];
  environment: Readonly<Record<string, unknown>> | null;
  /** At least one. */
  metrics: readonly MetricPoint[];
  samples: readonly SamplePoint[];
  telemetry: readonly TelemetryPoint[];
  weights: readonly MatrixPicture[];
  /** What could not be read, or was left out. */
  notes: readonly string[];
}
