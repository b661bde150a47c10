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
#include "core/lane_hadamard.h"
#include "core/lane_outer.h"
#include "core/lane_attention.h"
#include "core/lane_k_quants.h"
#include "core/lane_dot.h"
// clang-format on
#include "core/lane_table.h"

namespace bitnet {

namespace {

const Kernels& neondot_kernels() {
  static const Kernels kernels = [] {
    Kernels k = lane_kernels("neondot");
    k.ternary_gemm = ternary_gemm_neondot;
    k.q8_rows = q8_rows_neondot;
    k.int8_rows = int8_rows_neondot;
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
