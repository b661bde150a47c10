/** A matrix as its quantizer makes it, row by row: what a file must hold of it. */
import {
  integerLevels,
  type Learnt,
  type MatrixShape,
  type QuantizedMatrix,
  scaleCount,
  type WeightQuantizer,
  weightValues,
} from "../src/quantizers/weight_quantizer.ts";

export class QuantizedRows {
  private readonly quantizer: WeightQuantizer;
  private readonly latent: Float32Array;
  private readonly learnt: Learnt;
  private readonly shape: MatrixShape;
  private readonly matrix: QuantizedMatrix;
  /** Weights that share a scale, in memory order. */
  private readonly perScale: number;

  /** @param latent row-major, of that shape */
  constructor(quantizer: WeightQuantizer, latent: Float32Array, shape: MatrixShape, learnt: Learnt) {
    this.quantizer = quantizer;
    this.latent = latent;
    this.learnt = learnt;
    this.shape = shape;
    this.matrix = quantizer.quantize(latent, shape, learnt);
    this.perScale = latent.length / scaleCount(quantizer.scales, shape);
  }

  /** All scales of the matrix. */
  get scales(): Float32Array {
    return this.matrix.scales;
  }

  /** The levels of a row, as a type of codes takes them: all of them are small integers. */
  levels(row: number): Int8Array {
    const { cols } = this.shape;
    return integerLevels(this.quantizer, this.matrix.codes.subarray(row * cols, (row + 1) * cols));
  }

  /** Fills `scales` with those of the blocks of a row, which are of equal size and share one scale each. */
  blockScales(row: number, scales: Float32Array): void {
    const { cols } = this.shape;
    const block = cols / scales.length;
    for (let b = 0; b < scales.length; b++) {
      scales[b] = this.matrix.scales[Math.floor((row * cols + b * block) / this.perScale)];
    }
  }

  /** The dequantized weights, row-major: what the matrix is in a type of floats. */
  values(): Float32Array {
    return weightValues(this.quantizer, this.latent, this.shape, this.learnt);
  }
}
