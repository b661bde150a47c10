/** The form of an override of a plain tfjs kernel. */
import * as tf from "@tensorflow/tfjs";
import type { NativeBackend } from "../native_backend.ts";

/** Inputs and attributes are tfjs's for that kernel. Returns undefined when the cpu kernel must take the case. */
// biome-ignore lint/suspicious/noExplicitAny: tfjs types inputs and attributes per kernel, by name only.
export type PlainOverride = (inputs: any, attributes: any, backend: NativeBackend) => tf.TensorInfo | undefined;

export function size(tensor: tf.TensorInfo): number {
  return tf.util.sizeFromShape(tensor.shape);
}

/** A float32 tensor with at least one element: what the native loops take. */
export function isFloat(tensor: tf.TensorInfo): boolean {
  return tensor.dtype === "float32" && size(tensor) > 0;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, i) => dimension === b[i]);
}

export function product(dimensions: readonly number[]): number {
  return dimensions.reduce((total, dimension) => total * dimension, 1);
}
