// The AVX-512 variant (F, BW, DQ, VL and VNNI): Ice Lake, Zen 4 and later.
#include "core/variants.h"

#if defined(BITNET_X86)

#include <cmath>
#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/canonical_math.h"
#include "core/float16.h"
#include "core/k_quants.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")
// The order matters: each header builds on the one before.
// clang-format off
#include "core/lanes_avx512.h"
#include "core/lanes.h"
#include "core/lane_rows.h"
#include "core/lane_outer.h"
#include "core/lane_attention.h"
#include "core/lane_k_quants.h"
#include "core/lane_dot.h"
// clang-format on
BITNET_TARGET_END

namespace bitnet {

const Kernels kAvx512VnniKernels = {
    "avx512vnni", quantize_row, abs_sum_row,   ternarize,        ternary_gemm_avx512vnni,
    rms_norm_row, rope_row,     relu2_gate,    silu_gate,        add_rows,
    attention,    linear_rows,
    q8_rows_avx2,  // streams at the speed of memory as it is
    decode_row,   log_sum_exp,  kLaneGemmTile, &kAvx512Bf16Tile, &kAvx512VnniInt8Tile,
};

}  // namespace bitnet

#endif
