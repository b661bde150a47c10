// Peak loops for AVX-512 with VNNI.
#include "core/peak_loops.h"

#if defined(BITNET_X86)

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512vnni,avx512bf16")

namespace bitnet {
namespace {

float avx512_fma_rounds(int64_t rounds) {
  __m512 sums[kPeakChains];
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(1e-3f);
  BITNET_UNROLL
  for (int i = 0; i < kPeakChains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kPeakChains; ++i) sums[i] = _mm512_fmadd_ps(sums[i], a, b);
  }
  __m512 total = sums[0];
  BITNET_UNROLL
  for (int i = 1; i < kPeakChains; ++i) total = _mm512_add_ps(total, sums[i]);
  alignas(64) float lanes[16];
  _mm512_store_ps(lanes, total);
  return lanes[0];
}

float avx512_int8_rounds(int64_t rounds) {
  __m512i sums[kPeakChains];
  const __m512i codes = _mm512_set1_epi8(1);
  BITNET_UNROLL
  for (int i = 0; i < kPeakChains; ++i) sums[i] = _mm512_set1_epi32(i);
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kPeakChains; ++i) {
      sums[i] = _mm512_dpbusd_epi32(sums[i], codes, codes);
      BITNET_PIN(sums[i]);
    }
  }
  __m512i total = sums[0];
  BITNET_UNROLL
  for (int i = 1; i < kPeakChains; ++i) total = _mm512_xor_si512(total, sums[i]);
  alignas(64) int32_t lanes[16];
  _mm512_store_si512(lanes, total);
  return static_cast<float>(lanes[0]);
}

#if defined(BITNET_EMULATED_ISA)
constexpr float (*avx512_bf16_rounds)(int64_t) = nullptr;
#else
float avx512_bf16_rounds(int64_t rounds) {
  __m512 sums[kPeakChains];
  const __m512bh pairs = (__m512bh)_mm512_set1_epi32(0x3f803f80);
  BITNET_UNROLL
  for (int i = 0; i < kPeakChains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kPeakChains; ++i) sums[i] = _mm512_dpbf16_ps(sums[i], pairs, pairs);
  }
  __m512 total = sums[0];
  BITNET_UNROLL
  for (int i = 1; i < kPeakChains; ++i) total = _mm512_add_ps(total, sums[i]);
  alignas(64) float lanes[16];
  _mm512_store_ps(lanes, total);
  return lanes[0];
}
#endif

}  // namespace
}  // namespace bitnet

BITNET_TARGET_END

namespace bitnet {

const PeakLoops kAvx512VnniPeakLoops = {
    avx512_fma_rounds, avx512_int8_rounds, kPeakChains * 16 * 2, kPeakChains * 64 * 2,
    nullptr,           avx512_bf16_rounds, kPeakChains * 32 * 2};

}  // namespace bitnet

#endif
