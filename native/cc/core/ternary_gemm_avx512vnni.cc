// ternary_gemm for AVX-512 with VNNI: see vnni_products.h and vnni_spans.h.
#include "core/variants.h"

#if defined(BITNET_X86)

#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")

namespace bitnet {
namespace {

using Codes = __m512i;
constexpr int kLanesOfCodes = 16;
constexpr int kTileTokens = 12;
constexpr int kFewTokens = 8;

BITNET_INLINE Codes load_codes(const uint8_t* p) { return _mm512_loadu_si512(p); }
BITNET_INLINE void store_codes(uint8_t* p, Codes v) { _mm512_storeu_si512(p, v); }
BITNET_INLINE Codes zero_sums() { return _mm512_setzero_si512(); }
BITNET_INLINE Codes add_sums(Codes a, Codes b) { return _mm512_add_epi32(a, b); }
BITNET_INLINE Codes two_bits(Codes v, int step) {
  const Codes shifted = step == 0 ? v : _mm512_srli_epi16(v, static_cast<unsigned>(2 * step));
  return _mm512_and_si512(shifted, _mm512_set1_epi8(3));
}
BITNET_INLINE Codes broadcast_columns(const void* x) {
  int32_t four;
  std::memcpy(&four, x, sizeof four);
  return _mm512_set1_epi32(four);
}
BITNET_INLINE Codes dot(Codes sums, Codes codes, Codes x) {
  sums = _mm512_dpbusd_epi32(sums, codes, x);
  BITNET_PIN(sums);
  return sums;
}

BITNET_INLINE __mmask16 first_rows(int64_t rows) {
  return static_cast<__mmask16>(rows >= kLanesOfCodes ? 0xffffu : (1u << rows) - 1u);
}
BITNET_INLINE void store_outputs(Codes sums, int32_t code_sum, float act_scale, const float* scales,
                                 int64_t rows, float* y) {
  const __m512 exact = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums, _mm512_set1_epi32(code_sum)));
  const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(act_scale), _mm512_loadu_ps(scales));
  _mm512_mask_storeu_ps(y, first_rows(rows), _mm512_mul_ps(exact, scale));
}

using Floats = __m512;
BITNET_INLINE Floats zero_floats() { return _mm512_setzero_ps(); }
BITNET_INLINE Floats load_floats(const float* p) { return _mm512_loadu_ps(p); }
BITNET_INLINE void store_floats(float* p, Floats v) { _mm512_storeu_ps(p, v); }
BITNET_INLINE Codes broadcast_sum(int32_t sum) { return _mm512_set1_epi32(sum); }
BITNET_INLINE Codes take_off(Codes sums, const int32_t* sum) {
  return _mm512_sub_epi32(sums, _mm512_set1_epi32(*sum));
}
BITNET_INLINE Floats add_scaled(Floats total, Codes sums, Floats scales) {
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), scales, total);
}
BITNET_INLINE Floats load_scales(const void* values, bool half, int64_t index) {
  if (!half) return _mm512_loadu_ps(static_cast<const float*>(values) + index);
  const uint16_t* halves = static_cast<const uint16_t*>(values) + index;
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
}
BITNET_INLINE void store_totals(Floats total, float act_scale, int64_t rows, float* y) {
  _mm512_mask_storeu_ps(y, first_rows(rows), _mm512_mul_ps(total, _mm512_set1_ps(act_scale)));
}

}  // namespace
}  // namespace bitnet

#include "core/vnni_spans.h"

namespace bitnet {

void ternary_gemm_avx512vnni(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const CodeRows& x,
                             float* y, int64_t y_stride) {
  multiply_codes(w, group_begin, group_end, x, y, y_stride);
}

const CodePacking kAvx512VnniPacking = kVnniPacking;

}  // namespace bitnet

BITNET_TARGET_END

#endif
