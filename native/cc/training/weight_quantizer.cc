#include "training/weight_quantizer.h"

#include <algorithm>
#include <atomic>

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

int64_t scale_count(const LinearWeight& weight, WeightSource source) {
  return source == WeightSource::absmean_row ? weight.rows : 1;
}

// Written so that NaN stays NaN.
float scale_of(double mean) { return mean < 1e-5 ? 1e-5f : static_cast<float>(mean); }

}  // namespace

int64_t weight_scale_floats(const LinearWeight& weight, WeightSource source) {
  const bool made_here = source == WeightSource::absmean_tensor || source == WeightSource::absmean_row;
  return made_here ? 2 * scale_count(weight, source) : 0;
}

WeightScales kept_weight_scales(const LinearWeight& weight, WeightSource source, const float* memory) {
  if (source == WeightSource::codes) return {nullptr, weight.multiplier, weight.scale_per_row};
  return {memory, memory + scale_count(weight, source), source == WeightSource::absmean_row};
}

WeightScales weight_scales(const LinearWeight& weight, int64_t cols, WeightSource source, ScaleDtype dtype,
                           float* memory) {
  if (source == WeightSource::codes) return kept_weight_scales(weight, source, memory);
  const Kernels& kernels = active_kernels();
  const int64_t rows = weight.rows, count = scale_count(weight, source);
  ArenaScope scope;
  double* sums = scope.doubles(rows + 1);  // of each row, or of the matrix
  parallel_chunks(rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      sums[row] = kernels.abs_sum_row(weight.data + row * cols, cols);
    }
  });
  if (source == WeightSource::absmean_tensor) {
    double total = 0;
    for (int64_t row = 0; row < rows; ++row) total += sums[row];
    sums[0] = total;
  }
  const double elements = static_cast<double>(source == WeightSource::absmean_row ? cols : rows * cols);
  for (int64_t i = 0; i < count; ++i) {
    const float scale = scale_of(sums[i] / elements);
    memory[i] = 1.0f / scale;
    memory[count + i] = round_scale(scale, dtype);
  }
  return kept_weight_scales(weight, source, memory);
}

void ternary_rows(const LinearWeight& weight, int64_t cols, const WeightScales& scales, int64_t begin,
                  int64_t end, int8_t* out) {
  const Kernels& kernels = active_kernels();
  const int64_t count = (end - begin) * cols;
  if (!scales.inverse) {
    const int32_t* given = weight.ternary + begin * cols;
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<int8_t>(given[i]);
  } else if (scales.per_row) {
    for (int64_t row = begin; row < end; ++row, out += cols) {
      kernels.ternarize(weight.data + row * cols, cols, scales.inverse[row], out);
    }
  } else {
    kernels.ternarize(weight.data + begin * cols, count, scales.inverse[0], out);
  }
}

void dequantized_weights(const LinearWeight& weight, int64_t cols, const WeightScales& scales, float* out) {
  parallel_chunks(weight.rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    ArenaScope scope;
    int8_t* ternary = scope.codes(cols);
    for (int64_t row = begin; row < end; ++row) {
      ternary_rows(weight, cols, scales, row, row + 1, ternary);
      const float multiplier = scales.multiplier_of(row);
      for (int64_t i = 0; i < cols; ++i) out[row * cols + i] = static_cast<float>(ternary[i]) * multiplier;
    }
  });
}

bool all_ternary(const int32_t* values, int64_t count) {
  std::atomic<bool> all{true};
  parallel_chunks(count, kElementsPerTask, [&](int64_t begin, int64_t end) {
    uint32_t largest = 0;
    for (int64_t i = begin; i < end; ++i) {
      largest = std::max(largest, static_cast<uint32_t>(values[i]) + 1u);
    }
    if (largest > 2) all.store(false, std::memory_order_relaxed);
  });
  return all.load();
}

void ternary_codes(const LinearWeight& weight, int64_t cols, WeightSource source, ScaleDtype dtype,
                   int32_t* ternary, float* multiplier) {
  ArenaScope scope;
  float* memory = scope.floats(weight_scale_floats(weight, source));
  const WeightScales scales = weight_scales(weight, cols, source, dtype, memory);
  std::copy_n(scales.multiplier, scale_count(weight, source), multiplier);
  parallel_chunks(weight.rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    ArenaScope task_scope;
    int8_t* row_values = task_scope.codes(cols);
    for (int64_t row = begin; row < end; ++row) {
      ternary_rows(weight, cols, scales, row, row + 1, row_values);
      for (int64_t i = 0; i < cols; ++i) ternary[row * cols + i] = row_values[i];
    }
  });
}

}  // namespace bitnet
