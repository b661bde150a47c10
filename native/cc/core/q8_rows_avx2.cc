// q8_rows for AVX2. VPMADDUBSW multiplies |w| with x carrying the sign of w: a pair of products stays within
// 2 * 128 * 127, 16 bits. Further tokens find the rows of a group in the first-level cache.
#include "core/row_panel.h"
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
constexpr uintptr_t kAhead = 4096;  // bytes: what a memory has under way

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

// One row of the group, one token: their block, added to the row's chain.
BITNET_INLINE __m256 add_block(__m256 sums, const uint8_t* stored, __m256i x) {
  return _mm256_fmadd_ps(dot_quads(load256(stored + 2), x), broadcast_half(stored), sums);
}

// A group of four rows times one token.
BITNET_INLINE __m128 multiply_one(const uint8_t* group, int64_t blocks, const int8_t* x) {
  __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
  for (int64_t block = 0; block < blocks; ++block) {
    const __m256i codes = load256(x + block * kBlock);
    BITNET_PREFETCH_AHEAD(group, kAhead);
    BITNET_PREFETCH_AHEAD(group + 64, kAhead);
    a = add_block(a, group, codes);
    b = add_block(b, group + kBlockBytes, codes);
    c = add_block(c, group + 2 * kBlockBytes, codes);
    d = add_block(d, group + 3 * kBlockBytes, codes);
    group += kRowGroup * kBlockBytes;
  }
  return _mm_setr_ps(sum_lanes(a), sum_lanes(b), sum_lanes(c), sum_lanes(d));
}

}  // namespace

void q8_rows_avx2(const RowPanel& w, int64_t row_begin, int64_t row_end, const int8_t* x, int64_t x_stride,
                  const float* act_scale, int64_t tokens, float* y, int64_t y_stride) {
  const int64_t blocks = w.cols / kBlock;
  for (int64_t row = row_begin; row < row_end; row += kRowGroup) {
    const uint8_t* group = w.data + row / kRowGroup * w.group_bytes();
    const int64_t rows = row_end - row < kRowGroup ? row_end - row : kRowGroup;
    for (int64_t t = 0; t < tokens; ++t) {
      const __m128 sums = multiply_one(group, blocks, x + t * x_stride);
      float results[kRowGroup];
      _mm_storeu_ps(results, _mm_mul_ps(sums, _mm_set1_ps(act_scale[t])));
      std::memcpy(y + t * y_stride + row, results, static_cast<size_t>(rows) * sizeof(float));
    }
  }
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
