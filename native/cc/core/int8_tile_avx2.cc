// Int8Tile for AVX2: codes widened to 16 bits, two depths a step, multiplied and added by VPMADDWD.
// VPMADDUBSW would take four, but two products of signed bytes overflow its 16 bits unless one operand's
// signs are moved to the other, which costs as many instructions as it saves.
#include "core/variants.h"

#if defined(BITNET_X86)

#include <immintrin.h>

#include <cstring>

#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx2,fma")

namespace bitnet {
namespace {

constexpr int kRows = 6;
constexpr int64_t kCols = 16;
constexpr int64_t kGroup = 2;
constexpr int64_t kStepBytes = kGroup * 2;  // of one lane

alignas(64) const int8_t kZeros[kInt8PanelRows] = {};

BITNET_INLINE __m256i load256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
BITNET_INLINE void store256(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
BITNET_INLINE __m256i widen(const int8_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

template <int64_t Width>
void pack_panel(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  for (int64_t p = 0; p < depth; p += kGroup, panel += Width * kStepBytes) {
    const int8_t* even = codes + p * stride;
    const int8_t* odd = p + 1 < depth ? even + stride : kZeros;
    BITNET_UNROLL
    for (int64_t lane = 0; lane < Width; lane += 16) {
      __m256i first = _mm256_setzero_si256(), second = first;
      if (lane < lanes) {
        const __m256i a = widen(even + lane), b = widen(odd + lane);
        const __m256i low = _mm256_unpacklo_epi16(a, b), high = _mm256_unpackhi_epi16(a, b);
        first = _mm256_permute2x128_si256(low, high, 0x20);
        second = _mm256_permute2x128_si256(low, high, 0x31);
      }
      store256(panel + lane * kStepBytes, first);
      store256(panel + lane * kStepBytes + 32, second);
    }
  }
}

void pack_a(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  pack_panel<kInt8PanelRows>(codes, stride, depth, lanes, panel);
}

void pack_b(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  pack_panel<kCols>(codes, stride, depth, lanes, panel + 4 * kCols);
}

BITNET_INLINE __m256i broadcast_pair(const uint8_t* p) {
  int32_t pair;
  std::memcpy(&pair, p, sizeof pair);
  return _mm256_set1_epi32(pair);
}

// *sum += products, in one register (see ternary_gemm_avx2.cc).
BITNET_INLINE void add_sums(__m256i* sum, __m256i products) {
#if defined(__GNUC__)
  __asm__("vpaddd %1, %0, %0" : "+x"(*sum) : "x"(products));
#else
  *sum = _mm256_add_epi32(*sum, products);
#endif
}

void multiply(int64_t steps, const uint8_t* a, const uint8_t* b, int32_t* out, int64_t stride,
              bool accumulate) {
  __m256i low[kRows], high[kRows];
  BITNET_UNROLL
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = _mm256_setzero_si256();
  b += 4 * kCols;
  for (int64_t step = 0; step < steps; ++step) {
    const __m256i first = load256(b), second = load256(b + 32);
    BITNET_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m256i pair = broadcast_pair(a + r * kStepBytes);
      add_sums(&low[r], _mm256_madd_epi16(first, pair));
      add_sums(&high[r], _mm256_madd_epi16(second, pair));
    }
    a += kInt8PanelRows * kStepBytes;
    b += kCols * kStepBytes;
  }
  BITNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    int32_t* row = out + r * stride;
    store256(row, accumulate ? _mm256_add_epi32(load256(row), low[r]) : low[r]);
    store256(row + 8, accumulate ? _mm256_add_epi32(load256(row + 8), high[r]) : high[r]);
  }
}

}  // namespace

const Int8Tile kAvx2Int8Tile = {kRows, kCols, kGroup, 2, pack_a, pack_b, multiply};

}  // namespace bitnet

BITNET_TARGET_END

#endif
