// Backward of BitLinear in its three precisions.
#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "core/gemm_bf16.h"
#include "core/gemm_f32.h"
#include "core/gemm_i8.h"
#include "core/kernels.h"
#include "core/ternary_panel.h"
#include "training/arena.h"
#include "training/bit_linear.h"
#include "training/loops.h"
#include "training/partition.h"
#include "training/rms_norm.h"

namespace bitnet {
namespace {

// All weights, stacked: ternary codes [rows][cols] and the scale of each row.
struct TernaryWeights {
  int8_t* codes;
  float* row_scale;
};

TernaryWeights ternarize(const LinearWeight* weights, int count, int64_t cols, ScaleDtype dtype,
                         ArenaScope& scope) {
  const Kernels& kernels = active_kernels();
  const int64_t rows = total_rows(weights, count);
  const TernaryWeights result{scope.codes(rows * cols), scope.floats(rows)};
  int64_t first = 0;
  for (int i = 0; i < count; first += weights[i].rows, ++i) {
    const float* data = weights[i].data;
    const WeightScale scale = weight_scale(data, weights[i].rows, cols, dtype);
    parallel_chunks(weights[i].rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
      kernels.ternarize(data + begin * cols, (end - begin) * cols, scale.inverse,
                        result.codes + (first + begin) * cols);
    });
    std::fill_n(result.row_scale + first, weights[i].rows, scale.multiplier);
  }
  return result;
}

const float* stacked_floats(const LinearWeight* weights, int count, int64_t cols, ArenaScope& scope) {
  if (count == 1) return weights[0].data;
  float* stacked = scope.floats(total_rows(weights, count) * cols);
  float* next = stacked;
  for (int i = 0; i < count; next += weights[i].rows * cols, ++i) {
    std::memcpy(next, weights[i].data, static_cast<size_t>(weights[i].rows * cols) * sizeof(float));
  }
  return stacked;
}

// int8 codes of the activations [tokens][stride] and the scale of each token.
struct ActivationCodes {
  int8_t* codes;
  int64_t stride;
  float* scale;
};

ActivationCodes quantize(const LinearInput& input, int64_t tokens, int64_t cols, ArenaScope& scope) {
  const Kernels& kernels = active_kernels();
  const int64_t stride = padded_cols(cols);
  const ActivationCodes result{scope.codes(tokens * stride), stride, scope.floats(tokens)};
  parallel_chunks(tokens, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    ArenaScope task_scope;
    float* scratch = task_scope.floats(cols);
    for (int64_t t = begin; t < end; ++t) {
      int32_t code_sum;
      kernels.quantize_row(input.row(t, cols, scratch), cols, result.codes + t * stride, result.scale + t,
                           &code_sum);
    }
  });
  return result;
}

// ---- float products
// ----------------------------------------------------------------------------------------

// The weights that dX multiplies: codes with a scale per row, or floats.
GemmOperand weight_operand(const LinearWeight* weights, int count, int64_t cols,
                           const LinearQuantizers& quantizers, const float** row_scale, ArenaScope& scope) {
  if (!quantizers.ternary_weights) return {stacked_floats(weights, count, cols, scope), cols, 1};
  const TernaryWeights ternary = ternarize(weights, count, cols, quantizers.scale_dtype, scope);
  *row_scale = ternary.row_scale;
  return {ternary.codes, cols, 1, GemmType::i8};
}

// The activations that dW multiplies: codes with a scale per token, or floats.
GemmOperand activation_operand(const LinearInput& input, int64_t tokens, int64_t cols,
                               const LinearQuantizers& quantizers, const float** token_scale,
                               ArenaScope& scope) {
  if (!quantizers.int8_activations) return {input.rows(tokens, cols, scope), cols, 1};
  const ActivationCodes codes = quantize(input, tokens, cols, scope);
  *token_scale = codes.scale;
  return {codes.codes, codes.stride, 1, GemmType::i8};
}

void float_grad(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights,
                int count, const LinearQuantizers& quantizers, const float* dy, float* dx,
                float* const* dweights) {
  const int threads = training_threads();
  const int64_t rows = total_rows(weights, count);
  {
    ArenaScope scope;
    const float* row_scale = nullptr;
    GemmOperand w = weight_operand(weights, count, cols, quantizers, &row_scale, scope);
    w.row_scale = row_scale;
    gemm_f32(threads, tokens, cols, rows, {dy, rows, 1}, w, dx, cols, false);
  }
  ArenaScope scope;
  const float* token_scale = nullptr;
  GemmOperand activations = activation_operand(input, tokens, cols, quantizers, &token_scale, scope);
  activations.row_scale = token_scale;
  for (int i = 0; i < count; dy += weights[i].rows, ++i) {
    gemm_f32(threads, weights[i].rows, cols, tokens, {dy, 1, rows}, activations, dweights[i], cols, false);
  }
}

// The scales are folded into dY, the only operand that loses bits where the other one holds codes.
void bf16_grad(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights, int count,
               const LinearQuantizers& quantizers, const float* dy, float* dx, float* const* dweights) {
  const int threads = training_threads();
  const int64_t rows = total_rows(weights, count);
  const auto packed = [&](const GemmOperand& operand, int64_t depth, ArenaScope& scope) {
    uint8_t* memory = static_cast<uint8_t*>(scope.bytes(bf16_right_bytes(depth, cols)));
    return pack_bf16_right(threads, operand, depth, cols, memory);
  };
  {
    ArenaScope scope;
    GemmOperand left{dy, rows, 1};
    const GemmOperand w = weight_operand(weights, count, cols, quantizers, &left.col_scale, scope);
    gemm_bf16(threads, tokens, left, packed(w, rows, scope), dx, cols, false);
  }
  ArenaScope scope;
  GemmOperand left{dy, 1, rows};
  const Bf16Right activations =
      packed(activation_operand(input, tokens, cols, quantizers, &left.col_scale, scope), tokens, scope);
  for (int i = 0; i < count; dy += weights[i].rows, ++i) {
    left.data = dy;
    gemm_bf16(threads, weights[i].rows, left, activations, dweights[i], cols, false);
  }
}

// ---- integer products
// --------------------------------------------------------------------------------------

// The transposed weights as the operand of ternary_gemm: dX = dY . W is a forward product with W^T.
TernaryPanel transposed_panel(const int8_t* codes, int64_t rows, int64_t cols, ArenaScope& scope) {
  uint8_t* panel = static_cast<uint8_t*>(scope.bytes(panel_bytes(cols, rows)));
  parallel_chunks(panel_groups(cols), 1, [&](int64_t group, int64_t) {
    ArenaScope task_scope;
    const int64_t first = group * kPanelRows, lanes = std::min(kPanelRows, cols - first);
    int8_t* turned = task_scope.codes(lanes * rows);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t i = 0; i < lanes; ++i) turned[i * rows + row] = codes[row * cols + first + i];
    }
    pack_panel(turned, rows, lanes, rows, 0, 1, panel + group * panel_group_bytes(rows));
  });
  return {panel, cols, rows, 1.0f};
}

// Tokens whose dY one task rounds.
constexpr int64_t kRoundedTokens = 16;

// 127 steps for the largest value; nothing to round where it vanishes. NaN and infinity stay in the scale.
struct StepSize {
  float scale, inverse;
};
StepSize step_size(float largest) {
  if (largest < 1e-30f) return {0.0f, 0.0f};
  return {largest / 127.0f, largest > 0.0f ? 127.0f / largest : 0.0f};
}

void integer_grad(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights,
                  int count, ScaleDtype scale_dtype, uint32_t key, const float* dy, float* dx,
                  float* const* dweights) {
  const Kernels& kernels = active_kernels();
  const TrainingLoops& loops = active_loops();
  ArenaScope scope;
  const int64_t rows = total_rows(weights, count);
  const TernaryWeights ternary = ternarize(weights, count, cols, scale_dtype, scope);
  const ActivationCodes activations = quantize(input, tokens, cols, scope);

  // Largest values, per token with the weight scales and per out feature with the activation scales.
  const int64_t tasks = (tokens + kTokensPerTask - 1) / kTokensPerTask;
  float* row_max = scope.floats(tokens);
  float* column_max = scope.floats(tasks * rows);
  parallel_chunks(tokens, kTokensPerTask, [&](int64_t begin, int64_t end) {
    float* columns = column_max + begin / kTokensPerTask * rows;
    std::fill_n(columns, rows, 0.0f);
    loops.scaled_abs_max(dy + begin * rows, end - begin, rows, ternary.row_scale, activations.scale + begin,
                         row_max + begin, columns);
  });
  float* column_scale = scope.floats(rows);
  float* column_inverse = scope.floats(rows);
  for (int64_t n = 0; n < rows; ++n) {
    float largest = 0.0f;
    for (int64_t i = 0; i < tasks; ++i) {
      const float value = column_max[i * rows + n];
      largest = largest >= value || largest != largest ? largest : value;
    }
    const StepSize step = step_size(largest);
    column_scale[n] = step.scale;
    column_inverse[n] = step.inverse;
  }

  // The codes for dX of a token lie in one row, those for dW in one part per weight.
  const int64_t stride = padded_cols(rows);
  int64_t feature_stride = 0;
  for (int i = 0; i < count; ++i) feature_stride += padded_cols(weights[i].rows);
  int8_t* token_codes = scope.codes(tokens * stride);
  int8_t* feature_codes = scope.codes(tokens * feature_stride);
  float* token_scale = scope.floats(tokens);
  int32_t* code_sum = scope.ints(tokens);
  parallel_chunks(tokens, kRoundedTokens, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const StepSize step = step_size(row_max[t]);
      int8_t* by_token = token_codes + t * stride;
      int8_t* by_feature = feature_codes + t * feature_stride;
      token_scale[t] = step.scale;
      code_sum[t] = 0;
      int64_t first = 0;
      for (int i = 0; i < count; first += weights[i].rows, ++i) {
        const int64_t n = weights[i].rows, padded = padded_cols(n);
        code_sum[t] += loops.round_stochastic(
            dy + t * rows + first, n, ternary.row_scale + first, step.inverse, column_inverse + first,
            activations.scale[t], key, static_cast<uint32_t>(t * rows + first), by_token + first, by_feature);
        std::fill(by_feature + n, by_feature + padded, int8_t{0});
        by_feature += padded;
      }
      std::fill(by_token + rows, by_token + stride, int8_t{0});
    }
  });
  if (kernels.int8_panels) {
    gemm_i8_rows(training_threads(), tokens, cols, rows, token_codes, stride, ternary.codes, cols,
                 token_scale, dx, cols);
  } else {
    const TernaryPanel panel = transposed_panel(ternary.codes, rows, cols, scope);
    parallel_chunks(tokens, kTokensPerTask, [&](int64_t begin, int64_t end) {
      ArenaScope task_scope;
      const CodeRows block = packed_codes(
          {token_codes + begin * stride, stride, token_scale + begin, code_sum + begin, end - begin}, rows,
          task_scope);
      kernels.ternary_gemm(panel, 0, panel_groups(cols), block, dx + begin * cols, cols);
    });
  }
  int64_t first = 0, part = 0;
  for (int i = 0; i < count; part += padded_cols(weights[i].rows), first += weights[i].rows, ++i) {
    gemm_i8(training_threads(), weights[i].rows, cols, tokens, feature_codes + part, feature_stride,
            activations.codes, activations.stride, column_scale + first, dweights[i], cols);
  }
}

// ---- what stands before the product
// ------------------------------------------------------------------------

// From the gradient of the product's input, drows [tokens][cols], back through norm and gate.
void input_grad(const LinearInput& input, int64_t tokens, int64_t cols, const float* drows, float* dx,
                float* dgain) {
  const TrainingLoops& loops = active_loops();
  const auto gate = gate_row(input.activation);
  const auto gate_grad = gate_grad_row(input.activation);
  const int64_t width = input.width(cols);
  const auto rows = [&](int64_t begin, int64_t end, float* gain_sum) {
    ArenaScope scope;
    float* gated = scope.floats(cols);
    float* dgated = scope.floats(cols);
    for (int64_t t = begin; t < end; ++t) {
      const float* x = input.x + t * width;
      float* out = dx + t * width;
      const float* upstream = drows + t * cols;
      if (!input.gated) {
        loops.rms_norm_grad_row(x, input.gain, upstream, cols, input.epsilon, out, gain_sum);
        continue;
      }
      if (input.gain) {
        gate(x, x + cols, cols, gated);
        loops.rms_norm_grad_row(gated, input.gain, upstream, cols, input.epsilon, dgated, gain_sum);
        upstream = dgated;
      }
      gate_grad(x, x + cols, upstream, cols, out, out + cols);
    }
  };
  if (input.gain) {
    sum_gain_gradients(tokens, cols, dgain, rows);
  } else {
    parallel_chunks(tokens, kGainRows, [&](int64_t begin, int64_t end) { rows(begin, end, nullptr); });
  }
}

}  // namespace

void bit_linear_grad(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights,
                     int count, const LinearQuantizers& quantizers, const BackwardRounding& rounding,
                     const float* dy, const LinearGradients& gradients) {
  ArenaScope scope;
  float* drows = input.is_plain() ? gradients.dx : scope.floats(tokens * cols);
  switch (rounding.precision) {
    case BackwardPrecision::f32:
      float_grad(input, tokens, cols, weights, count, quantizers, dy, drows, gradients.dweights);
      break;
    case BackwardPrecision::bf16:
      bf16_grad(input, tokens, cols, weights, count, quantizers, dy, drows, gradients.dweights);
      break;
    case BackwardPrecision::int8:
      if (!quantizers.ternary_weights || !quantizers.int8_activations) {
        throw std::invalid_argument("int8 backward needs ternary weights and int8 activations");
      }
      integer_grad(input, tokens, cols, weights, count, quantizers.scale_dtype, rounding.key, dy, drows,
                   gradients.dweights);
      break;
  }
  if (!input.is_plain()) input_grad(input, tokens, cols, drows, gradients.dx, gradients.dgain);
}

}  // namespace bitnet
