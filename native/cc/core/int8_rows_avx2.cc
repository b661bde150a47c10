// int8_rows for AVX2. VPMADDUBSW multiplies |w| with x carrying the sign of w: a pair of products stays within
// 2 * 128 * 127, 16 bits.
#include "core/int8_rows.h"
#include "core/variants.h"

#if defined(BITNET_X86)

#include <immintrin.h>

#include <cstring>

#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx2,fma,f16c")

#include "core/int8_stream_256.h"

namespace bitnet {
namespace {

struct Weights {
  __m256i codes, magnitudes;
};
using Activations = __m256i;
constexpr int kStreamedTokens = 3;

BITNET_INLINE Weights load_weights(const int8_t* p) {
  const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return {codes, _mm256_abs_epi8(codes)};
}
BITNET_INLINE Activations broadcast_word(const int8_t* x) {
  int32_t four;
  std::memcpy(&four, x, sizeof four);
  return _mm256_set1_epi32(four);
}
BITNET_INLINE Sums dot(Sums sums, const Weights& weights, Activations x) {
  const __m256i pairs = _mm256_maddubs_epi16(weights.magnitudes, _mm256_sign_epi8(x, weights.codes));
  sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  BITNET_PIN(sums);
  return sums;
}
BITNET_INLINE Sums corrected(Sums sums, const int32_t*) { return sums; }

}  // namespace
}  // namespace bitnet

#include "core/int8_stream.h"

namespace bitnet {

void int8_rows_avx2(const Int8Rows& w, int64_t row_begin, int64_t row_end, const CodeRows& x, float* y,
                    int64_t y_stride) {
  stream_rows(w, row_begin, row_end, x, y, y_stride);
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
