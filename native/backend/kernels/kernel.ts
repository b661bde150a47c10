/** The form of a kernel of the native backend, and the checks that all share. */
import type * as tf from "@tensorflow/tfjs";
import type { NativeBackend } from "../native_backend.ts";

export type Inputs = Record<string, tf.TensorInfo>;

/** A kernel: `Attributes` are its non-tensor arguments. Throws {@link KernelInputError} on inputs that do not fit. */
export interface NativeKernel<Attributes = object> {
  name: string;
  run(inputs: Inputs, attributes: Attributes, backend: NativeBackend): tf.TensorInfo | tf.TensorInfo[];
}

/** Inputs of a kernel that do not fit together. */
export class KernelInputError extends Error {
  override name = "KernelInputError";
}

/** Throws {@link KernelInputError} `kernel: message` unless `condition` holds. */
export function requireInput(condition: boolean, kernel: string, message: () => string): asserts condition {
  if (!condition) throw new KernelInputError(`${kernel}: ${message()}`);
}

export function lastDimension(tensor: tf.TensorInfo): number {
  return tensor.shape[tensor.shape.length - 1] ?? 1;
}

/** The tensors `weight0`, `weight1`, ... in order. */
export function numberedInputs(inputs: Inputs, stem: string): tf.TensorInfo[] {
  const found: tf.TensorInfo[] = [];
  for (let i = 0; inputs[`${stem}${i}`]; i++) found.push(inputs[`${stem}${i}`]);
  return found;
}
