// Backward of BitLinear in its three precisions.
#include <algorithm>
#include <cstring>
#include <stdexcept>

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

void float_grad(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights,
                int count, const LinearQuantizers& quantizers, bool bf16, const float* dy, float* dx,
                float* dw) {
  const int threads = training_threads();
  const int64_t rows = total_rows(weights, count);
  // With bf16 the scales are folded into dY, the only operand that loses bits where the other one holds
  // codes.
  {
    ArenaScope scope;
    GemmOperand left{dy, rows, 1}, w;
    left.round_bf16 = bf16;
    if (quantizers.ternary_weights) {
      const TernaryWeights ternary = ternarize(weights, count, cols, quantizers.scale_dtype, scope);
      w = {ternary.codes, cols, 1, GemmType::i8};
      (bf16 ? left.col_scale : w.row_scale) = ternary.row_scale;
    } else {
      w = {stacked_floats(weights, count, cols, scope), cols, 1};
      w.round_bf16 = bf16;
    }
    gemm_f32(threads, tokens, cols, rows, left, w, dx, cols, false);
  }
  ArenaScope scope;
  GemmOperand left{dy, 1, rows}, activations;
  left.round_bf16 = bf16;
  if (quantizers.int8_activations) {
    const ActivationCodes codes = quantize(input, tokens, cols, scope);
    activations = {codes.codes, codes.stride, 1, GemmType::i8};
    (bf16 ? left.col_scale : activations.row_scale) = codes.scale;
  } else {
    activations = {input.rows(tokens, cols, scope), cols, 1};
    activations.round_bf16 = bf16;
  }
  gemm_f32(threads, rows, cols, tokens, left, activations, dw, cols, false);
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

// 127 steps for the largest value; nothing to round where it vanishes. NaN and infinity stay in the scale.
struct StepSize {
  float scale, inverse;
};
StepSize step_size(float largest) {
  if (largest < 1e-30f) return {0.0f, 0.0f};
  return {largest / 127.0f, largest > 0.0f ? 127.0f / largest : 0.0f};
}

void integer_grad(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights,
                  int count, ScaleDtype scale_dtype, uint32_t key, const float* dy, float* dx, float* dw) {
  const Kernels& kernels = active_kernels();
  const TrainingLoops& loops = active_loops();
  ArenaScope scope;
  const int64_t rows = total_rows(weights, count);
  const TernaryWeights ternary = ternarize(weights, count, cols, scale_dtype, scope);
  const TernaryPanel panel = transposed_panel(ternary.codes, rows, cols, scope);
  const ActivationCodes activations = quantize(input, tokens, cols, scope);

  // Largest values, per token with the weight scales and per out feature with the activation scales.
  const int64_t tasks = (tokens + kTokensPerTask - 1) / kTokensPerTask;
  float* row_max = scope.floats(tokens);
  float* column_max = scope.floats(tasks * rows);
  parallel_chunks(tokens, kTokensPerTask, [&](int64_t begin, int64_t end) {
    float* columns = column_max + begin / kTokensPerTask * rows;
    std::fill_n(columns, rows, 0.0f);
    for (int64_t t = begin; t < end; ++t) {
      row_max[t] =
          loops.scaled_abs_max(dy + t * rows, ternary.row_scale, activations.scale[t], rows, columns);
    }
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

  const int64_t stride = padded_cols(rows);
  int8_t* column_codes = scope.codes(tokens * stride);
  parallel_chunks(tokens, kTokensPerTask, [&](int64_t begin, int64_t end) {
    ArenaScope task_scope;
    int8_t* codes = task_scope.codes((end - begin) * stride);
    float* scale = task_scope.floats(end - begin);
    int32_t* code_sum = task_scope.ints(end - begin);
    for (int64_t t = begin; t < end; ++t) {
      const StepSize step = step_size(row_max[t]);
      int8_t* token_codes = codes + (t - begin) * stride;
      int8_t* feature_codes = column_codes + t * stride;
      scale[t - begin] = step.scale;
      code_sum[t - begin] = loops.round_stochastic(
          dy + t * rows, rows, ternary.row_scale, step.inverse, column_inverse, activations.scale[t], key,
          static_cast<uint32_t>(t * rows), token_codes, feature_codes);
      std::fill(token_codes + rows, token_codes + stride, int8_t{0});
      std::fill(feature_codes + rows, feature_codes + stride, int8_t{0});
    }
    const CodeRows token_rows = packed_codes({codes, stride, scale, code_sum, end - begin}, rows, task_scope);
    kernels.ternary_gemm(panel, 0, panel_groups(cols), token_rows, dx + begin * cols, cols);
  });
  gemm_i8(training_threads(), rows, cols, tokens, column_codes, stride, activations.codes, activations.stride,
          column_scale, dw, cols);
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
  float* stacked = count == 1 ? gradients.dweights[0] : scope.floats(total_rows(weights, count) * cols);
  if (rounding.precision == BackwardPrecision::int8) {
    if (!quantizers.ternary_weights || !quantizers.int8_activations) {
      throw std::invalid_argument("int8 backward needs ternary weights and int8 activations");
    }
    integer_grad(input, tokens, cols, weights, count, quantizers.scale_dtype, rounding.key, dy, drows,
                 stacked);
  } else {
    float_grad(input, tokens, cols, weights, count, quantizers, rounding.precision == BackwardPrecision::bf16,
               dy, drows, stacked);
  }
  for (int i = 0; i < count && count > 1; stacked += weights[i].rows * cols, ++i) {
    std::memcpy(gradients.dweights[i], stacked, static_cast<size_t>(weights[i].rows * cols) * sizeof(float));
  }
  if (!input.is_plain()) input_grad(input, tokens, cols, drows, gradients.dx, gradients.dgain);
}

}  // namespace bitnet
