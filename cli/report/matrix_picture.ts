/** What a report shows of one matrix: shares of its codes, its latent weights in units of the scale, its codes. */
import type { MatrixShape, QuantizedMatrix } from "../../src/quantizers/weight_quantizer.ts";
import type { Bins, CodeMaps, MatrixPicture } from "../../src/report/run/run_data.ts";

/** Bins of the histogram, and the scales that it reaches on both sides. */
const binCount = 96;
const reach = 4;
/** Codes of the corner, and blocks of the whole, along each side at most. */
const mostCells = 96;

/** Counts of latent / scale; what lies beyond the ends is in the bin beside them. */
function latentBins(latent: Float32Array, scales: Float32Array): Bins {
  const counts = new Array<number>(binCount).fill(0);
  const each = latent.length / scales.length;
  for (let i = 0; i < latent.length; i++) {
    const place = latent[i] / scales[Math.floor(i / each)] + reach;
    const bin = Math.floor((place * binCount) / (2 * reach));
    counts[Math.max(0, Math.min(binCount - 1, bin))]++;
  }
  return { low: -reach, high: reach, counts };
}

/** @param indices of levels, row-major */
function codeMaps(indices: Uint8Array, { rows, cols }: MatrixShape, zero: number): CodeMaps {
  const corner = { rows: Math.min(rows, mostCells), cols: Math.min(cols, mostCells) };
  const codes = new Uint8Array(corner.rows * corner.cols);
  for (let r = 0; r < corner.rows; r++) {
    codes.set(indices.subarray(r * cols, r * cols + corner.cols), r * corner.cols);
  }
  const [blockRows, blockCols] = [Math.ceil(rows / mostCells), Math.ceil(cols / mostCells)];
  const blocks = { rows: Math.ceil(rows / blockRows), cols: Math.ceil(cols / blockCols) };
  const zeros = new Float32Array(blocks.rows * blocks.cols);
  const sizes = new Float32Array(zeros.length);
  for (let i = 0; i < indices.length; i++) {
    const block = Math.floor(Math.floor(i / cols) / blockRows) * blocks.cols + Math.floor((i % cols) / blockCols);
    sizes[block]++;
    if (indices[i] === zero) zeros[block]++;
  }
  const shares = zeros.map((count, block) => count / sizes[block]);
  return { corner: { ...corner, codes }, blocks: { ...blocks, blockRows, blockCols, zeros: shares } };
}

export interface PicturedMatrix extends MatrixShape {
  name: string;
  latent: Float32Array;
  /** What the quantizer makes of it. */
  matrix: QuantizedMatrix;
  /** Of the quantizer. */
  levels: readonly number[];
}

/** @param hasCodes with pictures of the codes */
export function matrixPicture(
  { name, rows, cols, latent, matrix: { codes, scales }, levels }: PicturedMatrix,
  hasCodes: boolean,
): MatrixPicture {
  const middle = levels.length >> 1;
  const indices = Uint8Array.from(codes, (code) => code + middle);
  const counts = new Array<number>(levels.length).fill(0);
  for (const index of indices) counts[index]++;
  let [sum, least, most] = [0, Infinity, -Infinity];
  for (const scale of scales) {
    sum += scale;
    least = Math.min(least, scale);
    most = Math.max(most, scale);
  }
  return {
    name,
    rows,
    cols,
    levels,
    scales: { count: scales.length, mean: sum / scales.length, least, most },
    shares: counts.map((count) => count / codes.length),
    latent: latentBins(latent, scales),
    codes: hasCodes ? codeMaps(indices, { rows, cols }, levels.indexOf(0)) : null,
  };
}
