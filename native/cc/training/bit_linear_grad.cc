// Backward of BitLinear in its three precisions.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "core/gemm_bf16.h"
#include "core/gemm_f32.h"
#include "core/gemm_i8.h"
#include "core/kernels.h"
#include "core/ternary_panel.h"
#include "training/arena.h"
#include "training/bit_linear.h"
#include "training/input_grad.h"
#include "training/loops.h"
#include "training/partition.h"
#include "training/rms_norm.h"

namespace bitnet {
namespace {

// The arguments of bit_linear_grad, and memory for the gradient of the product's input [tokens][cols]: dx if
// the input is plain.
struct LinearCall {
  const LinearInput& input;
  int64_t tokens, cols;
  const LinearWeight* weights;
  int count;
  const LinearQuantizers& quantizers;
  const float* dy;
  const LinearGradients& gradients;
  float* drows;
  const LinearScales* scales;  // null: not kept
};

// All weights, stacked: codes [rows][cols] and the scale of each row. Codes are ternary values; where spans of a
// row have scales of their own, the ternary value times rint(127 * scale / largest scale of the row).
struct WeightCodes {
  int8_t* codes;
  float* row_scale;
  bool ternary;
};

// The scales of weight i. `memory` is room for those that were not kept.
WeightScales scales_of(const LinearCall& call, int i, ArenaScope& memory) {
  const WeightSource source = call.quantizers.weights;
  if (!call.scales) {
    return weight_scales(call.weights[i], call.cols, source, call.quantizers.scale_dtype,
                         memory.floats(weight_scale_floats(call.weights[i], call.cols, source)));
  }
  const float* kept = call.scales->weights;
  for (int n = 0; n < i; ++n) kept += weight_scale_floats(call.weights[n], call.cols, source);
  return kept_weight_scales(call.weights[i], call.cols, source, kept);
}

// Steps of a span's scale for the largest one of its row.
constexpr float kScaleSteps = 127.0f;

// Codes of one row with spans, in place of its ternary values; returns the scale of the row.
float fold_span_scales(const float* scales, int64_t spans, int64_t span_cols, int8_t* codes) {
  float largest = 0.0f;
  for (int64_t s = 0; s < spans; ++s) {
    largest = largest >= scales[s] || largest != largest ? largest : scales[s];  // NaN stays
  }
  for (int64_t s = 0; s < spans; ++s, codes += span_cols) {
    const float steps = std::rint(scales[s] / largest * kScaleSteps);
    const int8_t factor = steps >= 1.0f ? static_cast<int8_t>(steps) : int8_t{0};
    for (int64_t i = 0; i < span_cols; ++i) codes[i] = static_cast<int8_t>(codes[i] * factor);
  }
  return largest / kScaleSteps;
}

WeightCodes stacked_codes(const LinearCall& call, ArenaScope& scope) {
  const int64_t cols = call.cols, rows = total_rows(call.weights, call.count);
  WeightCodes result{scope.codes(rows * cols), scope.floats(rows), true};
  int64_t first = 0;
  for (int i = 0; i < call.count; first += call.weights[i].rows, ++i) {
    const LinearWeight& weight = call.weights[i];
    ArenaScope memory;
    const WeightScales scales = scales_of(call, i, memory);
    const int64_t spans = scales.span_cols ? cols / scales.span_cols : 0;
    if (spans) result.ternary = false;
    parallel_chunks(weight.rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
      int8_t* codes = result.codes + (first + begin) * cols;
      ternary_rows(weight, cols, scales, begin, end, codes);
      for (int64_t row = begin; row < end; ++row, codes += cols) {
        result.row_scale[first + row] =
            spans ? fold_span_scales(scales.multiplier + row * spans, spans, scales.span_cols, codes)
                  : scales.multiplier_of(row);
      }
    });
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

// The scale of each token's activations.
const float* activation_scales(const LinearCall& call, ArenaScope& scope) {
  if (call.scales) return call.scales->activations;
  const Kernels& kernels = active_kernels();
  float* scales = scope.floats(call.tokens);
  parallel_chunks(call.tokens, rows_per_task(call.cols), [&](int64_t begin, int64_t end) {
    ArenaScope task_scope;
    float* scratch = task_scope.floats(call.cols);
    int8_t* codes = task_scope.codes(padded_cols(call.cols));
    for (int64_t t = begin; t < end; ++t) {
      int32_t code_sum;
      quantize_activations(kernels, call.quantizers.activations, call.input.row(t, call.cols, scratch),
                           call.cols, codes, scales + t, &code_sum);
    }
  });
  return scales;
}

TokenCodes code_memory(const LinearCall& call, ArenaScope& scope) {
  const int64_t stride = padded_cols(call.cols);
  return {scope.codes(call.tokens * stride), stride, scope.floats(call.tokens)};
}

// ---- float products ----------------------------------------------------------------------------------

bool any_spans(const LinearCall& call) {
  for (int i = 0; i < call.count; ++i) {
    if (span_cols_of(call.weights[i], call.quantizers.weights)) return true;
  }
  return false;
}

const float* stacked_values(const LinearCall& call, ArenaScope& scope) {
  float* stacked = scope.floats(total_rows(call.weights, call.count) * call.cols);
  float* next = stacked;
  for (int i = 0; i < call.count; next += call.weights[i].rows * call.cols, ++i) {
    ArenaScope memory;
    dequantized_weights(call.weights[i], call.cols, scales_of(call, i, memory), next);
  }
  return stacked;
}

// The weights that dX multiplies: ternary values with a scale per row, or floats.
GemmOperand weight_operand(const LinearCall& call, const float** row_scale, ArenaScope& scope) {
  if (!call.quantizers.ternary_weights()) {
    return {stacked_floats(call.weights, call.count, call.cols, scope), call.cols, 1};
  }
  if (any_spans(call)) return {stacked_values(call, scope), call.cols, 1};
  const WeightCodes weights = stacked_codes(call, scope);
  *row_scale = weights.row_scale;
  return {weights.codes, call.cols, 1, GemmType::i8};
}

// dX first, then the way back through the input, which makes the activations that dW multiplies: codes with a
// scale per token, or floats. With bf16 the scales are folded into dY, the only operand that loses bits where
// the other one holds codes.
void float_grad(const LinearCall& call, bool bf16) {
  const int threads = training_threads();
  const int64_t tokens = call.tokens, cols = call.cols, rows = total_rows(call.weights, call.count);
  const bool codes_needed = call.quantizers.activations.quantizes();
  ArenaScope scope;
  const InputGrad input_grad(call.input, call.quantizers.activations, tokens, cols, call.drows,
                             call.gradients.dx, scope);
  TokenCodes codes{};
  if (codes_needed) codes = code_memory(call, scope);
  const auto finish = [&](const FinishedRows& done) {
    input_grad.run(done.begin, done.end, codes_needed ? &codes : nullptr);
  };
  const auto packed = [&](const GemmOperand& operand, int64_t depth, ArenaScope& memory) {
    uint8_t* bytes = static_cast<uint8_t*>(memory.bytes(bf16_right_bytes(depth, cols)));
    return pack_bf16_right(threads, operand, depth, cols, bytes);
  };
  {
    ArenaScope memory;
    const float* row_scale = nullptr;
    GemmOperand w = weight_operand(call, &row_scale, memory);
    GemmOperand left{call.dy, rows, 1};
    (bf16 ? left.col_scale : w.row_scale) = row_scale;
    if (bf16) {
      gemm_bf16(threads, tokens, left, packed(w, rows, memory), call.drows, cols, false, finish_with(finish));
    } else {
      gemm_f32(threads, tokens, cols, rows, left, w, call.drows, cols, false);
      parallel_chunks(tokens, kGainRows, [&](int64_t begin, int64_t end) { finish({begin, end}); });
    }
  }
  input_grad.sum_gains(call.gradients.dgain);

  GemmOperand activations{codes.codes, codes.stride, 1, GemmType::i8};
  if (!codes_needed) activations = {call.input.rows(tokens, cols, scope), cols, 1};
  GemmOperand left{call.dy, 1, rows};
  (bf16 ? left.col_scale : activations.row_scale) = codes.scale;
  const Bf16Right right = bf16 ? packed(activations, tokens, scope) : Bf16Right{};
  const float* dy = call.dy;
  for (int i = 0; i < call.count; dy += call.weights[i].rows, ++i) {
    left.data = dy;
    float* dw = call.gradients.dweights[i];
    if (bf16) {
      gemm_bf16(threads, call.weights[i].rows, left, right, dw, cols, false);
    } else {
      gemm_f32(threads, call.weights[i].rows, cols, tokens, left, activations, dw, cols, false);
    }
  }
}

// ---- integer products --------------------------------------------------------------------------------

// The transposed weights as the operand of ternary_gemm: dX = dY . W is a forward product with W^T.
TernaryPanel transposed_panel(const int8_t* ternary, int64_t rows, int64_t cols, ArenaScope& scope) {
  static const SharedScale one(1.0f);
  uint8_t* panel = static_cast<uint8_t*>(scope.bytes(panel_bytes(cols, rows)));
  parallel_chunks(panel_groups(cols), 1, [&](int64_t group, int64_t) {
    ArenaScope task_scope;
    const int64_t first = group * kPanelRows, lanes = std::min(kPanelRows, cols - first);
    int8_t* turned = task_scope.codes(lanes * rows);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t i = 0; i < lanes; ++i) turned[i * rows + row] = ternary[row * cols + first + i];
    }
    pack_panel(turned, rows, lanes, rows, 0, 1, panel + group * panel_group_bytes(rows));
  });
  return {panel, cols, rows, one.lanes, panel_scale_step(false)};
}

// dX where the variant has no int8_panels and the weights' codes are not ternary: both operands of gemm_i8 lie
// along the summed index.
void multiply_codes(const int8_t* token_codes, int64_t stride, int64_t tokens, int64_t rows,
                    const int8_t* weights, int64_t cols, const float* token_scale, float* out,
                    ArenaScope& scope) {
  const int64_t turned_stride = padded_cols(tokens);
  int8_t* turned = scope.codes(rows * turned_stride);
  parallel_chunks(rows, rows_per_task(tokens), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      for (int64_t t = 0; t < tokens; ++t) turned[n * turned_stride + t] = token_codes[t * stride + n];
    }
  });
  // gemm_i8 reads whole vectors of a row.
  const int64_t padded = padded_cols(cols);
  int8_t* right = scope.codes(rows * padded);
  parallel_chunks(rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) std::copy_n(weights + n * cols, cols, right + n * padded);
  });
  gemm_i8(training_threads(), tokens, cols, rows, turned, turned_stride, right, padded, token_scale, out,
          cols);
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

void integer_grad(const LinearCall& call, uint32_t key) {
  const Kernels& kernels = active_kernels();
  const TrainingLoops& loops = active_loops();
  const LinearWeight* weights = call.weights;
  const int64_t tokens = call.tokens, cols = call.cols, rows = total_rows(weights, call.count);
  const int count = call.count;
  const float* dy = call.dy;
  ArenaScope scope;
  const WeightCodes stacked = stacked_codes(call, scope);
  const float* activation_scale = activation_scales(call, scope);

  // Largest values, per token with the weight scales and per out feature with the activation scales.
  const int64_t tasks = (tokens + kTokensPerTask - 1) / kTokensPerTask;
  float* row_max = scope.floats(tokens);
  float* column_max = scope.floats(tasks * rows);
  parallel_chunks(tokens, kTokensPerTask, [&](int64_t begin, int64_t end) {
    float* columns = column_max + begin / kTokensPerTask * rows;
    std::fill_n(columns, rows, 0.0f);
    loops.scaled_abs_max(dy + begin * rows, end - begin, rows, stacked.row_scale, activation_scale + begin,
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
            dy + t * rows + first, n, stacked.row_scale + first, step.inverse, column_inverse + first,
            activation_scale[t], key, static_cast<uint32_t>(t * rows + first), by_token + first, by_feature);
        std::fill(by_feature + n, by_feature + padded, int8_t{0});
        by_feature += padded;
      }
      std::fill(by_token + rows, by_token + stride, int8_t{0});
    }
  });
  const InputGrad input_grad(call.input, call.quantizers.activations, tokens, cols, call.drows,
                             call.gradients.dx, scope);
  const TokenCodes activations = code_memory(call, scope);
  if (kernels.int8_panels) {
    const auto finish = [&](const FinishedRows& done) { input_grad.run(done.begin, done.end, &activations); };
    gemm_i8_rows(training_threads(), tokens, cols, rows, token_codes, stride, stacked.codes, cols,
                 token_scale, call.drows, cols, finish_with(finish));
  } else if (!stacked.ternary) {
    multiply_codes(token_codes, stride, tokens, rows, stacked.codes, cols, token_scale, call.drows, scope);
    parallel_chunks(tokens, kTokensPerTask,
                    [&](int64_t begin, int64_t end) { input_grad.run(begin, end, &activations); });
  } else {
    const TernaryPanel panel = transposed_panel(stacked.codes, rows, cols, scope);
    parallel_chunks(tokens, kTokensPerTask, [&](int64_t begin, int64_t end) {
      ArenaScope task_scope;
      const CodeRows block = packed_codes(
          {token_codes + begin * stride, stride, token_scale + begin, code_sum + begin, end - begin}, rows,
          task_scope);
      kernels.ternary_gemm(panel, 0, panel_groups(cols), block, call.drows + begin * cols, cols);
      input_grad.run(begin, end, &activations);
    });
  }
  input_grad.sum_gains(call.gradients.dgain);
  int64_t first = 0, part = 0;
  for (int i = 0; i < count; part += padded_cols(weights[i].rows), first += weights[i].rows, ++i) {
    gemm_i8(training_threads(), weights[i].rows, cols, tokens, feature_codes + part, feature_stride,
            activations.codes, activations.stride, column_scale + first, call.gradients.dweights[i], cols);
  }
}

}  // namespace

void bit_linear_grad(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights,
                     int count, const LinearQuantizers& quantizers, const BackwardRounding& rounding,
                     const float* dy, const LinearGradients& gradients, const LinearScales* scales) {
  ArenaScope scope;
  float* drows = input.is_plain() ? gradients.dx : scope.floats(tokens * cols);
  const LinearCall call{input, tokens, cols, weights, count, quantizers, dy, gradients, drows, scales};
  if (rounding.precision != BackwardPrecision::int8) {
    return float_grad(call, rounding.precision == BackwardPrecision::bf16);
  }
  if (!quantizers.both()) {
    throw std::invalid_argument("int8 backward needs ternary weights and quantized activations");
  }
  integer_grad(call, rounding.key);
}

}  // namespace bitnet
