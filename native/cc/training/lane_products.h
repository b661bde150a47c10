// multiply_rows (see loops.h) on core's register tiles of outer products. Include inside a target region,
// after core/lane_outer.h.
#pragma once

#include "core/lane_outer.h"

namespace bitnet {
namespace {

// Operands of a call, at the tile's first row and column.
struct RowProduct {
  int64_t k;
  const float* a;
  int64_t a_row, a_step;
  const float* b;
  int64_t b_stride, b_block;
  bool accumulate;
  float* c;
  int64_t c_stride;
};

template <int Rows, int Blocks>
void multiply_tile(const RowProduct& p) {
  Lanes sums[Rows][Blocks];
  clear(sums);
  accumulate_outer(sums, p.k, p.a, p.a_row, p.a_step, p.b, p.b_stride, p.b_block);
  BITNET_UNROLL
  for (int r = 0; r < Rows; ++r) {
    BITNET_UNROLL
    for (int block = 0; block < Blocks; ++block) {
      float* out = p.c + r * p.c_stride + block * kLanes;
      store(out, p.accumulate ? add(load(out), sums[r][block]) : sums[r][block]);
    }
  }
}

// The tile for a number of rows known at run time, 1 .. Rows.
template <int Rows, int Blocks>
struct MultiplyTile {
  static void run(int64_t rows, const RowProduct& product) {
    if (rows >= Rows) return multiply_tile<Rows, Blocks>(product);
    MultiplyTile<Rows - 1, Blocks>::run(rows, product);
  }
};
template <int Blocks>
struct MultiplyTile<0, Blocks> {
  static void run(int64_t, const RowProduct&) {}
};

template <int Blocks>
void multiply_columns(int64_t m, RowProduct product) {
  for (int64_t i = 0; i < m; i += kOuterRows) {
    MultiplyTile<kOuterRows, Blocks>::run(m - i, product);
    product.a += kOuterRows * product.a_row;
    product.c += kOuterRows * product.c_stride;
  }
}

void multiply_rows(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_step,
                   const float* b, int64_t b_stride, int64_t b_block, bool accumulate, float* c,
                   int64_t c_stride) {
  RowProduct product{k, a, a_row, a_step, b, b_stride, b_block, accumulate, c, c_stride};
  int64_t blocks = n / kLanes;
  for (; blocks >= kGemmBlocks; blocks -= kGemmBlocks) {
    multiply_columns<kGemmBlocks>(m, product);
    product.b += kGemmBlocks * b_block;
    product.c += kGemmBlocks * kLanes;
  }
  for (; blocks > 0; --blocks) {
    multiply_columns<1>(m, product);
    product.b += b_block;
    product.c += kLanes;
  }
}

}  // namespace
}  // namespace bitnet
