// q8_rows for AVX2. VPMADDUBSW multiplies |w| with x carrying the sign of w: a pair of products stays within
// 2 * 128 * 127, 16 bits.
#include "core/variants.h"

#if defined(BITNET_X86)

#include <immintrin.h>

#include <cstring>

#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx2,fma,f16c")

namespace bitnet {
namespace {

constexpr int64_t kBlock = 32;
constexpr int64_t kBlockBytes = 34;

BITNET_INLINE __m256i load256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

BITNET_INLINE __m256 broadcast_half(const uint8_t* p) {
  uint16_t half;
  std::memcpy(&half, p, sizeof half);
  return _mm256_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
}

// 8 sums of 4 products each.
BITNET_INLINE __m256 dot_quads(__m256i w, __m256i x) {
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
  return _mm256_cvtepi32_ps(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

BITNET_INLINE float sum_lanes(__m256 v) {
  __m128 t = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  t = _mm_add_ps(t, _mm_movehl_ps(t, t));
  return _mm_cvtss_f32(_mm_add_ss(t, _mm_movehdup_ps(t)));
}

// Rows rows times Tokens tokens, one chain each.
template <int Rows, int Tokens>
BITNET_INLINE void multiply(const uint8_t* w, int64_t row_bytes, int64_t cols, const int8_t* x,
                            int64_t x_stride, const float* act_scale, float* y, int64_t y_stride) {
  __m256 sums[Rows][Tokens];
  BITNET_UNROLL
  for (int r = 0; r < Rows; ++r) {
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) sums[r][t] = _mm256_setzero_ps();
  }
  for (int64_t block = 0; block < cols / kBlock; ++block) {
    BITNET_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const uint8_t* stored = w + r * row_bytes + block * kBlockBytes;
      if (Rows == 1) BITNET_PREFETCH_STREAM(stored);
      const __m256i weights = load256(stored + 2);
      const __m256 scale = broadcast_half(stored);
      BITNET_UNROLL
      for (int t = 0; t < Tokens; ++t) {
        sums[r][t] = _mm256_fmadd_ps(dot_quads(weights, load256(x + t * x_stride + block * kBlock)), scale,
                                     sums[r][t]);
      }
    }
  }
  BITNET_UNROLL
  for (int r = 0; r < Rows; ++r) {
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) y[t * y_stride + r] = sum_lanes(sums[r][t]) * act_scale[t];
  }
}

template <int Tokens>
void multiply_rows(const uint8_t* w, int64_t row_bytes, int64_t row_begin, int64_t row_end, int64_t cols,
                   const int8_t* x, int64_t x_stride, const float* act_scale, float* y, int64_t y_stride) {
  int64_t row = row_begin;
  // One token reads the rows as one stream: twice as fast from memory as two rows side by side.
  for (; Tokens > 1 && row + 2 <= row_end; row += 2) {
    multiply<2, Tokens>(w + row * row_bytes, row_bytes, cols, x, x_stride, act_scale, y + row, y_stride);
  }
  for (; row < row_end; ++row) {
    multiply<1, Tokens>(w + row * row_bytes, row_bytes, cols, x, x_stride, act_scale, y + row, y_stride);
  }
}

}  // namespace

void q8_rows_avx2(const void* w, int64_t row_begin, int64_t row_end, int64_t cols, const int8_t* x,
                  int64_t x_stride, const float* act_scale, int64_t tokens, float* y, int64_t y_stride) {
  const uint8_t* rows = static_cast<const uint8_t*>(w);
  const int64_t row_bytes = cols / kBlock * kBlockBytes;
  int64_t t = 0;
  for (; t + 4 <= tokens; t += 4) {
    multiply_rows<4>(rows, row_bytes, row_begin, row_end, cols, x + t * x_stride, x_stride, act_scale + t,
                     y + t * y_stride, y_stride);
  }
  for (; t < tokens; ++t) {
    multiply_rows<1>(rows, row_bytes, row_begin, row_end, cols, x + t * x_stride, x_stride, act_scale + t,
                     y + t * y_stride, y_stride);
  }
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
