/**
 * Op `EmbeddingGather`: rows of a table by id. The gradient adds the rows of dy in token order; it does not go
 * through tf.gather's own gradient, which needs UnsortedSegmentSum (the wasm backend has none).
 */
import * as tf from "@tensorflow/tfjs";
import { fusedKernel } from "./fused_kernel.ts";
import { float32Values } from "./tensor_access.ts";
import { withGradient } from "./with_gradient.ts";

function scatterAdd(ids: tf.Tensor, dy: tf.Tensor, vocabSize: number, width: number): tf.Tensor2D {
  const tokens = ids.dataSync<"int32">();
  const rows = float32Values(dy);
  const sums = new Float32Array(vocabSize * width);
  for (let t = 0; t < tokens.length; t++) {
    const target = tokens[t] * width;
    for (let i = 0; i < width; i++) sums[target + i] += rows[t * width + i];
  }
  return tf.tensor2d(sums, [vocabSize, width]);
}

/** table [V, H], ids int32 [B, T] in 0 .. V-1 -> [B, T, H]. Differentiable in the table. */
export function embeddingGather(table: tf.Tensor2D, ids: tf.Tensor2D): tf.Tensor3D {
  const [vocabSize, width] = table.shape;
  return withGradient<tf.Tensor3D>(
    [table],
    (save) => {
      save([ids]);
      const kernel = fusedKernel("EmbeddingGather");
      return (kernel ? kernel({ table, ids })[0] : tf.gather(table, ids)) as tf.Tensor3D;
    },
    (dy, [ids]) => {
      const kernel = fusedKernel("EmbeddingGatherGrad");
      return kernel ? kernel({ ids, dy }, { vocabSize }) : [scatterAdd(ids!, dy, vocabSize, width)];
    },
  );
}
