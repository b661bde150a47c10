// Bf16Tile for AVX-512 with BF16 (Zen 4, Cooper Lake and later): a word of A is broadcast against 32 words of
// B, two depths a step by VDPBF16PS.
#include "core/variants.h"

#if defined(BITNET_X86)

#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c")

namespace bitnet {
namespace {

constexpr int kRows = 12;
constexpr int64_t kCols = 32;

#if defined(BITNET_EMULATED_ISA)
BITNET_INLINE __m512 multiply_pairs(__m512 sums, __m512i a, __m512i b) {
  return emulated_dpbf16_ps(sums, a, b);
}
#else
static_assert(sizeof(__m512bh) == sizeof(__m512i), "32 bfloat16");
BITNET_INLINE __m512 multiply_pairs(__m512 sums, __m512i a, __m512i b) {
  return _mm512_dpbf16_ps(sums, (__m512bh)a, (__m512bh)b);
}
#endif

BITNET_INLINE __m512i broadcast_pair(const float* p) {
  int32_t pair;
  std::memcpy(&pair, p, sizeof pair);
  return _mm512_set1_epi32(pair);
}

// A is always a packed panel: its rows are one word apart.
void multiply(int64_t pairs, const float* a, int64_t, int64_t a_step, const float* b, float* out,
              int64_t stride, bool accumulate) {
  __m512 low[kRows], high[kRows];
  BITNET_UNROLL
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = _mm512_setzero_ps();
  for (int64_t p = 0; p < pairs; ++p) {
    const __m512i first = _mm512_loadu_si512(b), second = _mm512_loadu_si512(b + 16);
    BITNET_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512i pair = broadcast_pair(a + r);
      low[r] = multiply_pairs(low[r], pair, first);
      high[r] = multiply_pairs(high[r], pair, second);
    }
    a += a_step;
    b += kCols;
  }
  BITNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    float* row = out + r * stride;
    if (accumulate) {
      low[r] = _mm512_add_ps(_mm512_loadu_ps(row), low[r]);
      high[r] = _mm512_add_ps(_mm512_loadu_ps(row + 16), high[r]);
    }
    _mm512_storeu_ps(row, low[r]);
    _mm512_storeu_ps(row + 16, high[r]);
  }
}

}  // namespace

const Bf16Tile kAvx512Bf16Tile = {kRows, kCols, multiply};

}  // namespace bitnet

BITNET_TARGET_END

#endif
