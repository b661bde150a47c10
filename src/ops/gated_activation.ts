/**
 * Op `GatedActivation`: the gate of the feed-forward block on the concatenated outputs gate | up.
 *
 *     relu2:  y = max(gate, 0)^2 * up         dgate = 2 max(gate, 0) * up * dy
 *     silu:   y = gate * s(gate) * up         dgate = (s + gate * s * (1 - s)) * up * dy,   s = sigmoid(gate)
 *     gelu_tanh:  y = gate * s(u) * up,  u = 2 sqrt(2 / pi) (gate + 0.044715 gate^3): GELU by tanh, 0.5 x (1 + tanh(u / 2))
 *     dup = y / up * dy  (that is, the activated gate times dy)
 */
import * as tf from "@tensorflow/tfjs";
import type { HiddenAct } from "../config/model_config.ts";
import { fusedKernel } from "./fused_kernel.ts";
import { withGradient } from "./with_gradient.ts";

function splitHalves(gateUp: tf.Tensor): [gate: tf.Tensor, up: tf.Tensor] {
  const [gate, up] = tf.split(gateUp, 2, -1);
  return [gate!, up!];
}

const [geluLinear, geluCubic] = [1.5957691216, 0.0713548163];

function activated(gate: tf.Tensor, activation: HiddenAct): tf.Tensor {
  if (activation === "gelu_tanh") return tf.mul(gate, tf.sigmoid(geluArgument(gate)));
  return activation === "relu2" ? tf.square(tf.relu(gate)) : tf.div(gate, tf.add(1, tf.exp(tf.neg(gate))));
}

function geluArgument(gate: tf.Tensor): tf.Tensor {
  return tf.mul(gate, tf.add(geluLinear, tf.mul(geluCubic, tf.square(gate))));
}

/** Derivative of the activation. */
function slope(gate: tf.Tensor, activation: HiddenAct): tf.Tensor {
  if (activation === "relu2") return tf.mul(2, tf.relu(gate));
  if (activation === "gelu_tanh") {
    const s = tf.sigmoid(geluArgument(gate));
    const du = tf.add(geluLinear, tf.mul(3 * geluCubic, tf.square(gate)));
    return tf.mul(s, tf.add(1, tf.mul(tf.mul(gate, du), tf.sub(1, s))));
  }
  const s = tf.sigmoid(gate);
  return tf.mul(s, tf.add(1, tf.mul(gate, tf.sub(1, s))));
}

function composedBackward(gateUp: tf.Tensor, dy: tf.Tensor, activation: HiddenAct): tf.Tensor {
  const [gate, up] = splitHalves(gateUp);
  const dGate = tf.mul(tf.mul(slope(gate, activation), up), dy);
  return tf.concat([dGate, tf.mul(activated(gate, activation), dy)], -1);
}

/** act(gate) * up of gateUp [..., 2F] -> [..., F]. */
export function gatedActivation<T extends tf.Tensor>(gateUp: T, activation: HiddenAct): T {
  return withGradient<T>(
    [gateUp],
    (save) => {
      save([gateUp]);
      const kernel = fusedKernel("GatedActivation");
      if (kernel) return kernel({ gateUp }, { activation })[0] as T;
      const [gate, up] = splitHalves(gateUp);
      return tf.mul(activated(gate, activation), up) as T;
    },
    (dy, [gateUp]) => {
      const kernel = fusedKernel("GatedActivationGrad");
      return kernel ? kernel({ gateUp, dy }, { activation }) : [composedBackward(gateUp!, dy, activation)];
    },
  );
}
