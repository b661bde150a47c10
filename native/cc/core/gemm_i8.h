// Exact integer matrix product for the int8 backward pass. Both operands are token-major, as dY and the
// activations lie in memory:
//
//   C[m][n] = float(sum_p A[p][m] * B[p][n]) * row_scale[m]        (dW: m out features, n in features, p
//   tokens)
//
// The sum is a 32-bit integer, so every variant, tiling and thread count gives the same bits.
#pragma once

#include <cstdint>

namespace bitnet {

// 127 * 127 * depth must fit 31 bits.
constexpr int64_t kMaxInt8Depth = 131072;

// Codes in [-127, 127], rows of a matrix a stride apart that is a multiple of kCodePadding; the codes past
// its width are 0. C has rows ldc floats apart. Runs on up to `threads` threads of the global pool. Throws
// std::invalid_argument if depth > kMaxInt8Depth.
void gemm_i8(int threads, int64_t m, int64_t n, int64_t depth, const int8_t* a, int64_t a_stride,
             const int8_t* b, int64_t b_stride, const float* row_scale, float* c, int64_t ldc);

}  // namespace bitnet
