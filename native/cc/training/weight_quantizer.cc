#include "training/weight_quantizer.h"

#include "core/float16.h"
#include "core/kernels.h"
#include "core/thread_pool.h"
#include "training/arena.h"
#include "training/partition.h"

namespace bitnet {
namespace {

float round_scale(float scale, ScaleDtype dtype) {
  switch (dtype) {
    case ScaleDtype::f16:
      return f16_to_f32(f32_to_f16(scale));
    case ScaleDtype::bf16:
      return bf16_to_f32(f32_to_bf16(scale));
    default:
      return scale;
  }
}

}  // namespace

WeightScale weight_scale(const float* w, int64_t rows, int64_t cols, ScaleDtype dtype) {
  const Kernels& kernels = active_kernels();
  ArenaScope scope;
  double* row_sums = scope.doubles(rows);
  parallel_chunks(rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) row_sums[row] = kernels.abs_sum_row(w + row * cols, cols);
  });
  double sum = 0;
  for (int64_t row = 0; row < rows; ++row) sum += row_sums[row];
  const double mean = sum / static_cast<double>(rows * cols);
  // Written so that NaN stays NaN.
  const float scale = mean < 1e-5 ? 1e-5f : static_cast<float>(mean);
  return {1.0f / scale, round_scale(scale, dtype)};
}

void dequantized_weights(const float* w, int64_t rows, int64_t cols, const WeightScale& scale, float* out) {
  const Kernels& kernels = active_kernels();
  parallel_chunks(rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    ArenaScope scope;
    int8_t* codes = scope.codes(cols);
    for (int64_t row = begin; row < end; ++row) {
      kernels.ternarize(w + row * cols, cols, scale.inverse, codes);
      for (int64_t i = 0; i < cols; ++i)
        out[row * cols + i] = static_cast<float>(codes[i]) * scale.multiplier;
    }
  });
}

WeightScale ternary_codes(const float* w, int64_t rows, int64_t cols, ScaleDtype dtype, int32_t* codes) {
  const Kernels& kernels = active_kernels();
  const WeightScale scale = weight_scale(w, rows, cols, dtype);
  parallel_chunks(rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    ArenaScope scope;
    int8_t* ternary = scope.codes(cols);
    for (int64_t row = begin; row < end; ++row) {
      kernels.ternarize(w + row * cols, cols, scale.inverse, ternary);
      for (int64_t i = 0; i < cols; ++i) codes[row * cols + i] = ternary[i];
    }
  });
  return scale;
}

}  // namespace bitnet
