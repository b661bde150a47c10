/** Reductions over the last axes, Sum over the first ones, Softmax. */
import * as tf from "@tensorflow/tfjs";
import type { NativeBackend } from "../native_backend.ts";
import type { Reduction } from "../training_addon.ts";
import { isFloat, type PlainOverride, product, size } from "./plain_override.ts";

interface ReductionAttributes {
  axis?: number | number[];
  /** Max calls its axes so. */
  reductionIndices?: number | number[];
  keepDims?: boolean;
}

/** The reduced axes as a range [first, end), if they are adjacent. */
function adjacentAxes(attributes: ReductionAttributes, shape: number[]): [number, number] | undefined {
  const axes = tf.util.parseAxisParam(attributes.axis ?? attributes.reductionIndices!, shape).sort((a, b) => a - b);
  const first = axes[0] ?? 0;
  return axes.every((axis, i) => axis === first + i) ? [first, first + axes.length] : undefined;
}

function reduction(kind: Reduction): PlainOverride {
  return ({ x }: { x: tf.TensorInfo }, attributes: ReductionAttributes, backend: NativeBackend) => {
    if (!isFloat(x)) return undefined;
    const range = adjacentAxes(attributes, x.shape);
    if (!range) return undefined;
    const [first, end] = range;
    const kept = attributes.keepDims ? Array<number>(end - first).fill(1) : [];
    const outShape = [...x.shape.slice(0, first), ...kept, ...x.shape.slice(end)];
    const last = end === x.shape.length;
    // A sum over the first axes is a product with a row of ones.
    if (!last && (kind !== "sum" || first !== 0)) return undefined;
    const y = backend.allocate(outShape);
    const values = backend.floats(x);
    const reduced = product(x.shape.slice(first, end));
    if (last) {
      backend.addon.reduceRows(kind, values, reduced, y.values);
    } else {
      const ones = backend.allocate([reduced]);
      ones.values.fill(1);
      const columns = y.values.length;
      backend.addon.batchMatMul(ones.values, values, 1, 1, columns, reduced, false, false, false, false, y.values);
      backend.disposeIntermediateTensorInfo(ones.info);
    }
    return y.info;
  };
}

const softmax: PlainOverride = ({ logits }: { logits: tf.TensorInfo }, { dim }: { dim: number }, backend) => {
  const rank = logits.shape.length;
  if (!isFloat(logits) || rank === 0 || (dim !== rank - 1 && dim !== -1)) return undefined;
  const y = backend.allocate(logits.shape);
  backend.addon.softmaxRows(backend.floats(logits), logits.shape[rank - 1], y.values);
  return y.info;
};

/** Rows of the first axis by index. */
const gather: PlainOverride = (
  { x, indices }: { x: tf.TensorInfo; indices: tf.TensorInfo },
  { axis, batchDims }: { axis: number; batchDims: number },
  backend,
) => {
  if (!isFloat(x) || size(indices) === 0 || x.shape.length === 0) return undefined;
  if (tf.util.parseAxisParam(axis, x.shape)[0] !== 0 || batchDims !== 0) return undefined;
  const y = backend.allocate([...indices.shape, ...x.shape.slice(1)]);
  backend.addon.gatherRows(backend.floats(x), backend.ints(indices), product(x.shape.slice(1)), y.values);
  return y.info;
};

/** The gradient of gather. The cpu kernel compares every segment with every id. */
const unsortedSegmentSum: PlainOverride = (
  { x, segmentIds }: { x: tf.TensorInfo; segmentIds: tf.TensorInfo },
  { numSegments }: { numSegments: number },
  backend,
) => {
  const rank = segmentIds.shape.length;
  if (!isFloat(x) || numSegments === 0 || product(x.shape.slice(0, rank)) !== size(segmentIds)) return undefined;
  const y = backend.allocate([numSegments, ...x.shape.slice(rank)]);
  const width = product(x.shape.slice(rank));
  backend.addon.scatterAddRows(backend.ints(segmentIds), backend.floats(x), width, numSegments, y.values);
  return y.info;
};

export const rowOverrides: Record<string, PlainOverride> = {
  [tf.Sum]: reduction("sum"),
  [tf.Mean]: reduction("mean"),
  [tf.Max]: reduction("max"),
  [tf.Softmax]: softmax,
  [tf.GatherV2]: gather,
  [tf.UnsortedSegmentSum]: unsortedSegmentSum,
};
