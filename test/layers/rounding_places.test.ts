/** int8 backward draws: by the layer's place in its model, whatever else the pass computes. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { GatedFeedForward } from "../../src/layers/gated_feed_forward.ts";
import { duringBackwardPass } from "../../src/ops/backward_pass.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const width = 24;

function layerAt(place: string): GatedFeedForward {
  const layer = new GatedFeedForward({ intermediateSize: 40 });
  layer.placeAt(place);
  layer.build([null, null, width]);
  for (const [name, variable] of layer.parameters) {
    const values = Float32Array.from({ length: variable.size }, (_, i) => Math.sin(i + name.length));
    variable.assign(tf.tensor(values, variable.shape));
  }
  return layer;
}

/** Gradient of the input in an int8 pass, after the gradients of `others` in the same pass. */
function gradient(layer: GatedFeedForward, others: readonly GatedFeedForward[] = []): Float32Array {
  const x = tf.tensor3d(
    Float32Array.from({ length: 6 * width }, (_, i) => Math.cos(i)),
    [1, 6, width],
  );
  return tf.tidy(() =>
    duringBackwardPass({ precision: "int8", seed: 1, step: 1, microStep: 0 }, () => {
      const [last] = [...others, layer].map((each) => tf.grad((input) => tf.sum(each.forward(input)))(x)).slice(-1);
      return last.dataSync<"float32">().slice();
    }),
  );
}

describe.each(testedBackends)("rounding on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test("differs between layers of a model, and not by what runs before", () => {
    const [first, second, again] = ["model.layers.0.", "model.layers.1.", "model.layers.0."].map(layerAt);
    expect(gradient(first)).toEqual(gradient(again));
    expect(gradient(first)).toEqual(gradient(again, [second, second]));
    expect(gradient(first)).not.toEqual(gradient(second));
  });
});
