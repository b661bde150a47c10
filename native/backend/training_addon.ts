/**
 * The training part of the native addon: functions over typed arrays, outputs as arguments. Lengths and types are
 * checked on the C++ side, where a mismatch throws a TypeError before any memory is touched.
 */
import type { BackwardPrecision } from "../../src/config/backward_precision.ts";
import type { HiddenAct } from "../../src/config/model_config.ts";
import type { HeadProduct } from "../../src/ops/head_table.ts";
import type { EmbeddingDtype, ScaleDtype } from "../../src/quant/dtypes.ts";
import type { ActivationCodes } from "../../src/quantizers/activation_quantizer.ts";
import type { FusedQuantization } from "../../src/quantizers/weight_quantizer.ts";
import type { NativeAddon } from "../addon.ts";

/** What multiplies: values as they are; absmean ternary codes of latent weights, made by the kernel; given codes. */
export type WeightSource = "values" | FusedQuantization | "codes";
/** What stands before a product: nothing, a gate, or max(x, 0)^2. */
export type InputActivation = HiddenAct | "squared_relu" | "none";
export type Reduction = "sum" | "mean" | "max";
export type BinaryOp = "add" | "sub" | "mul" | "div" | "maximum" | "minimum" | "squaredDifference";
export type UnaryOp = "relu" | "square" | "sqrt" | "rsqrt" | "exp" | "neg" | "abs" | "sigmoid";
/** How the second operand of `binary` lies along the first: same length, one value, a row, one value per row. */
export type BinaryLayout = "same" | "scalar" | "row" | "column";

type F32 = Float32Array;
type I32 = Int32Array;

/** Sizes, and the rotary embedding: `ropeFactors` divide its frequencies, of length headDim / 2 or 0 (none); `window` 0: none. */
export type AttentionArguments = [
  batch: number,
  length: number,
  heads: number,
  kvHeads: number,
  headDim: number,
  ropeTheta: number,
  ropeFactors: F32,
  ropeMagnitude: number,
  window: number,
];
/** q and k heads of qkv, and the gains [headDim] of their norms. */
type HeadNormArguments = [
  qkv: F32,
  qGain: F32,
  kGain: F32,
  heads: number,
  kvHeads: number,
  headDim: number,
  epsilon: number,
];

/** Values -1, 0, 1 of a matrix, row-major, and what multiplies them: one scale, one per row, or one per group. */
export interface GivenTernary {
  ternary: I32;
  scales: F32;
  /** Neighbours of a row that share a scale; 0 where a row or the matrix does. */
  span: number;
}

/**
 * What a product takes in, its weights, and how it quantizes. `weights` are {@link GivenTernary} where `weightSource` is
 * `codes`.
 */
export type LinearInput = [
  x: F32,
  activation: InputActivation,
  gain: F32 | null,
  epsilon: number,
  hadamard: boolean,
  weights: (F32 | GivenTernary)[],
  cols: number,
  weightSource: WeightSource,
  activations: ActivationCodes | "none",
  keep: number,
  scaleDtype: ScaleDtype,
];

declare module "../addon.ts" {
  interface NativeAddon {
    /**
     * Bytes from the start of `buffer` to its first address at `alignment`, a power of two. At 2 MB or more the system is
     * asked for pages of that size.
     */
    alignmentOffset(buffer: ArrayBuffer, alignment: number): number;

    /** `gain` null: no norm before the product. */
    bitLinear(...input: [...LinearInput, residual: F32 | null, y: F32, scales: F32 | null]): void;
    bitLinearGrad(
      ...input: [
        ...LinearInput,
        precision: BackwardPrecision,
        roundingKey: number,
        dy: F32,
        dx: F32,
        dgain: F32 | null,
        dw: F32[],
        scales: F32 | null,
      ]
    ): void;
    /** `scales`, rounded to the scale type, has as many values as `weightSource` makes. */
    ternaryCodes(
      weight: F32,
      cols: number,
      weightSource: FusedQuantization,
      scaleDtype: ScaleDtype,
      codes: I32,
      scales: F32,
    ): void;
    rmsNorm(x: F32, gain: F32, epsilon: number, y: F32): void;
    rmsNormGrad(x: F32, gain: F32, dy: F32, epsilon: number, dx: F32, dgain: F32): void;
    headNorm(...input: [...HeadNormArguments, y: F32]): void;
    headNormGrad(...input: [...HeadNormArguments, dy: F32, dqkv: F32, dqGain: F32, dkGain: F32]): void;
    causalAttention(qkv: F32, ...shape: [...AttentionArguments, out: F32, logSum: F32]): void;
    causalAttentionGrad(qkv: F32, ...shape: [...AttentionArguments, out: F32, logSum: F32, dout: F32, dqkv: F32]): void;
    gatedActivation(gateUp: F32, n: number, activation: HiddenAct, y: F32): void;
    gatedActivationGrad(gateUp: F32, dy: F32, n: number, activation: HiddenAct, dgateUp: F32): void;
    squaredRelu(x: F32, y: F32): void;
    squaredReluGrad(x: F32, dy: F32, dx: F32): void;
    hadamard(x: F32, cols: number, y: F32): void;
    roundRows(x: F32, cols: number, tableType: EmbeddingDtype, y: F32): void;
    /** Throws if an id is outside the table. */
    gatherRows(table: F32, ids: I32, width: number, y: F32): void;
    /** Ids outside [0, segments) are skipped. */
    scatterAddRows(ids: I32, rows: F32, width: number, segments: number, out: F32): void;
    headLogits(hidden: F32, table: F32, width: number, product: HeadProduct, logits: F32): void;
    headLogProbs(
      hidden: F32,
      table: F32,
      width: number,
      product: HeadProduct,
      targets: I32,
      logProbs: F32,
      argmax: I32,
    ): void;
    headLogProbsGrad(
      hidden: F32,
      table: F32,
      width: number,
      product: HeadProduct,
      targets: I32,
      dlogProbs: F32,
      precision: BackwardPrecision,
      logProbs: F32,
      dhidden: F32,
      dtable: F32,
    ): void;
    adamwStep(
      params: F32[],
      grads: F32[],
      m: F32[],
      v: F32[],
      weightDecays: readonly number[],
      learningRate: number,
      beta1: number,
      beta2: number,
      epsilon: number,
      step: number,
      gradScale: number,
    ): void;
    sumsOfSquares(tensors: F32[], sums: F32): void;

    binary(op: BinaryOp, a: F32, b: F32, reversed: boolean, layout: BinaryLayout, y: F32): void;
    unary(op: UnaryOp, x: F32, y: F32): void;
    addN(inputs: F32[], y: F32): void;
    reduceRows(reduction: Reduction, x: F32, cols: number, y: F32): void;
    softmaxRows(x: F32, cols: number, y: F32): void;
    /** [outer, a, b, inner] -> [outer, b, a, inner]. */
    swapAxes(x: F32, outer: number, a: number, b: number, inner: number, y: F32): void;
    batchMatMul(
      a: F32,
      b: F32,
      batch: number,
      m: number,
      n: number,
      k: number,
      transposeA: boolean,
      transposeB: boolean,
      sharedA: boolean,
      sharedB: boolean,
      c: F32,
    ): void;
  }
}

export type { NativeAddon };
