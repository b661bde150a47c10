/**
 * `dlt_ternary`: dual learnable ternarization of TernaryLLM (arXiv 2406.07177): each row has a learnt scale and a learnt
 * shift, for rows whose weights are not centred. As AngelSlim's code computes it (DLTQuant, built on LSQ).
 *
 *     forward     a = max(step, 1e-5);   codes = clip(round_half_even(W / a), -1, 1)
 *                 W~ = codes * scale_dtype(a) + shift
 *     backward    dW and dstep of LSQ (learnt_step.ts);   dshift = sum dW~ of the row
 *
 * Learnt: `weight_step` and `weight_shift` of each row, from 2 mean |W| and 0. Not differentiated: what LSQ does not. A
 * shift is no part of a code, so the product is that of the values W~ in float32, and the file of a model has them.
 */
import { z } from "zod";
import { lsqInitialStep, lsqSlope, quantizeByStep, stepGradients, stepParameter } from "./learnt_step.ts";
import { ternaryLevels } from "./ternary.ts";
import { dequantize, type Learnt, type MatrixShape, type WeightQuantizerDefinition } from "./weight_quantizer.ts";

const range = { low: -1, high: 1 };
const scales = { per: "row" } as const;

function rowSums(dy: Float32Array, { rows, cols }: MatrixShape): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = row * cols; i < (row + 1) * cols; i++) sum += dy[i];
    return sum;
  });
}

export const dltTernary: WeightQuantizerDefinition = {
  name: "dlt_ternary",
  options: z.strictObject({}),
  create: (_options, scaleDtype) => {
    const quantize = (latent: Float32Array, shape: MatrixShape, [steps]: Learnt) =>
      quantizeByStep(latent, shape, steps, scales, range, scaleDtype);
    const form = { name: "dlt_ternary", levels: ternaryLevels, scales, scaleDtype, product: "values" } as const;
    return {
      ...form,
      fused: null,
      parameters: (shape) => [
        stepParameter(scales, shape, lsqInitialStep(range)),
        { suffix: "shift", shape: [shape.rows], initial: () => new Float32Array(shape.rows) },
      ],
      quantize,
      values(latent, shape, learnt) {
        const [, shifts] = learnt;
        const values = dequantize(form, quantize(latent, shape, learnt), shape);
        for (let row = 0, i = 0; row < shape.rows; row++) {
          for (const end = i + shape.cols; i < end; i++) values[i] += shifts[row];
        }
        return values;
      },
      backward(dy, latent, shape, [steps]) {
        const gradients = stepGradients(dy, latent, shape, steps, scales, lsqSlope(range));
        return { latent: gradients.latent, learnt: [...gradients.learnt, rowSums(dy, shape)] };
      },
    };
  },
};
