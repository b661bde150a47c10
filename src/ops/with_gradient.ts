/** `tf.customGrad` for an op of several tensors, typed: it has an untyped argument list whose last item saves tensors. */
import * as tf from "@tensorflow/tfjs";
import { freesGradients } from "./backward_pass.ts";

/** Keeps tensors for the backward pass, which gets them in the same order. May hold outputs besides the value. */
export type Save = (tensors: tf.Tensor[]) => void;

/**
 * Runs `forward` on `inputs` and lets `backward` compute one gradient per input from dy and the saved tensors. A
 * gradient that is dy itself is returned as a clone of it (which shares its data): dy may be disposed of afterwards.
 * Nothing is saved when no gradient is being taken.
 */
export function withGradient<Out extends tf.Tensor>(
  inputs: tf.Tensor[],
  forward: (save: Save) => Out,
  backward: (dy: Out, saved: tf.Tensor[]) => tf.Tensor[],
): Out {
  const op = tf.customGrad<Out>((...args) => ({
    value: forward(args[args.length - 1] as Save),
    gradFunc: (dy: Out, saved: tf.Tensor[]) => {
      const gradients = backward(dy, saved);
      if (freesGradients()) dy.dispose();
      return gradients;
    },
  }));
  return op(...inputs);
}
