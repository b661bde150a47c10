// Peak loops for AArch64 with the dot product extension.
#include "core/peak_loops.h"

#if defined(BITNET_ARM64)

#include <arm_neon.h>

#include "core/target_region.h"

BITNET_TARGET_BEGIN_NEON_DOT

namespace bitnet {
namespace {

float neon_fma_rounds(int64_t rounds) {
  float32x4_t sums[kPeakChains];
  const float32x4_t a = vdupq_n_f32(0.999f), b = vdupq_n_f32(1e-3f);
  BITNET_UNROLL
  for (int i = 0; i < kPeakChains; ++i) sums[i] = vdupq_n_f32(static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kPeakChains; ++i) sums[i] = vfmaq_f32(sums[i], a, b);
  }
  float total = 0;
  BITNET_UNROLL
  for (int i = 0; i < kPeakChains; ++i) total += vaddvq_f32(sums[i]);
  return total;
}

float neon_int8_rounds(int64_t rounds) {
  int32x4_t sums[kPeakChains];
  const int8x16_t codes = vdupq_n_s8(1);
  BITNET_UNROLL
  for (int i = 0; i < kPeakChains; ++i) sums[i] = vdupq_n_s32(i);
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kPeakChains; ++i) {
      sums[i] = vdotq_s32(sums[i], codes, codes);
      BITNET_PIN(sums[i]);
    }
  }
  int32_t total = 0;
  BITNET_UNROLL
  for (int i = 0; i < kPeakChains; ++i) total ^= vaddvq_s32(sums[i]);
  return static_cast<float>(total);
}

}  // namespace
}  // namespace bitnet

BITNET_TARGET_END

namespace bitnet {

const PeakLoops kNeonDotPeakLoops = {neon_fma_rounds, neon_int8_rounds, kPeakChains * 4 * 2,
                                     kPeakChains * 16 * 2, nullptr};

}  // namespace bitnet

#endif
