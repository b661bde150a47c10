/** The two ends of the model: embedding rows and the output head. */
import type * as tf from "@tensorflow/tfjs";
import type { BackwardPrecision } from "../../../src/config/backward_precision.ts";
import type { HeadProduct } from "../../../src/ops/head_table.ts";
import type { EmbeddingDtype } from "../../../src/quant/dtypes.ts";
import type { NativeBackend } from "../native_backend.ts";
import { lastDimension, type NativeKernel, requireInput } from "./kernel.ts";

/** {x [V, H]} -> float32 [V, H], every value rounded to `dtype`. */
export const roundToDtype: NativeKernel<{ dtype: EmbeddingDtype }> = {
  name: "RoundToDtype",
  run({ x }, { dtype }, backend: NativeBackend): tf.TensorInfo {
    const y = backend.allocate(x.shape);
    backend.addon.roundRows(backend.floats(x), lastDimension(x), dtype, y.values);
    return y.info;
  },
};

/** {table [V, H], ids int32 [...]} -> [..., H]. Throws if an id is outside the table. */
export const embeddingGather: NativeKernel = {
  name: "EmbeddingGather",
  run({ table, ids }, _attributes, backend: NativeBackend): tf.TensorInfo {
    const width = lastDimension(table);
    const y = backend.allocate([...ids.shape, width]);
    backend.addon.gatherRows(backend.floats(table), backend.ints(ids), width, y.values);
    return y.info;
  },
};

/** {ids int32 [...], dy [..., H]} -> dtable [vocabSize, H]. */
export const embeddingGatherGrad: NativeKernel<{ vocabSize: number }> = {
  name: "EmbeddingGatherGrad",
  run({ ids, dy }, { vocabSize }, backend: NativeBackend): tf.TensorInfo {
    const width = lastDimension(dy);
    const dtable = backend.allocate([vocabSize, width]);
    backend.addon.scatterAddRows(backend.ints(ids), backend.floats(dy), width, vocabSize, dtable.values);
    return dtable.info;
  },
};

interface HeadAttributes {
  product: HeadProduct;
}

function headWidth(kernel: string, hidden: tf.TensorInfo, table: tf.TensorInfo): number {
  const width = lastDimension(hidden);
  requireInput(
    hidden.shape.length === 2 && table.shape.length === 2 && table.shape[1] === width,
    kernel,
    () => `hidden [${hidden.shape}] and table [${table.shape}] must be [N, H] and [V, H]`,
  );
  return width;
}

/** {hidden [N, H], table [V, H]} -> [N, V]. */
export const headLogits: NativeKernel<HeadAttributes> = {
  name: "HeadLogits",
  run({ hidden, table }, { product }, backend: NativeBackend): tf.TensorInfo {
    const width = headWidth("HeadLogits", hidden, table);
    const logits = backend.allocate([hidden.shape[0], table.shape[0]]);
    backend.addon.headLogits(backend.floats(hidden), backend.floats(table), width, product, logits.values);
    return logits.info;
  },
};

/** {hidden [N, H], table [V, H], targets int32 [N]} -> [logProbs [N] (0 where target < 0), argmax int32 [N]]. */
export const headLogProbs: NativeKernel<HeadAttributes> = {
  name: "HeadLogProbs",
  run({ hidden, table, targets }, { product }, backend: NativeBackend): tf.TensorInfo[] {
    const width = headWidth("HeadLogProbs", hidden, table);
    const logProbs = backend.allocate([hidden.shape[0]]);
    const argmax = backend.allocateInts([hidden.shape[0]]);
    backend.addon.headLogProbs(
      backend.floats(hidden),
      backend.floats(table),
      width,
      product,
      backend.ints(targets),
      logProbs.values,
      argmax.values,
    );
    return [logProbs.info, argmax.info];
  },
};

/**
 * {hidden, table, targets, dlogProbs [N]} -> [dhidden, dtable, logProbs]. With a precision other than f32 the gradients are
 * products of bfloat16 operands where the CPU multiplies those faster; logProbs never depend on it.
 */
export const headLogProbsGrad: NativeKernel<HeadAttributes & { precision: BackwardPrecision }> = {
  name: "HeadLogProbsGrad",
  run({ hidden, table, targets, dlogProbs }, { product, precision }, backend: NativeBackend): tf.TensorInfo[] {
    const width = headWidth("HeadLogProbsGrad", hidden, table);
    const dhidden = backend.allocate(hidden.shape);
    const dtable = backend.allocate(table.shape);
    const logProbs = backend.allocate([hidden.shape[0]]);
    backend.addon.headLogProbsGrad(
      backend.floats(hidden),
      backend.floats(table),
      width,
      product,
      backend.ints(targets),
      backend.floats(dlogProbs),
      precision,
      logProbs.values,
      dhidden.values,
      dtable.values,
    );
    return [dhidden.info, dtable.info, logProbs.info];
  },
};
