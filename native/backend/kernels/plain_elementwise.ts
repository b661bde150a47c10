/** Binary operations with simple broadcasts, unary operations, AddN. */
import * as tf from "@tensorflow/tfjs";
import type { NativeBackend } from "../native_backend.ts";
import type { BinaryLayout, BinaryOp, UnaryOp } from "../training_addon.ts";
import { isFloat, type PlainOverride, sameShape, size } from "./plain_override.ts";

/** How `small` lies along `out`, the shape of the result; undefined if it is none of the simple ways. */
export function binaryLayout(out: readonly number[], small: readonly number[]): BinaryLayout | undefined {
  const padded = [...Array(out.length - small.length).fill(1), ...small] as number[];
  if (sameShape(out, padded)) return "same";
  if (padded.every((dimension) => dimension === 1)) return "scalar";
  const firstMatch = padded.findIndex((dimension) => dimension !== 1);
  if (sameShape(out.slice(firstMatch), padded.slice(firstMatch))) return "row";
  let lastMatch = padded.length;
  while (padded[lastMatch - 1] === 1) lastMatch--;
  if (sameShape(out.slice(0, lastMatch), padded.slice(0, lastMatch))) return "column";
  return undefined;
}

function binary(op: BinaryOp): PlainOverride {
  return ({ a, b }: { a: tf.TensorInfo; b: tf.TensorInfo }, _attributes, backend: NativeBackend) => {
    if (!isFloat(a) || !isFloat(b)) return undefined;
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const elements = tf.util.sizeFromShape(shape);
    // One operand covers the result; the other lies along it.
    const reversed = size(a) !== elements;
    const [large, small] = reversed ? [b, a] : [a, b];
    if (size(large) !== elements) return undefined;
    const layout = binaryLayout(shape, small.shape);
    if (!layout) return undefined;
    const y = backend.allocate(shape);
    backend.addon.binary(op, backend.floats(large), backend.floats(small), reversed, layout, y.values);
    return y.info;
  };
}

function unary(op: UnaryOp): PlainOverride {
  return ({ x }: { x: tf.TensorInfo }, _attributes, backend: NativeBackend) => {
    if (!isFloat(x)) return undefined;
    const y = backend.allocate(x.shape);
    backend.addon.unary(op, backend.floats(x), y.values);
    return y.info;
  };
}

const addN: PlainOverride = (inputs: tf.TensorInfo[], _attributes, backend) => {
  const tensors = Object.values(inputs);
  if (!tensors.every((tensor) => isFloat(tensor) && sameShape(tensor.shape, tensors[0].shape))) return undefined;
  const y = backend.allocate(tensors[0].shape);
  backend.addon.addN(
    tensors.map((tensor) => backend.floats(tensor)),
    y.values,
  );
  return y.info;
};

export const elementwiseOverrides: Record<string, PlainOverride> = {
  [tf.Add]: binary("add"),
  [tf.Sub]: binary("sub"),
  [tf.Multiply]: binary("mul"),
  [tf.RealDiv]: binary("div"),
  [tf.Maximum]: binary("maximum"),
  [tf.Minimum]: binary("minimum"),
  [tf.SquaredDifference]: binary("squaredDifference"),
  [tf.Relu]: unary("relu"),
  [tf.Square]: unary("square"),
  [tf.Sqrt]: unary("sqrt"),
  [tf.Rsqrt]: unary("rsqrt"),
  [tf.Exp]: unary("exp"),
  [tf.Neg]: unary("neg"),
  [tf.Abs]: unary("abs"),
  [tf.Sigmoid]: unary("sigmoid"),
  [tf.AddN]: addN,
};
