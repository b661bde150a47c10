// The NEON variant for AArch64 with the dot product extension: Cortex-A76, Neoverse N1, Apple M1 and later.
#include "core/peak_loops.h"
#include "core/variants.h"

#if defined(BITNET_ARM64)

#include <arm_neon.h>

#include <cmath>
#include <cstring>

#include "core/canonical_math.h"
#include "core/float16.h"
#include "core/k_quants.h"
#include "core/row_panel.h"
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

namespace {

const Kernels& neondot_kernels() {
  static const Kernels kernels = [] {
    Kernels k{};
    k.name = "neondot";
    k.quantize_row = quantize_row;
    k.abs_sum_row = abs_sum_row;
    k.ternarize = ternarize;
    k.ternary_gemm = ternary_gemm_neondot;
    k.rms_norm_row = rms_norm_row;
    k.rope_row = rope_row;
    k.relu2_gate = relu2_gate;
    k.silu_gate = silu_gate;
    k.add = add_rows;
    k.attention = attention;
    k.linear_rows = linear_rows;
    k.panel_rows = panel_rows;
    k.q8_rows = q8_rows_neondot;
    k.decode_row = decode_row;
    k.log_sum_exp = log_sum_exp;
    k.gemm_tile = kLaneGemmTile;
    k.int8_tile = &kNeonDotInt8Tile;
    return k;
  }();
  return kernels;
}

[[maybe_unused]] const bool registered =
    register_variant({"neondot", kNeonDotRank, [](const CpuFeatures& cpu) { return cpu.neon_dot; },
                      &neondot_kernels, &kNeonDotPeakLoops});

}  // namespace

}  // namespace bitnet

#endif
