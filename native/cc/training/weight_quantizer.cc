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

// Written so that NaN stays NaN.
float scale_of(double mean) { return mean < 1e-5 ? 1e-5f : static_cast<float>(mean); }

}  // namespace

int64_t span_cols_of(const LinearWeight& weight, WeightSource source) {
  switch (source) {
    case WeightSource::codes:
      return weight.span_cols;
    case WeightSource::absmean_group_64:
      return 64;
    case WeightSource::absmean_group_128:
      return 128;
    case WeightSource::absmean_group_256:
      return 256;
    default:
      return 0;
  }
}

int64_t weight_scale_count(const LinearWeight& weight, int64_t cols, WeightSource source) {
  const int64_t span = span_cols_of(weight, source);
  if (span) return weight.rows * (cols / span);
  return source == WeightSource::absmean_row ? weight.rows : 1;
}

int64_t weight_scale_floats(const LinearWeight& weight, int64_t cols, WeightSource source) {
  const bool made_here = source != WeightSource::values && source != WeightSource::codes;
  return made_here ? 2 * weight_scale_count(weight, cols, source) : 0;
}

WeightScales kept_weight_scales(const LinearWeight& weight, int64_t cols, WeightSource source,
                                const float* memory) {
  const int64_t span = span_cols_of(weight, source);
  if (source == WeightSource::codes) return {nullptr, weight.multiplier, weight.scale_per_row, span};
  return {memory, memory + weight_scale_count(weight, cols, source), source == WeightSource::absmean_row,
          span};
}

WeightScales weight_scales(const LinearWeight& weight, int64_t cols, WeightSource source, ScaleDtype dtype,
                           float* memory) {
  if (source == WeightSource::codes) return kept_weight_scales(weight, cols, source, memory);
  const Kernels& kernels = active_kernels();
  const int64_t rows = weight.rows, count = weight_scale_count(weight, cols, source);
  // Neighbours whose magnitudes are added in lanes: a row, or a span of it.
  const int64_t span = span_cols_of(weight, source), part = span ? span : cols, parts = cols / part;
  const auto set_scale = [&](int64_t i, double sum, int64_t elements) {
    const float scale = scale_of(sum / static_cast<double>(elements));
    memory[i] = 1.0f / scale;
    memory[count + i] = round_scale(scale, dtype);
  };
  const bool one_scale = source == WeightSource::absmean_tensor;
  ArenaScope scope;
  double* sums = scope.doubles(one_scale ? rows : 1);
  parallel_chunks(rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * parts; i < end * parts; ++i) {
      const double sum = kernels.abs_sum_row(weight.data + i * part, part);
      if (one_scale) {
        sums[i] = sum;
      } else {
        set_scale(i, sum, part);
      }
    }
  });
  if (one_scale) {
    double total = 0;
    for (int64_t row = 0; row < rows; ++row) total += sums[row];
    set_scale(0, total, rows * cols);
  }
  return kept_weight_scales(weight, cols, source, memory);
}

void ternary_rows(const LinearWeight& weight, int64_t cols, const WeightScales& scales, int64_t begin,
                  int64_t end, int8_t* out) {
  const Kernels& kernels = active_kernels();
  const int64_t count = (end - begin) * cols;
  if (!scales.inverse) {
    const int32_t* given = weight.ternary + begin * cols;
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<int8_t>(given[i]);
  } else if (scales.per_row || scales.span_cols) {
    const int64_t part = scales.per_row ? cols : scales.span_cols, parts = cols / part;
    for (int64_t i = begin * parts; i < end * parts; ++i, out += part) {
      kernels.ternarize(weight.data + i * part, part, scales.inverse[i], out);
    }
  } else {
    kernels.ternarize(weight.data + begin * cols, count, scales.inverse[0], out);
  }
}

void dequantized_weights(const LinearWeight& weight, int64_t cols, const WeightScales& scales, float* out) {
  const int64_t part = scales.span_cols ? scales.span_cols : cols, parts = cols / part;
  parallel_chunks(weight.rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    ArenaScope scope;
    int8_t* ternary = scope.codes(cols);
    for (int64_t row = begin; row < end; ++row) {
      ternary_rows(weight, cols, scales, row, row + 1, ternary);
      for (int64_t p = 0; p < parts; ++p) {
        const float multiplier =
            scales.span_cols ? scales.multiplier[row * parts + p] : scales.multiplier_of(row);
        float* to = out + row * cols + p * part;
        for (int64_t i = 0; i < part; ++i) to[i] = static_cast<float>(ternary[p * part + i]) * multiplier;
      }
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
  float* memory = scope.floats(weight_scale_floats(weight, cols, source));
  const WeightScales scales = weight_scales(weight, cols, source, dtype, memory);
  std::copy_n(scales.multiplier, weight_scale_count(weight, cols, source), multiplier);
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
