// ternary_gemm for AVX-VNNI, 256 bits wide: see vnni_products.h.
#include "core/variants.h"

#if defined(BITNET_X86) && BITNET_AVXVNNI

#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avxvnni,avx2,fma")

namespace bitnet {
namespace {

using Codes = __m256i;
constexpr int kLanesOfCodes = 8;
constexpr int kTileTokens = 6;
constexpr int kFewTokens = 2;

BITNET_INLINE Codes load_codes(const uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
BITNET_INLINE void store_codes(uint8_t* p, Codes v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
BITNET_INLINE Codes zero_sums() { return _mm256_setzero_si256(); }
BITNET_INLINE Codes add_sums(Codes a, Codes b) { return _mm256_add_epi32(a, b); }
BITNET_INLINE Codes two_bits(Codes v, int step) {
  const Codes shifted = step == 0 ? v : _mm256_srli_epi16(v, 2 * step);
  return _mm256_and_si256(shifted, _mm256_set1_epi8(3));
}
BITNET_INLINE Codes broadcast_columns(const void* x) {
  int32_t four;
  std::memcpy(&four, x, sizeof four);
  return _mm256_set1_epi32(four);
}
BITNET_INLINE Codes dot(Codes sums, Codes codes, Codes x) {
  sums = _mm256_dpbusd_avx_epi32(sums, codes, x);
  BITNET_PIN(sums);
  return sums;
}

BITNET_INLINE void store_outputs(Codes sums, int32_t code_sum, float act_scale, const float* scales,
                                 int64_t rows, float* y) {
  const __m256 exact = _mm256_cvtepi32_ps(_mm256_sub_epi32(sums, _mm256_set1_epi32(code_sum)));
  const __m256 scale = _mm256_mul_ps(_mm256_set1_ps(act_scale), _mm256_loadu_ps(scales));
  const __m256 values = _mm256_mul_ps(exact, scale);
  if (rows >= kLanesOfCodes) return _mm256_storeu_ps(y, values);
  float all[kLanesOfCodes];
  _mm256_storeu_ps(all, values);
  std::memcpy(y, all, static_cast<size_t>(rows) * sizeof(float));
}

}  // namespace
}  // namespace bitnet

#include "core/vnni_products.h"

namespace bitnet {

void ternary_gemm_avxvnni(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const CodeRows& x,
                          float* y, int64_t y_stride) {
  multiply_codes(w, group_begin, group_end, x, y, y_stride);
}

const CodePacking kAvxVnniPacking = kVnniPacking;

}  // namespace bitnet

BITNET_TARGET_END

#endif
