/**
 * Dropout (Srivastava et al., JMLR 15, 2014), inverted: what is kept is scaled up, so that nothing has to be scaled when the
 * model is used.
 *
 *     y = x * mask,   mask = 1 / (1 - rate) with probability 1 - rate, else 0         dx = dy * mask
 *
 * Only in a training pass that asks for it. The mask is a hash of the pass (seed, step, micro-step), the place in the model and
 * the element: a resumed run, a recomputed layer and any number of threads draw the same one.
 */
import * as tf from "@tensorflow/tfjs";
import { mix32 } from "../random/counter_rng.ts";
import { dropoutOf } from "./backward_pass.ts";
import { withGradient } from "./with_gradient.ts";

/** Factors of `size` elements: 0 or 1 / (1 - rate). */
export function dropoutMask(size: number, rate: number, key: number): Float32Array {
  const mask = new Float32Array(size);
  const dropped = rate * 2 ** 32;
  const kept = 1 / (1 - rate);
  for (let i = 0; i < size; i++) mask[i] = mix32(mix32(i) ^ key) >>> 0 < dropped ? 0 : kept;
  return mask;
}

/** x under the dropout of the pass at hand; x itself where there is none. `place` is a hash of the place in the model. */
export function dropout<T extends tf.Tensor>(x: T, place: number): T {
  const { rate, key } = dropoutOf(place);
  if (rate === 0) return x;
  return withGradient<T>(
    [x],
    (save) => {
      const mask = tf.tensor(dropoutMask(x.size, rate, key), x.shape, "float32");
      save([mask]);
      return tf.mul(x, mask);
    },
    (dy, [mask]) => [tf.mul(dy, mask!)],
  );
}
