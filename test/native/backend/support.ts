/** What the backend's tests share: the addon if it is built, kernels by name, seeded values, comparisons. */
import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs";
import { expect } from "vitest";
import { loadAddon, type NativeAddon } from "../../../native/addon.ts";
import "../../../native/backend/training_addon.ts";

function tryAddon(): NativeAddon | undefined {
  try {
    return loadAddon();
  } catch {
    return undefined;
  }
}

/** Undefined on a machine without a compiler: tests then skip. */
export const addon = tryAddon();
export const withoutAddon = addon === undefined;

/** Names of the kernel variants that this CPU runs. */
export const variants = (addon?.features().variants ?? [])
  .filter((variant) => variant.supported)
  .map((variant) => variant.name);

type Result = tf.Tensor | tf.Tensor[];

/** Runs one kernel of the active backend and returns its outputs as a list. */
export function runKernel(name: string, inputs: Record<string, tf.Tensor>, attributes: object = {}): tf.Tensor[] {
  const result = tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap) as Result;
  return Array.isArray(result) ? result : [result];
}

/** A seeded source of numbers in [0, 1): mulberry32. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Roughly normal values (sum of uniforms), standard deviation `scale`. */
export function randomValues(random: () => number, count: number, scale = 1): Float32Array {
  const normal = () => (random() + random() + random() + random() - 2) * Math.sqrt(3);
  return Float32Array.from({ length: count }, () => normal() * scale);
}

export function randomTensor(random: () => number, shape: number[], scale = 1): tf.Tensor {
  return tf.tensor(randomValues(random, tf.util.sizeFromShape(shape), scale), shape, "float32");
}

/** An integer in [low, high]. */
export function randomInteger(random: () => number, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

/** max |actual - expected| over max |expected| (at least 1e-6 of it). */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let difference = 0;
  let largest = 1e-6;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
    if (Number.isNaN(actual[i]) !== Number.isNaN(expected[i])) return Number.POSITIVE_INFINITY;
  }
  return difference / largest;
}

/** Runs `body` on a backend inside tidy and returns the values of its tensors. */
export function valuesOn(backend: string, body: () => tf.Tensor[]): Float32Array[] {
  const before = tf.getBackend();
  tf.setBackend(backend);
  try {
    return tf.tidy(() => body().map((tensor) => tensor.dataSync() as Float32Array));
  } finally {
    tf.setBackend(before);
  }
}

/** Digest of the bits of a tensor's values, to compare exactly (NaN and signed zero included). */
export function bits(values: Float32Array | Int32Array | Uint8Array): string {
  return createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");
}
