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

// y[r] of up to four rows.
BITNET_INLINE void store_sums(__m256 a, __m256 b, __m256 c, __m256 d, float scale, int64_t rows, float* y) {
  const __m128 sums = _mm_setr_ps(sum_lanes(a), sum_lanes(b), sum_lanes(c), sum_lanes(d));
  float results[kRowGroup];
  _mm_storeu_ps(results, _mm_mul_ps(sums, _mm_set1_ps(scale)));
  std::memcpy(y, results, static_cast<size_t>(rows) * sizeof(float));
}

// The sums of one row and of up to two tokens; with one, y is not touched.
template <int Tokens>
BITNET_INLINE void add_block(const uint8_t* stored, __m256i x, __m256i y, __m256& x_sums, __m256& y_sums) {
  const __m256i w = load256(stored + 2);
  const __m256 scale = broadcast_half(stored);
  x_sums = _mm256_fmadd_ps(dot_quads(w, x), scale, x_sums);
  if (Tokens == 2) y_sums = _mm256_fmadd_ps(dot_quads(w, y), scale, y_sums);
}

// A group of four rows times one or two tokens, one chain each.
template <int Tokens>
BITNET_INLINE void multiply_group(const uint8_t* group, int64_t blocks, const int8_t* x, int64_t x_stride,
                                  const float* act_scale, int64_t rows, float* y, int64_t y_stride) {
  __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (int64_t block = 0; block < blocks; ++block) {
    const __m256i first = load256(x + block * kBlock);
    const __m256i second = Tokens == 2 ? load256(x + x_stride + block * kBlock) : first;
    BITNET_PREFETCH_AHEAD(group, kAhead);
    BITNET_PREFETCH_AHEAD(group + 64, kAhead);
    add_block<Tokens>(group, first, second, a, e);
    add_block<Tokens>(group + kBlockBytes, first, second, b, f);
    add_block<Tokens>(group + 2 * kBlockBytes, first, second, c, g);
    add_block<Tokens>(group + 3 * kBlockBytes, first, second, d, h);
    group += kRowGroup * kBlockBytes;
  }
  store_sums(a, b, c, d, act_scale[0], rows, y);
  if (Tokens == 2) store_sums(e, f, g, h, act_scale[1], rows, y + y_stride);
}

}  // namespace

void q8_rows_avx2(const RowPanel& w, int64_t row_begin, int64_t row_end, const int8_t* x, int64_t x_stride,
                  const float* act_scale, int64_t tokens, float* y, int64_t y_stride) {
  const int64_t blocks = w.cols / kBlock;
  for (int64_t row = row_begin; row < row_end; row += kRowGroup) {
    const uint8_t* group = w.data + row / kRowGroup * w.group_bytes();
    const int64_t rows = row_end - row < kRowGroup ? row_end - row : kRowGroup;
    int64_t t = 0;
    for (; t + 2 <= tokens; t += 2) {
      multiply_group<2>(group, blocks, x + t * x_stride, x_stride, act_scale + t, rows,
                        y + t * y_stride + row, y_stride);
    }
    if (t < tokens) {
      multiply_group<1>(group, blocks, x + t * x_stride, x_stride, act_scale + t, rows,
                        y + t * y_stride + row, y_stride);
    }
  }
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
