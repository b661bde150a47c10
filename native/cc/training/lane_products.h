// multiply_rows (see loops.h) on core's register tiles of outer products. Include inside a target region,
// after core/lane_outer.h.
#pragma once

#include "core/lane_outer.h"

namespace bitnet {
namespace {

template <int Rows>
void multiply_tile(int64_t k, const float* a, int64_t a_row, int64_t a_step, const float* b, int64_t b_stride,
                   bool accumulate, float* c, int64_t c_stride) {
  Lanes sums[Rows][1];
  clear(sums);
  accumulate_outer(sums, k, a, a_row, a_step, b, b_stride, kLanes);
  BITNET_UNROLL
  for (int r = 0; r < Rows; ++r) {
    float* out = c + r * c_stride;
    store(out, accumulate ? add(load(out), sums[r][0]) : sums[r][0]);
  }
}

// The tile for a number of rows known at run time, 1 .. Rows.
template <int Rows>
struct MultiplyTile {
  static void run(int64_t rows, int64_t k, const float* a, int64_t a_row, int64_t a_step, const float* b,
                  int64_t b_stride, bool accumulate, float* c, int64_t c_stride) {
    if (rows >= Rows) return multiply_tile<Rows>(k, a, a_row, a_step, b, b_stride, accumulate, c, c_stride);
    MultiplyTile<Rows - 1>::run(rows, k, a, a_row, a_step, b, b_stride, accumulate, c, c_stride);
  }
};
template <>
struct MultiplyTile<0> {
  static void run(int64_t, int64_t, const float*, int64_t, int64_t, const float*, int64_t, bool, float*,
                  int64_t) {}
};

void multiply_rows(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_step,
                   const float* b, int64_t b_stride, bool accumulate, float* c, int64_t c_stride) {
  for (int64_t j = 0; j < n; j += kLanes) {
    for (int64_t i = 0; i < m; i += kOuterRows) {
      MultiplyTile<kOuterRows>::run(m - i, k, a + i * a_row, a_row, a_step, b + j, b_stride, accumulate,
                                    c + i * c_stride + j, c_stride);
    }
  }
}

}  // namespace
}  // namespace bitnet
