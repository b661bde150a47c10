// Causal grouped-query attention with rotary embedding, forward (core's attention) and backward.
//
// A row of qkv is [q heads | k heads | v heads]; q and k are rotated at positions 0 .. length - 1 inside.
// Query head h attends to key / value head h / (heads / kv_heads). Nothing of size length x length outlives a
// block of queries.
//
//   backward, from P = exp(S - log_sum) and delta = sum_d dO . O:
//     dV = P^T dO
//     dS = P (dO V^T - delta) * scale
//     dQ = dS K,   dK = dS^T Q,   then the inverse rotation of both
#pragma once

#include <cstdint>
#include <vector>

#include "core/rope_table.h"

namespace bitnet {

struct AttentionShape {
  int64_t batch;
  int64_t length;
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
  double rope_theta;
  std::vector<float> rope_factors{};  // of core/rope_table.h
  float rope_magnitude = 1.0f;
  int64_t window = 0;  // positions that a query sees, itself included; 0: all

  int64_t qkv_width() const { return (heads + 2 * kv_heads) * head_dim; }
  int64_t out_width() const { return heads * head_dim; }
  Rope rope() const { return {head_dim, rope_theta, rope_factors, rope_magnitude}; }
};

// qkv [batch][length][qkv_width] -> out [batch][length][out_width], log_sum [batch][heads][length].
void causal_attention(const float* qkv, const AttentionShape& shape, float* out, float* log_sum);

// dout [batch][length][out_width] -> dqkv [batch][length][qkv_width]. Each key / value head's gradient sums
// its query heads in order.
void causal_attention_grad(const float* qkv, const float* out, const float* log_sum, const float* dout,
                           const AttentionShape& shape, float* dqkv);

}  // namespace bitnet
