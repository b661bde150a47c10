/** What the linear products of one forward pass are given, and what their activation quantizer makes of it. */
import type { ModelConfig } from "../../src/config/model_config.ts";
import { activationQuantizerOf } from "../../src/config/model_quantizers.ts";
import { headProduct } from "../../src/model/parameters.ts";
import type { LinearInput, LinearObserver } from "../../src/ops/linear_observer.ts";
import type { ActivationQuantizer } from "../../src/quantizers/activation_quantizer.ts";
import { defaultActivationQuantizer, makeActivationQuantizer } from "../../src/quantizers/registry.ts";
import { symmetricHistogram } from "./histogram.ts";
import { layerSelection, type TelemetryDetail } from "./telemetry_options.ts";
import type { TelemetryRow } from "./telemetry_row.ts";
import { distance, norm, ratio } from "./update_telemetry.ts";

type Row = Omit<TelemetryRow, "step">;

export class ActivationTelemetry implements LinearObserver {
  /** In the order of the forward pass. */
  readonly rows: Row[] = [];
  readonly maxRows: number;
  private readonly quantizer: ActivationQuantizer | null;
  /** Of the head's input. */
  private readonly headQuantizer: ActivationQuantizer | null;
  private readonly detail: TelemetryDetail;
  private readonly isSelected: (name: string) => boolean;
  private readonly seen = new Set<string>();

  constructor(config: ModelConfig, detail: TelemetryDetail) {
    this.quantizer = activationQuantizerOf(config);
    this.headQuantizer =
      config.embeddingDtype === "int8_row" ? makeActivationQuantizer(defaultActivationQuantizer) : null;
    this.detail = detail;
    this.maxRows = detail.activationTokens;
    this.isSelected = layerSelection(detail.layers, config.numHiddenLayers);
  }

  /** A backward pass that runs layers again shows nothing new. */
  wants(name: string): boolean {
    return !this.seen.has(name) && this.isSelected(name);
  }

  observe({ name, values, rows, cols }: LinearInput): void {
    this.seen.add(name);
    const row: Row = { name, kind: "activations", ...spread(values, this.detail.outlierSigma) };
    const quantizer = name === headProduct ? this.headQuantizer : this.quantizer;
    if (quantizer !== null) Object.assign(row, quantization(quantizer, values, rows, cols));
    if (this.detail.histograms) row.activations = symmetricHistogram(values);
    this.rows.push(row);
  }
}

function spread(values: Float32Array, sigma: number): Partial<Row> {
  const count = values.length;
  const rms = norm(values) / Math.sqrt(count);
  const limit = sigma * rms;
  let sum = 0;
  let largest = 0;
  let outliers = 0;
  for (let i = 0; i < count; i++) {
    const magnitude = Math.abs(values[i]);
    if (magnitude > largest) largest = magnitude;
    if (magnitude > limit) outliers++;
    sum += values[i];
  }
  return {
    rms,
    outlier_ratio: ratio(largest, rms),
    outlier_share: outliers / count,
    kurtosis: kurtosis(values, sum / count),
  };
}

/** Undefined for values that are all alike. */
function kurtosis(values: Float32Array, mean: number): number | undefined {
  let squares = 0;
  let fourths = 0;
  for (let i = 0; i < values.length; i++) {
    const square = (values[i] - mean) * (values[i] - mean);
    squares += square;
    fourths += square * square;
  }
  return squares > 0 ? (fourths * values.length) / (squares * squares) : undefined;
}

function quantization(quantizer: ActivationQuantizer, values: Float32Array, rows: number, cols: number): Partial<Row> {
  const { codes, actScales } = quantizer.quantize(values, rows, cols);
  const quantized = new Float32Array(values.length);
  let zeros = 0;
  for (let i = 0; i < codes.length; i++) {
    quantized[i] = codes[i] * actScales[Math.floor(i / cols)];
    if (codes[i] === 0) zeros++;
  }
  return {
    zero_fraction: zeros / codes.length,
    quantization_error: ratio(distance(quantized, values), norm(values)),
  };
}
