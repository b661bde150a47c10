// BitLinear: a linear layer with ternary weights and int8 activations, forward and straight-through backward.
//
//   forward    y = float(acc) * (act_scale * weight_scale),  acc = x_int8 . w_ternary^T   (ternary_gemm)
//   backward   dX = dY . (weight_scale * w_ternary),  dW = dY^T . (act_scale * x_int8)
//
// weight_scale is one of the matrix, or one of the row (the out feature). Where spans of a row have their own,
// y is a chain over the spans (ternary_gemm), and dX as if the weights were the values that they stand for. dW is the gradient of the
// dequantized weights weight_scale * w_ternary, which a straight-through quantizer hands on to the latent.
//
// Up to a few weight matrices share one quantized input (q, k, v or gate, up): their outputs, and the columns
// of dY, are concatenated. With a quantizer switched off the float values take its place, and the product is
// core's linear_rows.
#pragma once

#include <cstdint>

#include "core/activation_quantizer.h"
#include "core/kernels.h"
#include "training/arena.h"
#include "training/backward_precision.h"
#include "training/gated_activation.h"
#include "training/weight_quantizer.h"

namespace bitnet {

struct LinearQuantizers {
  WeightSource weights;
  ActivationQuantizer activations;
  ScaleDtype scale_dtype;

  bool ternary_weights() const { return weights != WeightSource::values; }
  // The product is one of integers.
  bool both() const { return ternary_weights() && activations.quantizes(); }
};

struct BackwardRounding {
  BackwardPrecision precision = BackwardPrecision::f32;
  uint32_t key = 0;  // of the product's random numbers; see TrainingLoops::round_stochastic
};

constexpr int kMaxLinearWeights = 8;

// Tokens of one task: enough to reuse a weight panel from cache, few enough for every thread to get some.
constexpr int64_t kTokensPerTask = 64;

inline int64_t total_rows(const LinearWeight* weights, int count) {
  int64_t rows = 0;
  for (int i = 0; i < count; ++i) rows += weights[i].rows;
  return rows;
}

// Codes with the packed copy that the variant wants, if it wants one, made on this thread.
CodeRows packed_codes(CodeRows rows, int64_t cols, ArenaScope& scope);

// What a product takes in: x itself, or x after the activation, RMSNorm and Hadamard transform that stand
// before it. They are computed row by row on the way into the product and again in the backward pass, so that
// none is ever stored.
struct LinearInput {
  const float* x;  // [tokens][cols]; with a gate [tokens][2 * cols], rows gate | up
  InputActivation activation = InputActivation::none;
  const float* gain = nullptr;  // [cols], of RMSNorm; null: no norm
  float epsilon = 0.0f;
  bool hadamard = false;

  int64_t width(int64_t cols) const { return is_gate(activation) ? 2 * cols : cols; }
  bool is_plain() const { return activation == InputActivation::none && !gain && !hadamard; }
  // Row t after the activation alone: in place, or computed into `scratch`.
  const float* activated(int64_t t, int64_t cols, float* scratch) const;
  // What stands between the activation and the product, of one row: in place, or computed into `scratch`.
  const float* normed(const float* activated, int64_t cols, float* scratch) const;
  // Row t as the product sees it: in place, or computed into `scratch` (cols floats).
  const float* row(int64_t t, int64_t cols, float* scratch) const;
  // All rows [tokens][cols]: x itself if it is plain.
  const float* rows(int64_t tokens, int64_t cols, ArenaScope& scope) const;
};

// The scales of a quantized product. The forward pass writes them for the backward pass, which would read x
// and the weights once more to find them.
struct LinearScales {
  float* activations;  // [tokens]
  float* weights;      // weight_scale_floats of each weight, one after the other

  static int64_t size(const LinearWeight* weights, int count, int64_t cols, WeightSource source,
                      int64_t tokens) {
    int64_t floats = tokens;
    for (int i = 0; i < count; ++i) floats += weight_scale_floats(weights[i], cols, source);
    return floats;
  }
  static LinearScales in(float* memory, int64_t tokens) { return {memory, memory + tokens}; }
};

// input -> y [tokens][sum of rows], plus `residual` of the same shape if there is one (y = product +
// residual). Writes `scales` if given, which needs both quantizers.
void bit_linear(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights,
                int count, const LinearQuantizers& quantizers, const float* residual, float* y,
                const LinearScales* scales = nullptr);

struct LinearGradients {
  float* dx;               // [tokens][input.width]
  float* dgain;            // [cols]; unused without a norm
  float* const* dweights;  // [rows of i][cols]
};

// dy [tokens][sum of rows] -> gradients, with the `scales` that bit_linear wrote if they were kept. int8
// throws std::invalid_argument without both quantizers, and for more than kMaxInt8Depth tokens.
void bit_linear_grad(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights,
                     int count, const LinearQuantizers& quantizers, const BackwardRounding& rounding,
                     const float* dy, const LinearGradients& gradients, const LinearScales* scales = nullptr);

}  // namespace bitnet
