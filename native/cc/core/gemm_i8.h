// Exact integer matrix products for the int8 backward pass. Operands as dY, weights and activations lie in
// memory:
//
//   dW   C[m][n] = float(sum_p A[p][m] * B[p][n]) * row_scale[m]     m out features, n in features, p tokens
//   dX   C[m][n] = float(sum_p A[m][p] * B[p][n]) * row_scale[m]     m tokens, n in features, p out features
//
// The sum is a 32-bit integer, so every variant, tiling and thread count gives the same bits.
#pragma once

#include <cstdint>

#include "core/panel_tile.h"

namespace bitnet {

// 127 * 127 * depth must fit 31 bits.
constexpr int64_t kMaxInt8Depth = 131072;

// dW. Codes in [-127, 127]; padded_cols(m) codes of each row of A and padded_cols(n) of each row of B may be
// read, whatever they are past m and n. C has rows ldc floats apart. Runs on up to `threads` threads of the
// global pool. Throws std::invalid_argument if depth > kMaxInt8Depth.
void gemm_i8(int threads, int64_t m, int64_t n, int64_t depth, const int8_t* a, int64_t a_stride,
             const int8_t* b, int64_t b_stride, const float* row_scale, float* c, int64_t ldc);

// dX, where the variant has int8_panels: else its ternary_gemm is faster. Depth as above. `finish` sees rows
// from multiples of kBlockRowStep on.
void gemm_i8_rows(int threads, int64_t m, int64_t n, int64_t depth, const int8_t* a, int64_t a_stride,
                  const int8_t* b, int64_t b_stride, const float* row_scale, float* c, int64_t ldc,
                  const RowFinish& finish = {});

}  // namespace bitnet
