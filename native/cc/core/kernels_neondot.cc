// The NEON variant for AArch64 with the dot product extension: Cortex-A76, Neoverse N1, Apple M1 and later.
#include "core/variants.h"

#if defined(BITNET_ARM64)

#include <arm_neon.h>

#include <cmath>
#include <cstring>

#include "core/canonical_math.h"
#include "core/float16.h"
#include "core/k_quants.h"
#include "core/target_region.h"

// Everything here is baseline NEON; only ternary_gemm_neondot.cc needs the extension.
// The order matters: each header builds on the one before.
// clang-format off
#include "core/lanes_neon.h"
#include "core/lanes.h"
#include "core/lane_rows.h"
#include "core/lane_outer.h"
#include "core/lane_attention.h"
#include "core/lane_k_quants.h"
#include "core/lane_dot.h"
// clang-format on

namespace bitnet {

const Kernels kNeonDotKernels = {
    "neondot",     quantize_row, abs_sum_row,       ternarize,  ternary_gemm_neondot,
    rms_norm_row,  rope_row,     relu2_gate,        silu_gate,  add_rows,
    attention,     linear_rows,  q8_rows_neondot,   decode_row, log_sum_exp,
    kLaneGemmTile, nullptr,      &kNeonDotInt8Tile,
};

}  // namespace bitnet

#endif
