/**
 * Native versions of the plain tfjs kernels that models spend their time in. Each handles the common float32 cases and
 * leaves the rest (other types, unusual broadcasts, empty tensors) to the cpu backend's kernel of the same name.
 */
import type * as tf from "@tensorflow/tfjs";
import type { NativeBackend } from "../native_backend.ts";
import { elementwiseOverrides } from "./plain_elementwise.ts";
import { matmulOverrides } from "./plain_matmul.ts";
import type { PlainOverride } from "./plain_override.ts";
import { reshapingOverrides } from "./plain_reshaping.ts";
import { rowOverrides } from "./plain_rows.ts";

/**
 * Kernel functions by name: native where an override takes the case, cpu otherwise.
 * @param cpuKernels the cpu backend's kernels, the fallbacks.
 */
export function plainKernels(cpuKernels: tf.KernelConfig[]): Map<string, tf.KernelFunc> {
  const fallbacks = new Map(cpuKernels.map((config) => [config.kernelName, config.kernelFunc]));
  const kernels = new Map<string, tf.KernelFunc>();
  const overrides = { ...elementwiseOverrides, ...rowOverrides, ...matmulOverrides, ...reshapingOverrides };
  for (const [name, override] of Object.entries<PlainOverride>(overrides)) {
    const fallback = fallbacks.get(name);
    if (!fallback) continue;
    kernels.set(name, (parameters) => {
      const { inputs, attrs, backend } = parameters;
      return override(inputs as never, (attrs ?? {}) as never, backend as NativeBackend) ?? fallback(parameters);
    });
  }
  return kernels;
}
