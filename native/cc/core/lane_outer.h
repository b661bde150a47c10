// Register tile of outer products, the inner loop of gemm_f32 and of both halves of attention. Include inside
// a target region, after lanes.h.
//
//   for p = 0 .. depth - 1:
//     sums[r][c] = fma(s[r * s_row + p * s_step], m[p * m_step + c * m_block + lane], sums[r][c])
//
// One chain per element: tiling cannot change a bit.
#pragma once

#include "core/kernels.h"
#include "core/lanes.h"

namespace bitnet {
namespace {

template <int Rows, int Blocks>
BITNET_INLINE void clear(Lanes (&sums)[Rows][Blocks]) {
  BITNET_UNROLL
  for (int r = 0; r < Rows; ++r) {
    BITNET_UNROLL
    for (int c = 0; c < Blocks; ++c) {
      BITNET_UNROLL
      for (int i = 0; i < kParts; ++i) sums[r][c].part[i] = zero_part();
    }
  }
}

template <int Rows, int Blocks>
BITNET_INLINE void accumulate_outer(Lanes (&sums)[Rows][Blocks], int64_t depth, const float* s, int64_t s_row,
                                    int64_t s_step, const float* m, int64_t m_step, int64_t m_block) {
  for (int64_t p = 0; p < depth; ++p) {
    Part columns[Blocks * kParts];
    BITNET_UNROLL
    for (int c = 0; c < Blocks * kParts; ++c) {
      columns[c] = load_part(m + (c / kParts) * m_block + (c % kParts) * kPartLanes);
    }
    BITNET_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const Part row = broadcast_part(s[r * s_row]);
      BITNET_UNROLL
      for (int c = 0; c < Blocks * kParts; ++c) {
        Part& sum = sums[r][c / kParts].part[c % kParts];
        sum = fma(row, columns[c], sum);
      }
    }
    s += s_step;
    m += m_step;
  }
}

constexpr int64_t kGemmCols = kGemmBlocks * kLanes;

void gemm_multiply(int64_t depth, const float* a, int64_t a_row, int64_t a_step, const float* b, float* out,
                   int64_t stride, bool accumulate) {
  Lanes sums[kOuterRows][kGemmBlocks];
  clear(sums);
  accumulate_outer(sums, depth, a, a_row, a_step, b, kGemmCols, kLanes);
  BITNET_UNROLL
  for (int r = 0; r < kOuterRows; ++r) {
    BITNET_UNROLL
    for (int c = 0; c < kGemmBlocks; ++c) {
      float* target = out + r * stride + c * kLanes;
      store(target, accumulate ? add(load(target), sums[r][c]) : sums[r][c]);
    }
  }
}

constexpr GemmTile kLaneGemmTile = {kOuterRows, kGemmCols, gemm_multiply};

}  // namespace
}  // namespace bitnet
