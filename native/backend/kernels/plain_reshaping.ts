/** Transpose, Cast, Fill: operations that move or make values. */
import * as tf from "@tensorflow/tfjs";
import { isFloat, type PlainOverride, product } from "./plain_override.ts";

/**
 * A permutation that swaps two adjacent groups of axes, as sizes [outer, a, b, inner] -> [outer, b, a, inner]: 2-D
 * transposes, (0, 2, 1, 3) and their like. Undefined for other permutations.
 */
export function adjacentSwap(shape: number[], perm: number[]): [number, number, number, number] | undefined {
  let first = 0;
  while (first < perm.length && perm[first] === first) first++;
  let end = perm.length;
  while (end > first && perm[end - 1] === end - 1) end--;
  const middle = perm[first] ?? first;
  const rotated = perm.slice(first, end).every((axis, i) => {
    return axis === first + ((middle - first + i) % (end - first));
  });
  if (!rotated) return undefined;
  const groups = [shape.slice(0, first), shape.slice(first, middle), shape.slice(middle, end), shape.slice(end)];
  return groups.map(product) as [number, number, number, number];
}

const transpose: PlainOverride = ({ x }: { x: tf.TensorInfo }, { perm }: { perm: number[] }, backend) => {
  if (!isFloat(x)) return undefined;
  const swap = adjacentSwap(x.shape, perm);
  if (!swap) return undefined;
  const y = backend.allocate(perm.map((axis) => x.shape[axis]));
  backend.addon.swapAxes(backend.floats(x), ...swap, y.values);
  return y.info;
};

/** Conversions between float32, int32 and bool, stored as what they are (the cpu kernel shares the old array). */
const cast: PlainOverride = ({ x }: { x: tf.TensorInfo }, { dtype }: { dtype: tf.DataType }, backend) => {
  if (x.dtype === dtype && dtype !== "complex64") return backend.reshaped(x, x.shape);
  if (x.dtype === "complex64" || x.dtype === "string") return undefined;
  if (dtype === "float32") {
    const y = backend.allocate(x.shape);
    y.values.set(backend.ints(x));
    return y.info;
  }
  if (dtype === "int32") {
    const y = backend.allocateInts(x.shape);
    y.values.set(x.dtype === "float32" ? backend.floats(x) : backend.ints(x));
    return y.info;
  }
  return undefined;
};

const fill: PlainOverride = (_inputs, attributes: { shape: number[]; value: unknown; dtype?: string }, backend) => {
  const { shape, value, dtype } = attributes;
  if (typeof value !== "number" || (dtype !== undefined && dtype !== "float32")) return undefined;
  const y = backend.allocate(shape);
  y.values.fill(value);
  return y.info;
};

function like(value: number): PlainOverride {
  return ({ x }: { x: tf.TensorInfo }, _attributes, backend) => {
    if (x.dtype !== "float32") return undefined;
    const y = backend.allocate(x.shape);
    y.values.fill(value);
    return y.info;
  };
}

export const reshapingOverrides: Record<string, PlainOverride> = {
  [tf.Transpose]: transpose,
  [tf.Cast]: cast,
  [tf.Fill]: fill,
  [tf.ZerosLike]: like(0),
  [tf.OnesLike]: like(1),
};
