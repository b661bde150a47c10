// The AVX-VNNI variant, 256 bits wide: Alder Lake and later laptops and desktops, Zen 5. The AVX2 variant
// with its integer products by VPDPBUSD.
#include "core/variants.h"

#if defined(BITNET_X86) && BITNET_AVXVNNI

#include "core/peak_loops.h"

namespace bitnet {
namespace {

const Kernels& avxvnni_kernels() {
  static const Kernels kernels = [] {
    Kernels k = avx2_kernels();
    k.name = "avxvnni";
    k.ternary_gemm = ternary_gemm_avxvnni;
    k.int8_rows = int8_rows_avxvnni;
    k.code_packing = &kAvxVnniPacking;
    k.int8_tile = &kAvxVnniInt8Tile;
    return k;
  }();
  return kernels;
}

bool runs_avxvnni(const CpuFeatures& cpu) { return runs_avx2(cpu) && (kEmulatedIsa || cpu.avxvnni); }

[[maybe_unused]] const bool registered =
    register_variant({"avxvnni", kAvxVnniRank, &runs_avxvnni, &avxvnni_kernels, &kAvxVnniPeakLoops});

}  // namespace
}  // namespace bitnet

#endif
