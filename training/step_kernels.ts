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
