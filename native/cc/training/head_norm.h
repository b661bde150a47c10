// RMSNorm of each query and key head of the concatenated projections (QK norm), forward (core's rms_norm_row) and backward.
//
// A row of qkv is [q heads | k heads | v heads]; all q heads share one gain, all k heads another, v passes.
#pragma once

#include <cstdint>

namespace bitnet {

struct HeadNormShape {
  int64_t rows;
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
  float eps;

  int64_t width() const { return (heads + 2 * kv_heads) * head_dim; }
};

// qkv, y: [rows][width]; gains: [head_dim].
void head_norm(const float* qkv, const float* q_gain, const float* k_gain, const HeadNormShape& shape,
               float* y);

// dy, dqkv: [rows][width]. Gradients of the gains are summed within fixed chunks of rows, heads in order, then over the
// chunks in order.
void head_norm_grad(const float* qkv, const float* q_gain, const float* k_gain, const float* dy,
                    const HeadNormShape& shape, float* dqkv, float* dq_gain, float* dk_gain);

}  // namespace bitnet
