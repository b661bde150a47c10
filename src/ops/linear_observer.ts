/**
 * Lets somebody see what the linear products of a forward pass multiply, without changing a bit of it: rows are copied,
 * and what stands between them and the product (norm, gate) is computed a second time, off the gradient tape. Like the
 * settings of `backward_pass.ts` the observer belongs to the process; without one nothing is done.
 */
import * as tf from "@tensorflow/tfjs";
import { type LinearSurroundings, surroundedBy } from "./linear_surroundings.ts";
import { asRows, float32Values } from "./tensor_access.ts";

/** Inputs of one product, before they are quantized. */
export interface LinearInput {
  /** Of the product in its model: `model.layers.0.self_attn.qkv`. */
  name: string;
  /** Row-major [rows, cols]. */
  values: Float32Array;
  rows: number;
  cols: number;
}

export interface LinearObserver {
  /** Rows (tokens) to copy of each input, spread evenly over them; fewer if it has fewer. */
  readonly maxRows: number;
  /** False for a product that is not of interest. */
  wants(name: string): boolean;
  observe(input: LinearInput): void;
}

let current: LinearObserver | null = null;

/** Runs `body` under the observer's eyes; none for null. */
export function observingLinears<T>(observer: LinearObserver | null, body: () => T): T {
  const before = current;
  current = observer;
  try {
    return body();
  } finally {
    current = before;
  }
}

/** What a layer calls before the product `name` of x [..., K]: residuals are no part of the input. */
export function observeLinear(name: string, x: tf.Tensor, surroundings: LinearSurroundings = {}): void {
  const observer = current;
  if (observer === null || !observer.wants(name)) return;
  offTape(() => {
    const all = asRows(x);
    const rows = Math.min(observer.maxRows, all.shape[0]);
    const places = Int32Array.from({ length: rows }, (_, i) => Math.floor((i * all.shape[0]) / rows));
    const sampled = tf.gather(all, tf.tensor1d(places, "int32"));
    const input = surroundedBy({ ...surroundings, bias: undefined, residual: undefined }, sampled, (each) => each);
    observer.observe({ name, values: float32Values(input), rows, cols: input.size / rows });
  });
}

/** What tfjs records for gradients is what runs outside of kernels. */
function offTape(body: () => void): void {
  const { state } = tf.engine();
  state.kernelDepth++;
  try {
    tf.tidy(body);
  } finally {
    state.kernelDepth--;
  }
}
