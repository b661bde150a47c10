// Int8Tile for AVX-512 with VNNI: four depths a step by VPDPBUSD. A's codes are stored with 128 added, as
// unsigned bytes; 128 times the column sums of B, which a packed panel of B carries in front, are subtracted.
#include "core/variants.h"

#if defined(BITNET_X86)

#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")

namespace bitnet {
namespace {

constexpr int kRows = 12;
constexpr int64_t kCols = 32;
constexpr int64_t kGroup = 4;

alignas(64) const int8_t kZeros[kInt8PanelRows] = {};

BITNET_INLINE __m128i load128(const int8_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
BITNET_INLINE void store128(uint8_t* p, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }

// 16 lanes of four rows, interleaved byte by byte.
BITNET_INLINE void interleave(const int8_t* const* rows, int64_t lane, __m128i (&out)[4]) {
  const __m128i a = load128(rows[0] + lane), b = load128(rows[1] + lane);
  const __m128i c = load128(rows[2] + lane), d = load128(rows[3] + lane);
  const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
  const __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
  out[0] = _mm_unpacklo_epi16(ab_low, cd_low);
  out[1] = _mm_unpackhi_epi16(ab_low, cd_low);
  out[2] = _mm_unpacklo_epi16(ab_high, cd_high);
  out[3] = _mm_unpackhi_epi16(ab_high, cd_high);
}

// Every byte is exclusive-ored with `flip`.
template <int64_t Width>
void pack_panel(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, int flip, uint8_t* panel) {
  const __m128i flips = _mm_set1_epi8(static_cast<char>(flip));
  for (int64_t p = 0; p < depth; p += kGroup, panel += Width * kGroup) {
    const int8_t* rows[kGroup];
    for (int64_t i = 0; i < kGroup; ++i) rows[i] = p + i < depth ? codes + (p + i) * stride : kZeros;
    for (int64_t lane = 0; lane < Width; lane += 16) {
      __m128i out[4] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
      if (lane < lanes) interleave(rows, lane, out);
      for (int i = 0; i < 4; ++i) store128(panel + (lane + 4 * i) * kGroup, _mm_xor_si128(out[i], flips));
    }
  }
}

void pack_a(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  pack_panel<kInt8PanelRows>(codes, stride, depth, lanes, 0x80, panel);
}

void pack_b(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  pack_panel<kCols>(codes, stride, depth, lanes, 0, panel + 4 * kCols);
  const __m512i factor = _mm512_set1_epi8(static_cast<char>(0x80));  // 128 as an unsigned byte
  for (int64_t half = 0; half < 2; ++half) {
    __m512i sums = _mm512_setzero_si512();
    for (int64_t p = 0; p < depth; p += kGroup) {
      const __m512i step = _mm512_loadu_si512(panel + 4 * kCols + p * kCols + half * 64);
      sums = _mm512_dpbusd_epi32(sums, factor, step);
    }
    _mm512_storeu_si512(panel + half * 64, sums);
  }
}

BITNET_INLINE __m512i broadcast_step(const uint8_t* p) {
  int32_t four;
  std::memcpy(&four, p, sizeof four);
  return _mm512_set1_epi32(four);
}

void multiply(int64_t steps, const uint8_t* a, const uint8_t* b, int32_t* out, int64_t stride,
              bool accumulate) {
  __m512i low[kRows], high[kRows];
  const __m512i zero = _mm512_setzero_si512();
  const __m512i low_correction = _mm512_sub_epi32(zero, _mm512_loadu_si512(b));
  const __m512i high_correction = _mm512_sub_epi32(zero, _mm512_loadu_si512(b + 64));
  BITNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    low[r] = low_correction;
    high[r] = high_correction;
  }
  b += 4 * kCols;
  for (int64_t step = 0; step < steps; ++step) {
    const __m512i first = _mm512_loadu_si512(b), second = _mm512_loadu_si512(b + 64);
    BITNET_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512i four = broadcast_step(a + r * kGroup);
      low[r] = _mm512_dpbusd_epi32(low[r], four, first);
      BITNET_PIN(low[r]);
      high[r] = _mm512_dpbusd_epi32(high[r], four, second);
      BITNET_PIN(high[r]);
    }
    a += kInt8PanelRows * kGroup;
    b += kCols * kGroup;
  }
  BITNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    int32_t* row = out + r * stride;
    if (accumulate) {
      low[r] = _mm512_add_epi32(low[r], _mm512_loadu_si512(row));
      high[r] = _mm512_add_epi32(high[r], _mm512_loadu_si512(row + 16));
    }
    _mm512_storeu_si512(row, low[r]);
    _mm512_storeu_si512(row + 16, high[r]);
  }
}

}  // namespace

const Int8Tile kAvx512VnniInt8Tile = {kRows, kCols, kGroup, 1, pack_a, pack_b, multiply};

}  // namespace bitnet

BITNET_TARGET_END

#endif
