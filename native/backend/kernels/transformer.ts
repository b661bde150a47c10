/** RMSNorm, causal attention, activations and the Hadamard transform, with their gradients. */
import type * as tf from "@tensorflow/tfjs";
import type { HiddenAct } from "../../../src/config/model_config.ts";
import type { NativeBackend } from "../native_backend.ts";
import type { AttentionArguments } from "../training_addon.ts";
import { lastDimension, type NativeKernel, requireInput } from "./kernel.ts";

export interface RmsNormAttributes {
  epsilon: number;
}

export interface AttentionAttributes {
  heads: number;
  kvHeads: number;
  headDim: number;
  ropeTheta: number;
  /** headDim / 2; none: all 1. */
  ropeFactors?: readonly number[];
  /** Default 1. */
  ropeMagnitude?: number;
  /** Positions that a query sees, itself included; 0, the default: all. */
  window?: number;
}

export interface HeadNormAttributes {
  heads: number;
  kvHeads: number;
  headDim: number;
  epsilon: number;
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

/** {qkv [B, T, (heads + 2 kvHeads) headDim], qGain [headDim], kGain [headDim]} -> the same shape as qkv. */
export const headNorm: NativeKernel<HeadNormAttributes> = {
  name: "HeadNorm",
  run({ qkv, qGain, kGain }, { heads, kvHeads, headDim, epsilon }, backend: NativeBackend): tf.TensorInfo {
    const y = backend.allocate(qkv.shape);
    const gains = [backend.floats(qGain), backend.floats(kGain)] as const;
    backend.addon.headNorm(backend.floats(qkv), ...gains, heads, kvHeads, headDim, epsilon, y.values);
    return y.info;
  },
};

/** {qkv, qGain, kGain, dy} -> [dqkv, dqGain, dkGain]. */
export const headNormGrad: NativeKernel<HeadNormAttributes> = {
  name: "HeadNormGrad",
  run({ qkv, qGain, kGain, dy }, { heads, kvHeads, headDim, epsilon }, backend: NativeBackend): tf.TensorInfo[] {
    const [dqkv, dqGain, dkGain] = [qkv, qGain, kGain].map(({ shape }) => backend.allocate(shape));
    const inputs = [backend.floats(qkv), backend.floats(qGain), backend.floats(kGain)] as const;
    const outputs = [dqkv.values, dqGain.values, dkGain.values] as const;
    backend.addon.headNormGrad(...inputs, heads, kvHeads, headDim, epsilon, backend.floats(dy), ...outputs);
    return [dqkv.info, dqGain.info, dkGain.info];
  },
};

function attentionShape(kernel: string, qkv: tf.TensorInfo, attributes: AttentionAttributes) {
  const { heads, kvHeads, headDim, ropeTheta, ropeFactors = [], ropeMagnitude = 1, window = 0 } = attributes;
  const width = (heads + 2 * kvHeads) * headDim;
  requireInput(
    qkv.shape.length === 3 && qkv.shape[2] === width,
    kernel,
    () => `qkv must be [batch, length, ${width}], got [${qkv.shape}]`,
  );
  const [batch, length] = qkv.shape;
  const rotary = [ropeTheta, Float32Array.from(ropeFactors), ropeMagnitude] as const;
  const sizes: AttentionArguments = [batch, length, heads, kvHeads, headDim, ...rotary, window];
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
