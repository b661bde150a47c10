/** RMSNorm, causal attention, activations and the Hadamard transform, with their gradients. */
import type * as tf from "@tensorflow/tfjs";
import type { HiddenAct } from "../../../src/config/model_config.ts";
import type { NativeBackend } from "../native_backend.ts";
import { lastDimension, type NativeKernel, requireInput } from "./kernel.ts";

export interface RmsNormAttributes {
  epsilon: number;
}

export interface AttentionAttributes {
  heads: number;
  kvHeads: number;
  headDim: number;
  ropeTheta: number;
}

/** {x [..., n], gain [n]} -> [..., n]. */
export const rmsNorm: NativeKernel<RmsNormAttributes> = {
  name: "RMSNorm",
  run({ x, gain }, { epsilon }, backend: NativeBackend): tf.TensorInfo {
    requireInput(gain.shape[0] === lastDimension(x), "RMSNorm", () => `gain [${gain.shape}] for x [${x.shape}]`);
    const y = backend.allocate(x.shape);
    backend.addon.rmsNorm(backend.floats(x), backend.floats(gain), epsilon, y.values);
    return y.info;
  },
};

/** {x, gain, dy} -> [dx, dgain]. */
export const rmsNormGrad: NativeKernel<RmsNormAttributes> = {
  name: "RMSNormGrad",
  run({ x, gain, dy }, { epsilon }, backend: NativeBackend): tf.TensorInfo[] {
    const dx = backend.allocate(x.shape);
    const dgain = backend.allocate(gain.shape);
    backend.addon.rmsNormGrad(
      backend.floats(x),
      backend.floats(gain),
      backend.floats(dy),
      epsilon,
      dx.values,
      dgain.values,
    );
    return [dx.info, dgain.info];
  },
};

function attentionShape(kernel: string, qkv: tf.TensorInfo, attributes: AttentionAttributes) {
  const { heads, kvHeads, headDim, ropeTheta } = attributes;
  const width = (heads + 2 * kvHeads) * headDim;
  requireInput(
    qkv.shape.length === 3 && qkv.shape[2] === width,
    kernel,
    () => `qkv must be [batch, length, ${width}], got [${qkv.shape}]`,
  );
  const [batch, length] = qkv.shape;
  const sizes: [number, number, number, number, number, number] = [batch, length, heads, kvHeads, headDim, ropeTheta];
  return { batch, length, sizes };
}

/** {qkv [B, T, (heads + 2 kvHeads) headDim]} -> [out [B, T, heads headDim], logSum [B, heads, T]]. */
export const causalAttention: NativeKernel<AttentionAttributes> = {
  name: "CausalAttention",
  run({ qkv }, attributes, backend: NativeBackend): tf.TensorInfo[] {
    const { batch, length, sizes } = attentionShape("CausalAttention", qkv, attributes);
    const out = backend.allocate([batch, length, attributes.heads * attributes.headDim]);
    const logSum = backend.allocate([batch, attributes.heads, length]);
    backend.addon.causalAttention(backend.floats(qkv), ...sizes, out.values, logSum.values);
    return [out.info, logSum.info];
  },
};

/** {qkv (before rotary), out, logSum, dy [B, T, heads headDim]} -> dqkv. */
export const causalAttentionGrad: NativeKernel<AttentionAttributes> = {
  name: "CausalAttentionGrad",
  run({ qkv, out, logSum, dy }, attributes, backend: NativeBackend): tf.TensorInfo {
    const { sizes } = attentionShape("CausalAttentionGrad", qkv, attributes);
    const dqkv = backend.allocate(qkv.shape);
    const saved = [backend.floats(out), backend.floats(logSum), backend.floats(dy)] as const;
    backend.addon.causalAttentionGrad(backend.floats(qkv), ...sizes, ...saved, dqkv.values);
    return dqkv.info;
  },
};

export interface GatedActivationAttributes {
  activation: HiddenAct;
}

/** {gateUp [..., 2 F]} -> [..., F]. */
export const gatedActivation: NativeKernel<GatedActivationAttributes> = {
  name: "GatedActivation",
  run({ gateUp }, { activation }, backend: NativeBackend): tf.TensorInfo {
    const width = lastDimension(gateUp);
    requireInput(width % 2 === 0, "GatedActivation", () => `the last dimension of [${gateUp.shape}] is odd`);
    const y = backend.allocate([...gateUp.shape.slice(0, -1), width / 2]);
    backend.addon.gatedActivation(backend.floats(gateUp), width / 2, activation, y.values);
    return y.info;
  },
};

/** {gateUp [..., 2 F], dy [..., F]} -> dgateUp. */
export const gatedActivationGrad: NativeKernel<GatedActivationAttributes> = {
  name: "GatedActivationGrad",
  run({ gateUp, dy }, { activation }, backend: NativeBackend): tf.TensorInfo {
    const dgateUp = backend.allocate(gateUp.shape);
    backend.addon.gatedActivationGrad(
      backend.floats(gateUp),
      backend.floats(dy),
      lastDimension(gateUp) / 2,
      activation,
      dgateUp.values,
    );
    return dgateUp.info;
  },
};

/** {x} -> max(x, 0)^2. */
export const squaredRelu: NativeKernel = {
  name: "SquaredRelu",
  run({ x }, _, backend: NativeBackend): tf.TensorInfo {
    const y = backend.allocate(x.shape);
    backend.addon.squaredRelu(backend.floats(x), y.values);
    return y.info;
  },
};

/** {x, dy} -> dx. */
export const squaredReluGrad: NativeKernel = {
  name: "SquaredReluGrad",
  run({ x, dy }, _, backend: NativeBackend): tf.TensorInfo {
    const dx = backend.allocate(x.shape);
    backend.addon.squaredReluGrad(backend.floats(x), backend.floats(dy), dx.values);
    return dx.info;
  },
};

/** {x [..., n]} -> [..., n]. */
export const hadamard: NativeKernel = {
  name: "Hadamard",
  run({ x }, _, backend: NativeBackend): tf.TensorInfo {
    const y = backend.allocate(x.shape);
    backend.addon.hadamard(backend.floats(x), lastDimension(x), y.values);
    return y.info;
  },
};
