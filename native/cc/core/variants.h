// What the files of the kernel variants share with each other. Everyone else asks the registry.
#pragma once

#include "core/kernels.h"
#include "core/variant_registry.h"

#if defined(__x86_64__) || defined(_M_X64)
#define BITNET_X86 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#define BITNET_ARM64 1
#endif

namespace bitnet {

// Places in the order of variants, slowest first. 0 is the reference.
enum VariantRank : int {
  kScalarRank = 0,
  kAvx2Rank = 10,
  kAvxVnniRank = 20,
  kAvx512VnniRank = 30,
  kAmxRank = 40,
  kNeonDotRank = 10
};

// Tables that later variants begin with.
#if defined(BITNET_X86)
const Kernels& avx2_kernels();
const Kernels& avx512vnni_kernels();
#endif

// Kernels::ternary_gemm of each variant, one file each.
using TernaryGemm = void(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const CodeRows& x,
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
