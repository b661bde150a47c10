#include "training/embedding.h"

#include <cmath>
#include <cstring>

#include "core/float16.h"
#include "core/int8_rows.h"
#include "training/arena.h"
#include "training/partition.h"

namespace bitnet {
namespace {

// Each task owns this many rows of the result and reads all ids: no two tasks write one row.
constexpr int64_t kScatterTasks = 16;
constexpr int64_t kQ8Block = 32;

void round_q8_block(const float* x, float* y) {
  float largest = 0.0f;
  for (int64_t i = 0; i < kQ8Block; ++i) {
    const float magnitude = std::fabs(x[i]);
    if (magnitude > largest) largest = magnitude;
  }
  const float scale = largest / 127.0f;
  const float inverse = scale == 0.0f ? 0.0f : 1.0f / scale;
  const float stored = f16_to_f32(f32_to_f16(scale));
  for (int64_t i = 0; i < kQ8Block; ++i) {
    float code = std::rint(x[i] * inverse);
    code = code < -128.0f ? -128.0f : code > 127.0f ? 127.0f : code;
    y[i] = code * stored;
  }
}

void round_int8_rows(const float* x, int64_t first, int64_t last, int64_t cols, float* y) {
  ArenaScope scope;
  int8_t* codes = scope.codes(cols);
  for (int64_t row = first; row < last; ++row) {
    const float d = quantize_int8_row(x + row * cols, cols, codes);
    for (int64_t i = 0; i < cols; ++i) y[row * cols + i] = static_cast<float>(codes[i]) * d;
  }
}

}  // namespace

void gather_rows(const float* table, const int32_t* ids, int64_t count, int64_t width, float* y) {
  parallel_chunks(count, rows_per_task(width), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      std::memcpy(y + i * width, table + ids[i] * width, static_cast<size_t>(width) * sizeof(float));
    }
  });
}

void scatter_add_rows(const int32_t* ids, const float* rows, int64_t count, int64_t width, int64_t segments,
                      float* out) {
  parallel_chunks(segments, (segments + kScatterTasks - 1) / kScatterTasks, [&](int64_t begin, int64_t end) {
    std::memset(out + begin * width, 0, static_cast<size_t>((end - begin) * width) * sizeof(float));
    for (int64_t i = 0; i < count; ++i) {
      if (ids[i] < begin || ids[i] >= end) continue;
      float* target = out + ids[i] * width;
      const float* row = rows + i * width;
      for (int64_t d = 0; d < width; ++d) target[d] += row[d];
    }
  });
}

void round_rows(const float* x, int64_t rows, int64_t cols, TableType type, float* y) {
  parallel_chunks(rows, rows_per_task(cols), [&](int64_t first, int64_t last) {
    const int64_t begin = first * cols, end = last * cols;
    switch (type) {
      case TableType::f16:
        for (int64_t i = begin; i < end; ++i) y[i] = f16_to_f32(f32_to_f16(x[i]));
        break;
      case TableType::bf16:
        for (int64_t i = begin; i < end; ++i) y[i] = bf16_to_f32(f32_to_bf16(x[i]));
        break;
      case TableType::q8_0:
        for (int64_t i = begin; i < end; i += kQ8Block) round_q8_block(x + i, y + i);
        break;
      case TableType::int8_row:
        round_int8_rows(x, first, last, cols, y);
        break;
      case TableType::f32:
        std::memcpy(y + begin, x + begin, static_cast<size_t>(end - begin) * sizeof(float));
        break;
    }
  });
}

}  // namespace bitnet
