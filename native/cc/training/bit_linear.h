// BitLinear: a linear layer with ternary weights and int8 activations, forward and straight-through backward.
//
//   forward    y = float(acc) * (act_scale * weight_scale),  acc = x_int8 . w_ternary^T       (core's
//   ternary_gemm) backward   dX = dY . (weight_scale * w_ternary),  dW = dY^T . (act_scale * x_int8)
//
// Up to a few weight matrices share one quantized input (q, k, v or gate, up): their outputs, and the columns
// of dY, are concatenated. With a quantizer switched off the float values take its place, and the product is
// core's linear_rows.
#pragma once

#include <cstdint>

#include "training/weight_quantizer.h"

namespace bitnet {

struct LinearWeight {
  const float* data;  // [rows][cols], row-major latent weights
  int64_t rows;       // out features
};

struct LinearQuantizers {
  bool ternary_weights;
  bool int8_activations;
  ScaleDtype scale_dtype;
};

// What the backward products make of dY. The weights and activations that they multiply it with are ternary
// and int8 codes, exact in every precision; their scales are folded into dY before it is rounded.
//   f32    dY as it is
//   bf16   rounded to bfloat16 (half to even), sums in float32
//   int8   rounded stochastically to 127 steps of its largest value, per token for dX and per out feature for
//   dW;
//          integer sums. Needs both quantizers.
enum class BackwardPrecision : int { f32 = 0, bf16 = 1, int8 = 2 };

struct BackwardRounding {
  BackwardPrecision precision = BackwardPrecision::f32;
  uint32_t key = 0;  // of the product; see stochastic_rounding.h
};

constexpr int kMaxLinearWeights = 8;

// Tokens of one task: enough to reuse a weight panel from cache, few enough for every thread to get some.
constexpr int64_t kTokensPerTask = 64;

inline int64_t total_rows(const LinearWeight* weights, int count) {
  int64_t rows = 0;
  for (int i = 0; i < count; ++i) rows += weights[i].rows;
  return rows;
}

// x [tokens][cols] -> y [tokens][sum of rows].
void bit_linear(const float* x, int64_t tokens, int64_t cols, const LinearWeight* weights, int count,
                const LinearQuantizers& quantizers, float* y);

// dy [tokens][sum of rows] -> dx [tokens][cols] and dweights[i] [rows of i][cols]. int8 throws
// std::invalid_argument without both quantizers, and for more than kMaxInt8Depth tokens.
void bit_linear_grad(const float* x, int64_t tokens, int64_t cols, const LinearWeight* weights, int count,
                     const LinearQuantizers& quantizers, const BackwardRounding& rounding, const float* dy,
                     float* dx, float* const* dweights);

}  // namespace bitnet
