// The AVX2 variant (with FMA and F16C): Haswell, Zen and later.
#include "core/variants.h"

#if defined(BITNET_X86)

#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "core/canonical_math.h"
#include "core/float16.h"
#include "core/k_quants.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx2,fma,f16c")
// The order matters: each header builds on the one before.
// clang-format off
#include "core/lanes_avx2.h"
#include "core/lanes.h"
#include "core/lane_rows.h"
#include "core/lane_outer.h"
#include "core/lane_attention.h"
#include "core/lane_k_quants.h"
#include "core/lane_dot.h"
// clang-format on
BITNET_TARGET_END

namespace bitnet {

const Kernels kAvx2Kernels = {
    "avx2",       quantize_row, abs_sum_row, ternarize,     ternary_gemm_avx2, rms_norm_row,
    rope_row,     relu2_gate,   silu_gate,   add_rows,      attention,         linear_rows,
    q8_rows_avx2, decode_row,   log_sum_exp, kLaneGemmTile, nullptr,           &kAvx2Int8Tile,
};

}  // namespace bitnet

#endif
