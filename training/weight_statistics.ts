/**
 * How the ternary weights move: fraction of zero codes, and fraction of codes that one update flips. A healthy
 * BitNet has 30-45% zeros and a flip rate that falls over the run.
 */
import type * as tf from "@tensorflow/tfjs";
import type { ModelConfig } from "../src/config/model_config.ts";
import { weightQuantizerOf } from "../src/config/model_quantizers.ts";
import { modelParameters } from "../src/model/parameters.ts";
import { weightCodes } from "../src/ops/weight_codes.ts";
import type { WeightQuantizer } from "../src/quantizers/weight_quantizer.ts";
import type { UpdateObserver } from "./optimizers/optimizer.ts";

/** Observes one update of all parameters. Holds the codes of one matrix at a time. */
export class WeightStatistics implements UpdateObserver {
  private weights = 0;
  private zeros = 0;
  private flips = 0;
  private codesBefore: Int32Array | undefined;
  private readonly quantizer: WeightQuantizer | null;
  /** Names of the parameters that have codes. */
  private readonly quantized: ReadonlySet<string>;

  constructor(config: ModelConfig) {
    this.quantizer = weightQuantizerOf(config);
    const matrices = modelParameters(config).filter(({ kind }) => kind === "matrix");
    this.quantized = new Set(this.quantizer === null ? [] : matrices.map(({ name }) => name));
  }

  /** Fraction of the codes that are 0 after the update; undefined for a model without ternary weights. */
  get zeroFraction(): number | undefined {
    return this.weights > 0 ? this.zeros / this.weights : undefined;
  }

  /** Fraction of the codes that the update changed; undefined for a model without ternary weights. */
  get flipRate(): number | undefined {
    return this.weights > 0 ? this.flips / this.weights : undefined;
  }

  before(name: string, parameter: tf.Variable): void {
    this.codesBefore = this.codes(name, parameter);
  }

  after(name: string, parameter: tf.Variable): void {
    const codes = this.codes(name, parameter);
    const before = this.codesBefore;
    if (codes === undefined || before === undefined) return;
    let zeros = 0;
    let flips = 0;
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] === 0) zeros++;
      if (codes[i] !== before[i]) flips++;
    }
    this.weights += codes.length;
    this.zeros += zeros;
    this.flips += flips;
    this.codesBefore = undefined;
  }

  private codes(name: string, parameter: tf.Variable): Int32Array | undefined {
    if (this.quantizer === null || !this.quantized.has(name)) return undefined;
    const { codes, scales } = weightCodes(parameter as tf.Tensor as tf.Tensor2D, this.quantizer);
    const values = codes.dataSync() as Int32Array;
    codes.dispose();
    scales.dispose();
    return values;
  }
}
