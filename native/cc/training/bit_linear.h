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

constexpr int kMaxLinearWeights = 8;

// x [tokens][cols] -> y [tokens][sum of rows].
void bit_linear(const float* x, int64_t tokens, int64_t cols, const LinearWeight* weights, int count,
                const LinearQuantizers& quantizers, float* y);

// dy [tokens][sum of rows] -> dx [tokens][cols] and dweights[i] [rows of i][cols].
void bit_linear_grad(const float* x, int64_t tokens, int64_t cols, const LinearWeight* weights, int count,
                     const LinearQuantizers& quantizers, const float* dy, float* dx, float* const* dweights);

}  // namespace bitnet
