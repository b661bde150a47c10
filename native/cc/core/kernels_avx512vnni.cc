// The AVX-512 variant (F, BW, DQ, VL and VNNI): Ice Lake, Zen 4 and later.
#include "core/peak_loops.h"
#include "core/variants.h"

#if defined(BITNET_X86)

#include <cmath>
#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/canonical_math.h"
#include "core/float16.h"
#include "core/k_quants.h"
#include "core/row_panel.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")
// The order matters: each header builds on the one before.
// clang-format off
#include "core/lanes_avx512.h"
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

const Kernels& avx512vnni_kernels() {
  static const Kernels kernels = [] {
    Kernels k = lane_kernels("avx512vnni");
    k.ternary_gemm = ternary_gemm_avx512vnni;
    k.q8_rows = q8_rows_avx2;
    k.int8_rows = int8_rows_avx512vnni;
    k.int8_panels = &kAvx512VnniInt8Panels;
    k.code_packing = &kAvx512VnniPacking;
    k.bf16_tile = &kAvx512Bf16Tile;
    return k;
  }();
  return kernels;
}

namespace {

[[maybe_unused]] const bool registered = register_variant(
    {"avx512vnni", kAvx512VnniRank,
     [](const CpuFeatures& cpu) { return runs_avx2(cpu) && (kEmulatedIsa || cpu.avx512vnni); },
     &avx512vnni_kernels, &kAvx512VnniPeakLoops});

}  // namespace

}  // namespace bitnet

#endif
