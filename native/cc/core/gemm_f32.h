// Deterministic single-precision matrix product for the backward pass:
//
//   C[m][n] = sum_p A[m][p] * B[p][n]          (C + that sum with `accumulate`)
//
// A and B are read through strided views and converted to float32 while they are packed, so that ternary and
// int8 codes need no float copy of their own:
//
//   dX = dY . (weight_scale * ternary)   B = int8 ternary [out][in], row_scale[out] = weight_scale
//   dW = dY^T . (act_scale * x_int8)     A = dY with its strides swapped,
//                                        B = int8 codes [token][in], row_scale[token] = act_scale
//
// Order: the depth is cut into blocks of 256. Each block is one chain of fma from 0 over p, and the blocks
// are added in order. The result depends on the shape only, not on the thread count.
// Operands may be bfloat16 or rounded to it; gemm_bf16.h multiplies those faster where the CPU can.
#pragma once

#include <cstdint>

namespace bitnet {

enum class GemmType : int { f32 = 0, i8 = 1, bf16 = 2 };

// A matrix whose element (i, j) is data[i * row_stride + j * col_stride] * row_scale[i] * col_scale[j],
// multiplied in float32 in that order. Strides are in elements; a transposed view swaps them.
struct GemmOperand {
  const void* data;
  int64_t row_stride;
  int64_t col_stride;
  GemmType type = GemmType::f32;
  const float* row_scale = nullptr;  // one value per row; null: 1
  const float* col_scale = nullptr;  // one value per column; null: 1
  bool round_bf16 = false;           // the scaled values are rounded to bfloat16
};

// A is m x k, B is k x n, C is m x n with rows ldc floats apart and must not overlap A or B. Runs on up to
// `threads` threads of the global pool. Keeps up to 6 MB of packing memory per calling thread.
void gemm_f32(int threads, int64_t m, int64_t n, int64_t k, const GemmOperand& a, const GemmOperand& b,
              float* c, int64_t ldc, bool accumulate);

}  // namespace bitnet
