// The AVX2 variant (with FMA and F16C): Haswell, Zen and later.
#include "core/peak_loops.h"
#include "core/variants.h"

#if defined(BITNET_X86)

#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "core/canonical_math.h"
#include "core/float16.h"
#include "core/k_quants.h"
#include "core/row_panel.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx2,fma,f16c")
// The order matters: each header builds on the one before.
// clang-format off
#include "core/lanes_avx2.h"
#include "core/lanes.h"
#include "core/lane_rows.h"
#include "core/lane_hadamard.h"
#include "core/lane_outer.h"
#include "core/lane_attention.h"
#include "core/lane_k_quants.h"
#include "core/lane_dot.h"
// clang-format on
BITNET_TARGET_END
#include "core/lane_table.h"

namespace bitnet {

const Kernels& avx2_kernels() {
  static const Kernels kernels = [] {
    Kernels k = lane_kernels("avx2");
    k.ternary_gemm = ternary_gemm_avx2;
    k.q8_rows = q8_rows_avx2;
    k.int8_rows = int8_rows_avx2;
    k.int8_tile = &kAvx2Int8Tile;
    return k;
  }();
  return kernels;
}

namespace {

[[maybe_unused]] const bool registered =
    register_variant({"avx2", kAvx2Rank, &runs_avx2, &avx2_kernels, &kAvx2PeakLoops});

}  // namespace

}  // namespace bitnet

#endif
