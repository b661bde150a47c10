// int8_rows for AVX-VNNI: VPDPBUSD takes the activations with 128 added, as unsigned bytes.
#include "core/int8_rows.h"
#include "core/variants.h"

#if defined(BITNET_X86) && BITNET_AVXVNNI

#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avxvnni,avx2,fma")

#include "core/int8_stream_256.h"

namespace bitnet {
namespace {

using Weights = __m256i;
using Activations = __m256i;
constexpr int kStreamedTokens = 4;

BITNET_INLINE Weights load_weights(const int8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
BITNET_INLINE Activations broadcast_word(const int8_t* x) {
  uint32_t four;
  std::memcpy(&four, x, sizeof four);
  return _mm256_set1_epi32(static_cast<int32_t>(four ^ 0x80808080u));
}
BITNET_INLINE Sums dot(Sums sums, Weights weights, Activations x) {
  sums = _mm256_dpbusd_avx_epi32(sums, x, weights);
  BITNET_PIN(sums);
  return sums;
}
BITNET_INLINE Sums corrected(Sums sums, const int32_t* row_sums) {
  const __m256i rows = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row_sums));
  return _mm256_sub_epi32(sums, _mm256_slli_epi32(rows, 7));
}

}  // namespace
}  // namespace bitnet

#include "core/int8_stream.h"

namespace bitnet {

void int8_rows_avxvnni(const Int8Rows& w, int64_t row_begin, int64_t row_end, const CodeRows& x, float* y,
                       int64_t y_stride) {
  stream_rows(w, row_begin, row_end, x, y, y_stride);
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
