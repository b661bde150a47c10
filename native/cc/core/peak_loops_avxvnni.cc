// Peak loops for AVX-VNNI: AVX2's, but for the products of bytes.
#include "core/peak_loops.h"

#if defined(BITNET_X86) && BITNET_AVXVNNI

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avxvnni,avx2")

namespace bitnet {
namespace {

float avxvnni_int8_rounds(int64_t rounds) {
  __m256i sums[kPeakChains];
  const __m256i codes = _mm256_set1_epi8(1);
  BITNET_UNROLL
  for (int i = 0; i < kPeakChains; ++i) sums[i] = _mm256_set1_epi32(i);
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kPeakChains; ++i) {
      sums[i] = _mm256_dpbusd_avx_epi32(sums[i], codes, codes);
      BITNET_PIN(sums[i]);
    }
  }
  __m256i total = sums[0];
  BITNET_UNROLL
  for (int i = 1; i < kPeakChains; ++i) total = _mm256_xor_si256(total, sums[i]);
  return static_cast<float>(_mm256_extract_epi32(total, 0));
}

}  // namespace
}  // namespace bitnet

BITNET_TARGET_END

namespace bitnet {

const PeakLoops kAvxVnniPeakLoops = [] {
  PeakLoops loops = kAvx2PeakLoops;
  loops.int8 = avxvnni_int8_rounds;
  return loops;
}();

}  // namespace bitnet

#endif
