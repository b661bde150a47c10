/** Registration of the backend "native": the cpu backend's kernels, native overrides, fused training kernels. */
import * as tf from "@tensorflow/tfjs";
import { loadAddon } from "../addon.ts";
import { recordKernel } from "./kernel_log.ts";
import { bitLinear, bitLinearGrad, ternaryCodes } from "./kernels/bit_linear.ts";
import { concatColumns, splitColumns } from "./kernels/columns.ts";
import type { Inputs, NativeKernel } from "./kernels/kernel.ts";
import { adamWStep, globalNormSquared } from "./kernels/optimizer.ts";
import { plainKernels } from "./kernels/plain.ts";
import {
  causalAttention,
  causalAttentionGrad,
  gatedActivation,
  gatedActivationGrad,
  hadamard,
  headNorm,
  headNormGrad,
  rmsNorm,
  rmsNormGrad,
  squaredRelu,
  squaredReluGrad,
} from "./kernels/transformer.ts";
import {
  embeddingGather,
  embeddingGatherGrad,
  headLogits,
  headLogProbs,
  headLogProbsGrad,
  roundToDtype,
} from "./kernels/vocabulary.ts";
import { backendName, NativeBackend } from "./native_backend.ts";

/** Above webgl (2) and cpu (1): tfjs's own automatic choice prefers it too. */
const priority = 10;

// Attributes differ by kernel; tfjs passes them through untyped.
const fusedKernels = [
  bitLinear,
  bitLinearGrad,
  ternaryCodes,
  rmsNorm,
  rmsNormGrad,
  headNorm,
  headNormGrad,
  causalAttention,
  causalAttentionGrad,
  gatedActivation,
  gatedActivationGrad,
  squaredRelu,
  squaredReluGrad,
  hadamard,
  concatColumns,
  splitColumns,
  roundToDtype,
  embeddingGather,
  embeddingGatherGrad,
  headLogits,
  headLogProbs,
  headLogProbsGrad,
  adamWStep,
  globalNormSquared,
] as unknown as NativeKernel[];

/** Names of the fused kernels that the model's operations look up. */
export const fusedKernelNames: readonly string[] = fusedKernels.map((kernel) => kernel.name);

function registerFused(kernel: NativeKernel): void {
  tf.registerKernel({
    kernelName: kernel.name,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      recordKernel(kernel.name);
      return kernel.run(inputs as unknown as Inputs, attrs ?? {}, backend as NativeBackend);
    },
  });
}

/**
 * Registers "native" in tfjs; `tf.setBackend("native")` then uses it. A second call does nothing.
 * @throws {NativeUnavailableError} if the addon is missing, with what to do.
 */
export function registerNativeBackend(): void {
  if (tf.findBackendFactory(backendName)) return;
  const addon = loadAddon();
  tf.registerBackend(backendName, () => new NativeBackend(addon), priority);
  const overrides = plainKernels(tf.getKernelsForBackend("cpu"));
  for (const config of tf.getKernelsForBackend("cpu")) {
    tf.registerKernel({ ...config, backendName, kernelFunc: overrides.get(config.kernelName) ?? config.kernelFunc });
  }
  for (const kernel of fusedKernels) registerFused(kernel);
}
