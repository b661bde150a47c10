/**
 * What one update does to the parameters: for a row of metrics the zeros and flips of all codes, and where telemetry is
 * due, norms, errors and histograms of each parameter. A healthy BitNet has 30-45% zeros and a flip rate that falls over
 * the run.
 *
 * Codes are those of the stage at hand: the grid that it multiplies or comes from, none while weights are floats; a
 * matrix is seen after what its quantizer learns has been updated too. Sums are float64, in memory order.
 */
import type * as tf from "@tensorflow/tfjs";
import type { CausalLM } from "../../src/model/causal_lm.ts";
import { learntNames, modelParameters, type ParameterSpec } from "../../src/model/parameters.ts";
import { float32Values } from "../../src/ops/tensor_access.ts";
import { weightCodes } from "../../src/ops/weight_codes.ts";
import { type WeightQuantizer, weightValues } from "../../src/quantizers/weight_quantizer.ts";
import type { UpdateObserver } from "../optimizers/optimizer.ts";
import { histogram, symmetricHistogram } from "./histogram.ts";
import { layerSelection, type TelemetryDetail } from "./telemetry_options.ts";
import type { TelemetryRow } from "./telemetry_row.ts";

/** Weights in units of their scale: ternary codes change at -0.5 and 0.5, between bins. */
const scaledLimit = 4;

interface Codes {
  codes: Int32Array;
  scales: Float32Array;
}

/** A quantized matrix in the middle of its update: it is done after what its quantizer learns. */
interface MovingMatrix {
  latent: tf.Variable;
  learnt: readonly tf.Variable[];
  /** Name of the parameter that is updated last. */
  last: string;
  before: Codes;
  row?: Row;
}

type Row = Omit<TelemetryRow, "step">;

/** Observes one update of all parameters. Holds copies of one parameter at a time. */
export class UpdateTelemetry implements UpdateObserver {
  /** Of the parameters that {@link TelemetryDetail} asks for, in their order. */
  readonly rows: Row[] = [];
  private readonly quantizer: WeightQuantizer | null;
  private readonly specs: ReadonlyMap<string, ParameterSpec>;
  private readonly parameters: CausalLM["parameters"];
  private readonly learnt: ReadonlyMap<string, readonly string[]>;
  private readonly detail: TelemetryDetail | null;
  private readonly isSelected: (name: string) => boolean;
  private weights = 0;
  private zeros = 0;
  private flips = 0;
  private matrix: MovingMatrix | undefined;
  private valuesBefore: Float32Array | undefined;
  private row: Row | undefined;

  /** @param detail null: the sums over all codes alone */
  constructor(
    { config, parameters }: Pick<CausalLM, "config" | "parameters">,
    quantizer: WeightQuantizer | null,
    detail: TelemetryDetail | null = null,
  ) {
    const specs = modelParameters(config);
    this.quantizer = quantizer;
    this.specs = new Map(specs.map((spec) => [spec.name, spec]));
    this.parameters = parameters;
    this.learnt = learntNames(specs);
    this.detail = detail;
    this.isSelected = layerSelection(detail?.layers, config.numHiddenLayers);
  }

  /** Fraction of the codes that are 0 after the update; undefined for a model without quantized weights. */
  get zeroFraction(): number | undefined {
    return this.weights > 0 ? this.zeros / this.weights : undefined;
  }

  /** Fraction of the codes that the update changed; undefined for a model without quantized weights. */
  get flipRate(): number | undefined {
    return this.weights > 0 ? this.flips / this.weights : undefined;
  }

  before(name: string, parameter: tf.Variable, gradient: tf.Tensor, batches: number): void {
    if (this.quantizer !== null && this.specs.get(name)?.kind === "matrix") this.beginMatrix(name, parameter);
    if (this.detail === null || !this.isSelected(name)) return;
    this.valuesBefore = float32Values(parameter);
    const gradients = float32Values(gradient);
    this.row = { name, kind: this.specs.get(name)!.kind, gradient_norm: norm(gradients) / batches };
    if (this.detail.histograms) {
      const { low, high, counts } = symmetricHistogram(gradients);
      this.row.gradients = { low: low / batches, high: high / batches, counts };
    }
  }

  after(name: string, parameter: tf.Variable): void {
    const row = this.finishRow(parameter);
    const { matrix } = this;
    if (matrix === undefined) {
      if (row && this.detail?.histograms) row.weights = symmetricHistogram(float32Values(parameter));
      return;
    }
    if (matrix.latent === parameter) matrix.row = row;
    else if (row && this.detail?.histograms) row.weights = symmetricHistogram(float32Values(parameter));
    if (matrix.last !== name) return;
    const codes = this.codesOf(matrix);
    const counts = this.count(codes, matrix.before);
    if (matrix.row) {
      const values = float32Values(matrix.latent);
      Object.assign(matrix.row, counts, this.quantizationOf(matrix, values, codes));
      if (this.detail?.histograms) {
        matrix.row.weights = histogram(inUnitsOf(codes.scales, values), -scaledLimit, scaledLimit);
      }
    }
    this.matrix = undefined;
  }

  /** Norm and movement of a parameter that is reported. */
  private finishRow(parameter: tf.Variable): Row | undefined {
    const { row, valuesBefore } = this;
    if (row === undefined || valuesBefore === undefined) return undefined;
    const values = float32Values(parameter);
    row.norm = norm(values);
    row.update_ratio = ratio(distance(values, valuesBefore), norm(valuesBefore));
    this.rows.push(row);
    this.row = undefined;
    this.valuesBefore = undefined;
    return row;
  }

  private beginMatrix(name: string, latent: tf.Variable): void {
    const names = this.learnt.get(name) ?? [];
    const parts = { latent, learnt: names.map((each) => this.parameters.get(each)!), last: names.at(-1) ?? name };
    this.matrix = { ...parts, before: this.codesOf(parts) };
  }

  private codesOf({ latent, learnt }: Pick<MovingMatrix, "latent" | "learnt">): Codes {
    const { codes, scales } = weightCodes(latent as tf.Tensor as tf.Tensor2D, this.quantizer!, learnt);
    const values = { codes: codes.dataSync() as Int32Array, scales: float32Values(scales) };
    codes.dispose();
    scales.dispose();
    return values;
  }

  private count({ codes }: Codes, { codes: before }: Codes): Pick<Row, "zero_fraction" | "flip_rate"> {
    let zeros = 0;
    let flips = 0;
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] === 0) zeros++;
      if (codes[i] !== before[i]) flips++;
    }
    this.weights += codes.length;
    this.zeros += zeros;
    this.flips += flips;
    return { zero_fraction: zeros / codes.length, flip_rate: flips / codes.length };
  }

  private quantizationOf(matrix: MovingMatrix, values: Float32Array, { codes, scales }: Codes): Partial<Row> {
    const [rows, cols] = matrix.latent.shape;
    // Codes of an integer product are its levels: no need to quantize again.
    const quantized =
      this.quantizer!.product === "values"
        ? weightValues(this.quantizer!, values, { rows, cols }, matrix.learnt.map(float32Values))
        : scaled(codes, scales);
    return {
      scale: scales.reduce((sum, scale) => sum + scale, 0) / scales.length,
      quantization_error: ratio(distance(quantized, values), norm(values)),
    };
  }
}

/** level * scale. */
function scaled(levels: Int32Array, scales: Float32Array): Float32Array {
  const each = levels.length / scales.length;
  return Float32Array.from(levels, (level, i) => level * scales[Math.floor(i / each)]);
}

/** L2. */
export function norm(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}

/** L2 norm of a - b. */
export function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i] - b[i];
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/** 0 for nothing of nothing: a parameter that starts from zeros has not moved yet, or moves without measure. */
export function ratio(part: number, whole: number): number | undefined {
  if (whole > 0) return part / whole;
  return part === 0 ? 0 : undefined;
}

function inUnitsOf(scales: Float32Array, values: Float32Array): Float32Array {
  const each = values.length / scales.length;
  const scaled = new Float32Array(values.length);
  for (let s = 0, i = 0; s < scales.length; s++) {
    const perUnit = scales[s] === 0 ? 0 : 1 / scales[s];
    for (const end = i + each; i < end; i++) scaled[i] = values[i] * perUnit;
  }
  return scaled;
}
