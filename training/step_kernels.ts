/** Ops of src/ops that every forward and backward pass runs: where the backend has fused kernels, these. */
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
];
