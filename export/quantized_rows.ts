/** A matrix as its quantizer makes it, row by row: what a file must hold of it. */
import {
  dequantize,
  type MatrixShape,
  type QuantizedMatrix,
  scaleCount,
  type WeightQuantizer,
} from "../src/quantizers/weight_quantizer.ts";

export class QuantizedRows {
  private readonly quantizer: WeightQuantizer;
  private readonly shape: MatrixShape;
  private readonly matrix: QuantizedMatrix;
  /** Weights that share a scale, in memory order. */
  private readonly perScale: number;

  /** @param latent row-major, of that shape */
  constructor(quantizer: WeightQuantizer, latent: Float32Array, shape: MatrixShape) {
    this.quantizer = quantizer;
    this.shape = shape;
    this.matrix = quantizer.quantize(latent, shape);
    this.perScale = latent.length / scaleCount(quantizer.scales, shape);
  }

  /** All scales of the matrix. */
  get scales(): Float32Array {
    return this.matrix.scales;
  }

  /** The levels of a row, as a type of codes takes them: all of them are small integers. */
  levels(row: number): Int8Array {
    const { cols } = this.shape;
    const codes = this.matrix.codes.subarray(row * cols, (row + 1) * cols);
    const { levels } = this.quantizer;
    const middle = levels.length >> 1;
    return levels.every((level, i) => level === i - middle) ? codes : codes.map((code) => levels[code + middle]);
  }

  /** Fills `scales` with those of the blocks of a row, which are of equal size and share one scale each. */
  blockScales(row: number, scales: Float32Array): void {
    const { cols } = this.shape;
    const block = cols / scales.length;
    for (let b = 0; b < scales.length; b++) {
      scales[b] = this.matrix.scales[Math.floor((row * cols + b * block) / this.perScale)];
    }
  }

  /** level x scale, row-major: what the matrix is in a type of floats. */
  values(): Float32Array {
    return dequantize(this.quantizer, this.matrix, this.shape);
  }
}
