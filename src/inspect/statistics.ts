/** Numbers of the weights: how often each code is there, scales and how many weights share one, ranges of floats. */
import { entropyBits } from "../eval/cost/entropy.ts";
import { type InspectedModel, type InspectedTensor, weightsOf } from "./inspected_model.ts";
import { type Codes, type Piece, piecesOf } from "./pieces.ts";

export interface CodeStatistics {
  levels: readonly number[];
  /** How often each level is there. */
  counts: readonly number[];
  /** Codes that stand for no level. */
  invalid: number;
  zeroFraction: number;
  /** Order-0 entropy of the codes, bits of a weight. */
  entropyBits: number;
}

export interface ScaleStatistics {
  /** Scales that differ from the one before them in the tensor do not share weights: tensor, row, or weights of a block. */
  per: "tensor" | "row" | number;
  least: number;
  most: number;
  mean: number;
  /** Stored as 0: their codes are of no effect. */
  zeros: number;
}

export interface TensorStatistics {
  /** Null for floats that are no codes. */
  codes: CodeStatistics | null;
  scales: ScaleStatistics | null;
  /** True if the type holds floats and all of them are 0 or +-s, one s a row. */
  ternaryFloats: boolean;
  /** Of floats. */
  values: { least: number; most: number; rms: number } | null;
  /** Infinite, or no numbers. */
  notFinite: number;
}

/** Null if the weights are not known: the type is not read. */
export async function tensorStatistics(
  model: InspectedModel,
  tensor: InspectedTensor,
  onRead: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<TensorStatistics | null> {
  if (tensor.layout.kind === "bytes") return null;
  const sums = new Sums(tensor);
  for await (const piece of piecesOf(model, tensor, { quantized: true, signal })) {
    sums.add(piece);
    onRead(piece.bytes);
  }
  return sums.result();
}

class Sums {
  private readonly isLinear: boolean;
  private counts: number[] = [];
  private levels: readonly number[] | null = null;
  private readonly scales = new ScaleSums();
  private least = Infinity;
  private most = -Infinity;
  private squares = 0;
  private notFinite = 0;
  private weights = 0;
  /** Counts of -1, 0, 1 while all floats of each row are 0 or +-s. */
  private ternary: number[] | null;

  constructor(tensor: InspectedTensor) {
    this.isLinear = tensor.role === "linear" && tensor.shape.length > 1;
    this.ternary = this.isLinear ? [0, 0, 0] : null;
  }

  add(piece: Piece): void {
    this.weights += piece.rows * piece.cols;
    if (piece.codes !== null) this.addCodes(piece.codes, piece.cols);
    else this.addFloats(piece);
  }

  private addCodes({ levels, places, scales, perScale }: Codes, cols: number): void {
    if (this.levels === null) this.counts = new Array<number>(levels.length + 1).fill(0);
    this.levels = levels;
    const counts = new Uint32Array(levels.length + 1);
    for (let i = 0; i < places.length; i++) counts[places[i]]++;
    for (let i = 0; i < counts.length; i++) this.counts[i] += counts[i];
    this.scales.add(scales, perScale, cols);
  }

  private addFloats({ values, rows, cols }: Piece): void {
    const all = values();
    let { least, most, squares } = this;
    for (let i = 0; i < all.length; i++) {
      const value = all[i];
      if (!Number.isFinite(value)) this.notFinite++;
      else {
        if (value < least) least = value;
        if (value > most) most = value;
        squares += value * value;
      }
    }
    Object.assign(this, { least, most, squares });
    for (let r = 0; r < rows && this.ternary !== null; r++) this.addTernaryRow(all.subarray(r * cols, (r + 1) * cols));
  }

  /** Counts signs, or gives up at the first value of another magnitude. */
  private addTernaryRow(row: Float32Array): void {
    const counts = this.ternary!;
    let scale = 0;
    for (let i = 0; i < row.length; i++) {
      const magnitude = Math.abs(row[i]);
      if (scale === 0) scale = magnitude;
      if (magnitude !== 0 && magnitude !== scale) {
        this.ternary = null;
        return;
      }
      counts[Math.sign(row[i]) + 1]++;
    }
    this.scales.add(Float32Array.of(scale), row.length, row.length);
  }

  result(): TensorStatistics {
    const { levels, counts, ternary, least, most, weights } = this;
    if (levels !== null) {
      const codes = codeStatistics(levels, counts.slice(0, levels.length), counts[levels.length]);
      const scales = this.scales.result();
      return { codes, scales, ternaryFloats: false, values: null, notFinite: this.scales.notFinite };
    }
    const values = least <= most ? { least, most, rms: Math.sqrt(this.squares / weights) } : null;
    const isTernary = ternary !== null && ternary[0] + ternary[2] > 0;
    return {
      codes: isTernary ? codeStatistics([-1, 0, 1], ternary, 0) : null,
      scales: isTernary ? this.scales.result() : null,
      ternaryFloats: isTernary,
      values,
      notFinite: this.notFinite,
    };
  }
}

function codeStatistics(levels: readonly number[], counts: readonly number[], invalid: number): CodeStatistics {
  const all = counts.reduce((sum, count) => sum + count, 0) || 1;
  return {
    levels,
    counts,
    invalid,
    zeroFraction: (counts[levels.indexOf(0)] ?? 0) / all,
    entropyBits: entropyBits(counts),
  };
}

/** Scales in memory order. Those of blocks without a weight may be 0 and say nothing of the granularity. */
class ScaleSums {
  notFinite = 0;
  private count = 0;
  private sum = 0;
  private least = Infinity;
  private most = -Infinity;
  private zeros = 0;
  private sameInTensor = true;
  private sameInRow = true;
  private perScale = 0;

  add(scales: Float32Array, perScale: number, cols: number): void {
    this.perScale = perScale;
    const inRow = Math.max(1, Math.round(cols / perScale));
    let rowScale = 0;
    for (let i = 0; i < scales.length; i++) {
      if (i % inRow === 0) rowScale = 0;
      const scale = scales[i];
      if (!Number.isFinite(scale)) {
        this.notFinite++;
        continue;
      }
      if (scale === 0) {
        this.zeros++;
        continue;
      }
      if (this.count > 0 && scale !== this.least) this.sameInTensor = false;
      if (rowScale !== 0 && scale !== rowScale) this.sameInRow = false;
      rowScale = scale;
      this.count++;
      this.sum += scale;
      this.least = Math.min(this.least, scale);
      this.most = Math.max(this.most, scale);
    }
  }

  result(): ScaleStatistics | null {
    if (this.count === 0) return null;
    const per = this.sameInTensor ? "tensor" : this.sameInRow ? "row" : this.perScale;
    return { per, least: this.least, most: this.most, mean: this.sum / this.count, zeros: this.zeros };
  }
}

/** The tensors of one type. */
export interface TypeSummary {
  type: string;
  tensors: number;
  weights: number;
  bytes: number;
  /** Bits of a weight as stored, scales included. */
  storedBits: number;
  /** Bits of a weight by the order-0 entropy of each tensor's codes; null for floats, and without statistics. */
  entropyBits: number | null;
  zeroFraction: number | null;
}

/** Largest first. @param statistics by name; empty where none were made */
export function typeSummaries(
  tensors: readonly InspectedTensor[],
  statistics: ReadonlyMap<string, TensorStatistics | null>,
): TypeSummary[] {
  const byType = new Map<string, InspectedTensor[]>();
  for (const tensor of tensors) byType.set(tensor.type, [...(byType.get(tensor.type) ?? []), tensor]);
  const summaries = [...byType].map(([type, all]): TypeSummary => {
    const weights = all.reduce((sum, tensor) => sum + weightsOf(tensor), 0);
    const bytes = all.reduce((sum, tensor) => sum + tensor.bytes, 0);
    const coded = all.flatMap((tensor) => {
      const codes = statistics.get(tensor.name)?.codes;
      return codes ? [{ codes, count: weightsOf(tensor) }] : [];
    });
    const count = coded.reduce((sum, each) => sum + each.count, 0);
    const mean = (value: (codes: CodeStatistics) => number) =>
      count === 0 ? null : coded.reduce((sum, each) => sum + each.count * value(each.codes), 0) / count;
    return {
      type,
      tensors: all.length,
      weights,
      bytes,
      storedBits: (8 * bytes) / weights,
      entropyBits: mean((codes) => codes.entropyBits),
      zeroFraction: mean((codes) => codes.zeroFraction),
    };
  });
  return summaries.sort((a, b) => b.bytes - a.bytes);
}
