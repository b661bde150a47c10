/** BatchMatMul, and _FusedMatMul with bias and activation. */
import * as tf from "@tensorflow/tfjs";
import type { NativeBackend } from "../native_backend.ts";
import { isFloat, type PlainOverride, product, size } from "./plain_override.ts";

interface MatMulAttributes {
  transposeA: boolean;
  transposeB: boolean;
}

interface FusedAttributes extends MatMulAttributes {
  activation?: "linear" | "relu" | "relu6" | "elu" | "prelu" | "leakyrelu" | "sigmoid";
  leakyreluAlpha?: number;
}

const activationKernels = {
  relu: tf.Relu,
  relu6: tf.Relu6,
  elu: tf.Elu,
  prelu: tf.Prelu,
  leakyrelu: tf.LeakyRelu,
  sigmoid: tf.Sigmoid,
};

function matmul(a: tf.TensorInfo, b: tf.TensorInfo, attributes: MatMulAttributes, backend: NativeBackend) {
  if (!isFloat(a) || !isFloat(b)) return undefined;
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
  const batch = product(shape);
  const [sharedA, sharedB] = [product(batchA) === 1 && batch > 1, product(batchB) === 1 && batch > 1];
  // Partly broadcast batch dimensions are left to the cpu kernel.
  if ((!sharedA && product(batchA) !== batch) || (!sharedB && product(batchB) !== batch)) return undefined;
  const [rowsA, colsA] = a.shape.slice(-2);
  const [rowsB, colsB] = b.shape.slice(-2);
  const [m, k] = attributes.transposeA ? [colsA, rowsA] : [rowsA, colsA];
  const [innerB, n] = attributes.transposeB ? [colsB, rowsB] : [rowsB, colsB];
  tf.util.assert(
    k === innerB,
    () => `Error in matMul: inner shapes (${k}) and (${innerB}) of [${a.shape}] and [${b.shape}] must match.`,
  );
  const c = backend.allocate([...shape, m, n]);
  backend.addon.batchMatMul(
    backend.floats(a),
    backend.floats(b),
    batch,
    m,
    n,
    k,
    attributes.transposeA,
    attributes.transposeB,
    sharedA,
    sharedB,
    c.values,
  );
  return c;
}

const batchMatMul: PlainOverride = ({ a, b }, attributes: MatMulAttributes, backend) =>
  matmul(a, b, attributes, backend)?.info;

const fusedMatMul: PlainOverride = (inputs, attributes: FusedAttributes, backend) => {
  const { a, b, bias, preluActivationWeights } = inputs as Record<string, tf.TensorInfo | undefined>;
  const columns = b!.shape[b!.shape.length - (attributes.transposeB ? 2 : 1)];
  // A bias other than one value per column is left to the cpu kernel.
  if (bias && (!isFloat(bias) || size(bias) !== columns || bias.shape[bias.shape.length - 1] !== columns)) {
    return undefined;
  }
  const c = matmul(a!, b!, attributes, backend);
  if (!c) return undefined;
  if (bias) {
    const values = backend.floats(bias);
    backend.addon.binary("add", c.values, values, false, "row", c.values);
  }
  const { activation } = attributes;
  if (!activation || activation === "linear") return c.info;
  const kernel = tf.getKernel(activationKernels[activation], "native");
  const activationInputs = preluActivationWeights ? { x: c.info, alpha: preluActivationWeights } : { x: c.info };
  const attrs = { alpha: attributes.leakyreluAlpha } as unknown as tf.NamedAttrMap;
  const activated = kernel.kernelFunc({ inputs: activationInputs, attrs, backend }) as tf.TensorInfo;
  backend.disposeIntermediateTensorInfo(c.info);
  return activated;
};

export const matmulOverrides: Record<string, PlainOverride> = {
  [tf.BatchMatMul]: batchMatMul,
  [tf._FusedMatMul]: fusedMatMul,
};
