// int8_rows for AVX-512 with VNNI: VPDPBUSD takes the activations with 128 added, as unsigned bytes.
#include "core/int8_rows.h"
#include "core/variants.h"

#if defined(BITNET_X86)

#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")

namespace bitnet {
namespace {

using Sums = __m512i;
using Weights = __m512i;
using Activations = __m512i;
constexpr int kSumLanes = 16;
constexpr int kStreamedTokens = 8;

BITNET_INLINE Weights load_weights(const int8_t* p) { return _mm512_loadu_si512(p); }
BITNET_INLINE Activations broadcast_word(const int8_t* x) {
  uint32_t four;
  std::memcpy(&four, x, sizeof four);
  return _mm512_set1_epi32(static_cast<int32_t>(four ^ 0x80808080u));
}
BITNET_INLINE Sums zero_sums() { return _mm512_setzero_si512(); }
BITNET_INLINE Sums add_sums(Sums a, Sums b) { return _mm512_add_epi32(a, b); }
BITNET_INLINE Sums dot(Sums sums, Weights weights, Activations x) {
  sums = _mm512_dpbusd_epi32(sums, x, weights);
  BITNET_PIN(sums);
  return sums;
}
BITNET_INLINE Sums corrected(Sums sums, const int32_t* row_sums) {
  return _mm512_sub_epi32(sums, _mm512_slli_epi32(_mm512_loadu_si512(row_sums), 7));
}
BITNET_INLINE void store_outputs(Sums sums, float act_scale, const float* scales, int64_t rows, float* y) {
  const __mmask16 mask = static_cast<__mmask16>((1u << rows) - 1u);
  const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(act_scale), _mm512_loadu_ps(scales));
  _mm512_mask_storeu_ps(y, mask, _mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale));
}

}  // namespace
}  // namespace bitnet

#include "core/int8_stream.h"

namespace bitnet {

void int8_rows_avx512vnni(const Int8Rows& w, int64_t row_begin, int64_t row_end, const CodeRows& x, float* y,
                          int64_t y_stride) {
  stream_rows(w, row_begin, row_end, x, y, y_stride);
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
