/** What computes a run: named in its metrics, so that slower code cannot run unseen. */

export interface ComputeInfo {
  backend: string;
  threads: number;
  /** Kernel variant that is expected to run. */
  variant: string;
  /** Name of the CPU. */
  cpu: string;
  /** What the CPU has beyond its architecture's minimum (`avx512vnni` ...); empty where our kernels do not run. */
  features: readonly string[];
  /** Kernel variant that ran since the last call, and which of the `required` fused kernels did not run. */
  kernel(required: readonly string[]): string;
}

/** Ops of src/ops that every training step runs: where the backend has fused kernels, these. */
export const stepKernels = [
  "BitLinear",
  "BitLinearGrad",
  "RMSNorm",
  "RMSNormGrad",
  "CausalAttention",
  "CausalAttentionGrad",
  "EmbeddingGather",
  "EmbeddingGatherGrad",
  "HeadLogProbsGrad",
  "AdamWStep",
  "GlobalNormSquared",
];
