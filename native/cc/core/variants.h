// What the files of the kernel variants share with each other. Everyone else asks the registry.
#pragma once

#include "core/kernels.h"
#include "core/panel_tile.h"
#include "core/variant_registry.h"

#if defined(__x86_64__) || defined(_M_X64)
#define BITNET_X86 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#define BITNET_ARM64 1
#endif

// Compilers that know the intrinsics of AVX-VNNI and AMX: GCC 11, Clang 12. The emulation knows them itself.
#if defined(BITNET_X86) &&           \
    (defined(BITNET_EMULATED_ISA) || \
     (defined(__clang__) ? __clang_major__ >= 12 : defined(__GNUC__) && __GNUC__ >= 11))
#define BITNET_AVXVNNI 1
#define BITNET_AMX 1
#else
#define BITNET_AVXVNNI 0
#define BITNET_AMX 0
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

// True where the build emulates the intrinsics beyond AVX2 (avx512_intrinsics.h).
#if defined(BITNET_EMULATED_ISA)
constexpr bool kEmulatedIsa = true;
#else
constexpr bool kEmulatedIsa = false;
#endif
inline bool runs_avx2(const CpuFeatures& cpu) { return cpu.avx2 && cpu.fma && cpu.f16c; }

// Tables that later variants begin with.
#if defined(BITNET_X86)
const Kernels& avx2_kernels();
const Kernels& avx512vnni_kernels();
#endif

// Kernels::ternary_gemm of each variant, one file each.
using TernaryGemm = void(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const CodeRows& x,
                         float* y, int64_t y_stride);
TernaryGemm ternary_gemm_scalar;
TernaryGemm ternary_gemm_avx2;
TernaryGemm ternary_gemm_avxvnni;
TernaryGemm ternary_gemm_avx512vnni;
TernaryGemm ternary_gemm_amx;
TernaryGemm ternary_gemm_neondot;

// Kernels::code_packing.
#if defined(BITNET_X86)
extern const CodePacking kAvxVnniPacking;
extern const CodePacking kAvx512VnniPacking;
extern const CodePacking kAmxPacking;
#endif

// Kernels::q8_rows.
using Q8Rows = void(const RowPanel& w, int64_t row_begin, int64_t row_end, const int8_t* x, int64_t x_stride,
                    const float* act_scale, int64_t tokens, float* y, int64_t y_stride);
Q8Rows q8_rows_avx2;
Q8Rows q8_rows_neondot;

// Kernels::int8_rows.
using Int8RowsProduct = void(const Int8Rows& w, int64_t row_begin, int64_t row_end, const CodeRows& x,
                             float* y, int64_t y_stride);
Int8RowsProduct int8_rows_scalar;
Int8RowsProduct int8_rows_avx2;
Int8RowsProduct int8_rows_avxvnni;
Int8RowsProduct int8_rows_avx512vnni;
Int8RowsProduct int8_rows_neondot;

// Kernels::bf16_tile and int8_panels.
#if defined(BITNET_X86)
extern const PanelTile kAvx512Bf16Tile;
extern const PanelTile kAmxBf16Tile;
extern const PanelTile kAvx512VnniInt8Panels;
extern const PanelTile kAmxInt8Tile;
#endif

// Kernels::int8_tile of each variant, one file each.
extern const Int8Tile kScalarInt8Tile;
#if defined(BITNET_X86)
extern const Int8Tile kAvx2Int8Tile;
extern const Int8Tile kAvxVnniInt8Tile;
#elif defined(BITNET_ARM64)
extern const Int8Tile kNeonDotInt8Tile;
#endif

}  // namespace bitnet
