// Matrix product over bfloat16 operands with float32 sums, for the backward pass:
//
//   C[m][n] = sum_p bf16(A[m][p] * scale[p]) * B[p][n]          (C + that sum with `accumulate`)
//
//   dX = (dY * weight_scale) . ternary       dW = (dY * act_scale)^T . x_int8
//   the head: dhidden = dlogits . table, dtable = dlogits^T . hidden
//
// Rounding is half to even; codes are exact. Where the CPU multiplies bfloat16 (PanelTile) B is packed once
// and A block by block on the way, and the hardware's sums take subnormal numbers as 0. Elsewhere gemm_f32
// multiplies rounded values. The order of a sum depends on the kernel variant, never on threads or blocks.
#pragma once

#include <cstdint>

#include "core/gemm_f32.h"
#include "core/panel_tile.h"

namespace bitnet {

// The right side of products. Holds pointers only.
struct Bf16Right {
  GemmOperand source;
  int64_t k, n;
  const PanelTile* tile;  // null: not packed
  const uint8_t* packed;
};

// Memory that pack_bf16_right needs, 64-byte aligned; 0 where nothing is packed.
int64_t bf16_right_bytes(int64_t k, int64_t n);

// `b` is k x n, float32 (rounded) or int8, with a col_stride of 1 and no scales; it must stay as it is.
Bf16Right pack_bf16_right(int threads, const GemmOperand& b, int64_t k, int64_t n, uint8_t* memory);

// `a` is m x b.k, float32 or bf16, with a row_stride or col_stride of 1, and a col_scale or none. C has rows
// ldc floats apart and must not overlap the operands. `finish` sees rows from
// multiples of kBlockRowStep on. Runs on up to `threads` threads of the global pool.
void gemm_bf16(int threads, int64_t m, const GemmOperand& a, const Bf16Right& b, float* c, int64_t ldc,
               bool accumulate, const RowFinish& finish = {});

}  // namespace bitnet
