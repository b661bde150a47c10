// The kernel tables compiled for this architecture. Only kernels.cc looks at these; everyone else asks the
// registry.
#pragma once

#include "core/kernels.h"

#if defined(__x86_64__) || defined(_M_X64)
#define BITNET_X86 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#define BITNET_ARM64 1
#endif

namespace bitnet {

extern const Kernels kScalarKernels;
#if defined(BITNET_X86)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512VnniKernels;
#elif defined(BITNET_ARM64)
extern const Kernels kNeonDotKernels;
#endif

// Kernels::ternary_gemm of each variant, one file each.
using TernaryGemm = void(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const int8_t* x,
                         int64_t x_stride, const float* act_scale, const int32_t* code_sum, int64_t tokens,
                         float* y, int64_t y_stride);
TernaryGemm ternary_gemm_avx2;
TernaryGemm ternary_gemm_avx512vnni;
TernaryGemm ternary_gemm_neondot;

// Kernels::q8_rows.
using Q8Rows = void(const void* w, int64_t row_begin, int64_t row_end, int64_t cols, const int8_t* x,
                    int64_t x_stride, const float* act_scale, int64_t tokens, float* y, int64_t y_stride);
Q8Rows q8_rows_avx2;
Q8Rows q8_rows_neondot;

// Kernels::bf16_tile.
#if defined(BITNET_X86)
extern const Bf16Tile kAvx512Bf16Tile;
#endif

// Kernels::int8_tile of each variant, one file each.
extern const Int8Tile kScalarInt8Tile;
#if defined(BITNET_X86)
extern const Int8Tile kAvx2Int8Tile;
extern const Int8Tile kAvx512VnniInt8Tile;
#elif defined(BITNET_ARM64)
extern const Int8Tile kNeonDotInt8Tile;
#endif

}  // namespace bitnet
