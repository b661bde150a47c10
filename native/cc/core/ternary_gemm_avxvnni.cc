// ternary_gemm for AVX-VNNI, 256 bits wide: see vnni_products.h and vnni_spans.h.
#include "core/variants.h"

#if defined(BITNET_X86) && BITNET_AVXVNNI

#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avxvnni,avx2,fma,f16c")

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

BITNET_INLINE void store_rows(__m256 values, int64_t rows, float* y) {
  if (rows >= kLanesOfCodes) return _mm256_storeu_ps(y, values);
  float all[kLanesOfCodes];
  _mm256_storeu_ps(all, values);
  std::memcpy(y, all, static_cast<size_t>(rows) * sizeof(float));
}
BITNET_INLINE void store_outputs(Codes sums, int32_t code_sum, float act_scale, const float* scales,
                                 int64_t rows, float* y) {
  const __m256 exact = _mm256_cvtepi32_ps(_mm256_sub_epi32(sums, _mm256_set1_epi32(code_sum)));
  const __m256 scale = _mm256_mul_ps(_mm256_set1_ps(act_scale), _mm256_loadu_ps(scales));
  store_rows(_mm256_mul_ps(exact, scale), rows, y);
}

using Floats = __m256;
BITNET_INLINE Floats zero_floats() { return _mm256_setzero_ps(); }
BITNET_INLINE Floats load_floats(const float* p) { return _mm256_loadu_ps(p); }
BITNET_INLINE void store_floats(float* p, Floats v) { _mm256_storeu_ps(p, v); }
BITNET_INLINE Codes broadcast_sum(int32_t sum) { return _mm256_set1_epi32(sum); }
BITNET_INLINE Codes take_off(Codes sums, const int32_t* sum) {
  return _mm256_sub_epi32(sums, _mm256_set1_epi32(*sum));
}
BITNET_INLINE Floats add_scaled(Floats total, Codes sums, Floats scales) {
  return _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), scales, total);
}
BITNET_INLINE Floats load_scales(const void* values, bool half, int64_t index) {
  if (!half) return _mm256_loadu_ps(static_cast<const float*>(values) + index);
  const uint16_t* halves = static_cast<const uint16_t*>(values) + index;
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
}
BITNET_INLINE void store_totals(Floats total, float act_scale, int64_t rows, float* y) {
  store_rows(_mm256_mul_ps(total, _mm256_set1_ps(act_scale)), rows, y);
}

}  // namespace
}  // namespace bitnet

#include "core/vnni_spans.h"

namespace bitnet {

void ternary_gemm_avxvnni(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const CodeRows& x,
                          float* y, int64_t y_stride) {
  multiply_codes(w, group_begin, group_end, x, y, y_stride);
}

const CodePacking kAvxVnniPacking = kVnniPacking;

}  // namespace bitnet

BITNET_TARGET_END

#endif
