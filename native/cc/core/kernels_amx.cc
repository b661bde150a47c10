// The AMX variant: Sapphire Rapids and later. The AVX-512 variant with its matrix products in tiles.
#include "core/amx_intrinsics.h"

#if defined(BITNET_X86) && BITNET_AMX

#include "core/peak_loops.h"

namespace bitnet {
namespace {

const Kernels& amx_kernels() {
  static const Kernels kernels = [] {
    Kernels k = avx512vnni_kernels();
    k.name = "amx";
    k.ternary_gemm = ternary_gemm_amx;
    k.code_packing = &kAmxPacking;
    k.bf16_tile = &kAmxBf16Tile;
    k.int8_panels = &kAmxInt8Tile;
    return k;
  }();
  return kernels;
}

bool runs_amx(const CpuFeatures& cpu) {
  return runs_avx2(cpu) && (kEmulatedIsa || (cpu.avx512vnni && cpu.avx512bf16 && cpu.amx));
}

[[maybe_unused]] const bool registered =
    register_variant({"amx", kAmxRank, &runs_amx, &amx_kernels, &kAmxPeakLoops});

}  // namespace
}  // namespace bitnet

#endif
