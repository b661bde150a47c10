/**
 * Ops of src/ops that every forward and backward pass runs: where the backend has fused kernels, these. The loss and the
 * optimizer have their own.
 */
export const stepKernels = [
  "BitLinear",
  "BitLinearGrad",
  "RMSNorm",
  "RMSNormGrad",
  "CausalAttention",
  "CausalAttentionGrad",
  "EmbeddingGather",
  "EmbeddingGatherGrad",
];
