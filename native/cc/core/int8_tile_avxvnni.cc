// Int8Tile for AVX-VNNI, 256 bits wide: 6 rows by 16 columns, four depths a step by VPDPBUSD. A's codes are
// stored with 128 added, as unsigned bytes; 128 times the column sums of B, which a packed panel of B carries
// in front, are subtracted.
#include "core/variants.h"

#if defined(BITNET_X86) && BITNET_AVXVNNI

#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx2,fma,avxvnni")

namespace bitnet {
namespace {

constexpr int64_t kRows = 6;
constexpr int64_t kCols = 16;
constexpr int64_t kGroup = 4;

alignas(64) const int8_t kZeros[kInt8PanelRows] = {};

BITNET_INLINE __m256i load256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
BITNET_INLINE void store256(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
BITNET_INLINE __m128i load128(const int8_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
BITNET_INLINE void store128(uint8_t* p, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }

BITNET_INLINE __m256i dot(__m256i sums, __m256i a, __m256i b) { return _mm256_dpbusd_avx_epi32(sums, a, b); }

// 16 lanes of the four rows from p on, interleaved byte by byte; every byte is exclusive-ored with `flips`.
BITNET_INLINE void interleave(const int8_t* codes, int64_t stride, int64_t p, int64_t depth, __m128i flips,
                              uint8_t* out) {
  const auto row = [&](int64_t i) { return load128(p + i < depth ? codes + (p + i) * stride : kZeros); };
  const __m128i a = row(0), b = row(1), c = row(2), d = row(3);
  const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
  const __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
  store128(out, _mm_xor_si128(_mm_unpacklo_epi16(ab_low, cd_low), flips));
  store128(out + 16, _mm_xor_si128(_mm_unpackhi_epi16(ab_low, cd_low), flips));
  store128(out + 32, _mm_xor_si128(_mm_unpacklo_epi16(ab_high, cd_high), flips));
  store128(out + 48, _mm_xor_si128(_mm_unpackhi_epi16(ab_high, cd_high), flips));
}

void pack_panel(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, int64_t width, int flip,
                uint8_t* panel) {
  const __m128i flips = _mm_set1_epi8(static_cast<char>(flip));
  for (int64_t p = 0; p < depth; p += kGroup, panel += width * kGroup) {
    for (int64_t lane = 0; lane < width; lane += 16) {
      if (lane < lanes) {
        interleave(codes + lane, stride, p, depth, flips, panel + lane * kGroup);
      } else {
        std::memset(panel + lane * kGroup, 0, 64);
      }
    }
  }
}

void pack_a(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  pack_panel(codes, stride, depth, lanes, kInt8PanelRows, 0x80, panel);
}

void pack_b(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  uint8_t* steps = panel + 4 * kCols;
  pack_panel(codes, stride, depth, lanes, kCols, 0, steps);
  const __m256i factor = _mm256_set1_epi8(static_cast<char>(0x80));  // 128 as an unsigned byte
  __m256i low = _mm256_setzero_si256(), high = low;
  for (int64_t p = 0; p < depth; p += kGroup, steps += kCols * kGroup) {
    low = dot(low, factor, load256(steps));
    high = dot(high, factor, load256(steps + 32));
  }
  store256(panel, low);
  store256(panel + 32, high);
}

BITNET_INLINE __m256i broadcast_step(const uint8_t* p) {
  int32_t four;
  std::memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}

#define BITNET_EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)

void multiply(int64_t steps, const uint8_t* a, const uint8_t* b, int32_t* out, int64_t stride,
              bool accumulate) {
  const __m256i zero = _mm256_setzero_si256();
#define BITNET_START(r) \
  __m256i low##r = _mm256_sub_epi32(zero, load256(b)), high##r = _mm256_sub_epi32(zero, load256(b + 32));
  BITNET_EACH_ROW(BITNET_START)
#undef BITNET_START
  b += 4 * kCols;
  for (int64_t step = 0; step < steps; ++step, a += kInt8PanelRows * kGroup, b += kCols * kGroup) {
    const __m256i first = load256(b), second = load256(b + 32);
#define BITNET_ADD(r)                                    \
  {                                                      \
    const __m256i four = broadcast_step(a + r * kGroup); \
    low##r = dot(low##r, four, first);                   \
    BITNET_PIN(low##r);                                  \
    high##r = dot(high##r, four, second);                \
    BITNET_PIN(high##r);                                 \
  }
    BITNET_EACH_ROW(BITNET_ADD)
#undef BITNET_ADD
  }
#define BITNET_STORE(r)                                                                    \
  {                                                                                        \
    int32_t* row = out + r * stride;                                                       \
    store256(row, accumulate ? _mm256_add_epi32(load256(row), low##r) : low##r);           \
    store256(row + 8, accumulate ? _mm256_add_epi32(load256(row + 8), high##r) : high##r); \
  }
  BITNET_EACH_ROW(BITNET_STORE)
#undef BITNET_STORE
}

#undef BITNET_EACH_ROW

}  // namespace

const Int8Tile kAvxVnniInt8Tile = {kRows, kCols, kGroup, 1, pack_a, pack_b, multiply};

}  // namespace bitnet

BITNET_TARGET_END

#endif
