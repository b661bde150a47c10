// Peak loops for AVX2 with FMA.
#include "core/peak_loops.h"

#if defined(BITNET_X86)

#include <immintrin.h>

#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx2,fma")

namespace bitnet {
namespace {

float avx2_fma_rounds(int64_t rounds) {
  __m256 sums[kPeakChains];
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-3f);
  BITNET_UNROLL
  for (int i = 0; i < kPeakChains; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kPeakChains; ++i) sums[i] = _mm256_fmadd_ps(sums[i], a, b);
  }
  __m256 total = sums[0];
  BITNET_UNROLL
  for (int i = 1; i < kPeakChains; ++i) total = _mm256_add_ps(total, sums[i]);
  return _mm256_cvtss_f32(total);
}

float avx2_int8_rounds(int64_t rounds) {
  __m256i sums[kPeakChains];
  const __m256i codes = _mm256_set1_epi8(1);
  BITNET_UNROLL
  for (int i = 0; i < kPeakChains; ++i) sums[i] = _mm256_set1_epi8(static_cast<char>(i));
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kPeakChains; ++i) {
      sums[i] = _mm256_maddubs_epi16(codes, sums[i]);
      BITNET_PIN(sums[i]);
    }
  }
  __m256i total = sums[0];
  BITNET_UNROLL
  for (int i = 1; i < kPeakChains; ++i) total = _mm256_xor_si256(total, sums[i]);
  return static_cast<float>(_mm256_extract_epi32(total, 0));
}

uint64_t avx2_read(const uint8_t* data, int64_t bytes) {
  __m256i sums[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                     _mm256_setzero_si256()};
  for (int64_t i = 0; i + 128 <= bytes; i += 128) {
    BITNET_UNROLL
    for (int j = 0; j < 4; ++j) {
      sums[j] =
          _mm256_xor_si256(sums[j], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data + i + 32 * j)));
    }
  }
  const __m256i total =
      _mm256_xor_si256(_mm256_xor_si256(sums[0], sums[1]), _mm256_xor_si256(sums[2], sums[3]));
  return static_cast<uint64_t>(_mm256_extract_epi64(total, 0));
}

}  // namespace
}  // namespace bitnet

BITNET_TARGET_END

namespace bitnet {

const PeakLoops kAvx2PeakLoops = {avx2_fma_rounds, avx2_int8_rounds, kPeakChains * 8 * 2,
                                  kPeakChains * 32 * 2, avx2_read};

}  // namespace bitnet

#endif
