/** `tf.customGrad` for an op of several tensors, typed: it has an untyped argument list whose last item saves tensors. */
import * as tf from "@tensorflow/tfjs";
import { freesGradients } from "./backward_pass.ts";

/** Keeps tensors for the backward pass, which gets them in the same order. May hold outputs besides the value. */
export type Save = (tensors: tf.Tensor[]) => void;

/** One gradient per input, from that of the value and the saved tensors. */
type Backward<Out extends tf.Tensor> = (dy: Out, saved: tf.Tensor[]) => tf.Tensor[];

/**
 * Runs `forward` on `inputs` and lets `backward` compute one gradient per input from dy and the saved tensors. A
 * gradient that is dy itself is returned as a clone of it (which shares its data): dy may be disposed of afterwards.
 * Nothing is saved when no gradient is being taken.
 */
export function withGradient<Out extends tf.Tensor>(
  inputs: tf.Tensor[],
  forward: (save: Save) => Out,
  backward: Backward<Out>,
): Out {
  const engine = tf.engine();
  // The fused kernels of "native" have no gradients of their own, so nobody can differentiate twice there.
  if (engine.backendName === "native" && !engine.state.profiling) return recorded(inputs, forward, backward);
  const op = tf.customGrad<Out>((...args) => ({
    value: forward(args[args.length - 1] as Save),
    gradFunc: (dy: Out, saved: tf.Tensor[]) => gradientsOf(dy, saved, backward),
  }));
  return op(...inputs);
}

function gradientsOf<Out extends tf.Tensor>(dy: Out, saved: tf.Tensor[], backward: Backward<Out>): tf.Tensor[] {
  const gradients = backward(dy, saved);
  if (freesGradients()) dy.dispose();
  return gradients;
}

/**
 * What `tf.customGrad` does, less what only second derivatives need: there every saved tensor costs a kernel call and a
 * node of the tape, together a tenth of the JavaScript of a step and two thirds of its garbage collection.
 */
function recorded<Out extends tf.Tensor>(
  inputs: tf.Tensor[],
  forward: (save: Save) => Out,
  backward: Backward<Out>,
): Out {
  const engine = tf.engine();
  const { state } = engine;
  const isTapeOn = state.gradientDepth > 0 && state.kernelDepth === 0;
  let saved: tf.Tensor[] = [];
  const save: Save = (tensors) => {
    if (isTapeOn) saved = tensors.map((tensor) => engine.keep(shared(tensor)));
  };
  state.kernelDepth++;
  let value: Out;
  try {
    value = tf.tidy(() => forward(save));
  } finally {
    state.kernelDepth--;
  }
  if (!isTapeOn) return value;
  state.activeTape!.push({
    id: state.nextTapeNodeId++,
    kernelName: "withGradient",
    inputs: { ...inputs } as unknown as tf.NamedTensorMap,
    outputs: [value],
    saved,
    gradient: ([dy]: tf.Tensor[]) => {
      const gradients = gradientsOf((dy ?? tf.zerosLike(value)) as Out, saved, backward);
      return Object.fromEntries(gradients.map((gradient, i) => [i, () => gradient]));
    },
  });
  return value;
}

/** Another tensor of the same data. */
function shared(tensor: tf.Tensor): tf.Tensor {
  const engine = tf.engine();
  engine.backend.incRef(tensor.dataId);
  return engine.makeTensorFromTensorInfo(tensor);
}
