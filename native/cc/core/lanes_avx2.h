// Vector parts of 8 float32 for AVX2, FMA and F16C. Include inside a target region, after <immintrin.h>.
#pragma once

#include "core/target_region.h"

namespace bitnet {
namespace {

using Part = __m256;
using IntPart = __m256i;
constexpr int kPartLanes = 8;

constexpr int kRegisters = 16;

// Tile shapes that fit them, see lane_dot.h and lane_outer.h.
constexpr int kOuterRows = 6;
constexpr int kGemmBlocks = 1;
constexpr int kDotTokens = 6;
constexpr int kDotRows = 2;
constexpr int kStreamTokens = 3;
constexpr int kStreamRows = 2;

BITNET_INLINE Part zero_part() { return _mm256_setzero_ps(); }
BITNET_INLINE Part broadcast_part(float value) { return _mm256_set1_ps(value); }
BITNET_INLINE Part load_part(const float* p) { return _mm256_loadu_ps(p); }
BITNET_INLINE void store_part(float* p, Part v) { _mm256_storeu_ps(p, v); }

BITNET_INLINE Part add(Part a, Part b) { return _mm256_add_ps(a, b); }
BITNET_INLINE Part sub(Part a, Part b) { return _mm256_sub_ps(a, b); }
BITNET_INLINE Part mul(Part a, Part b) { return _mm256_mul_ps(a, b); }
BITNET_INLINE Part div(Part a, Part b) { return _mm256_div_ps(a, b); }
BITNET_INLINE Part fma(Part a, Part b, Part c) { return _mm256_fmadd_ps(a, b, c); }
BITNET_INLINE Part fms(Part a, Part b, Part c) { return _mm256_fmsub_ps(a, b, c); }
BITNET_INLINE Part neg(Part a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
BITNET_INLINE Part abs(Part a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
BITNET_INLINE Part round(Part a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
// a > b ? a : b, and b when either is NaN.
BITNET_INLINE Part larger(Part a, Part b) { return _mm256_max_ps(a, b); }
// x > limit ? limit : x, and x when it is NaN.
BITNET_INLINE Part at_most(Part x, Part limit) { return _mm256_min_ps(limit, x); }
// x < limit ? 0 : v.
BITNET_INLINE Part zero_below(Part v, Part x, Part limit) {
  return _mm256_andnot_ps(_mm256_cmp_ps(x, limit, _CMP_LT_OQ), v);
}
// 2^n for whole n in [-126, 127].
BITNET_INLINE Part power_of_two(Part n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}

BITNET_INLINE __m256i first_lanes(int count) {
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), index);
}
// The first `count` lanes from memory, the others 0; nothing past them is touched. count may be outside 0
// .. 8.
BITNET_INLINE Part load_part_first(const float* p, int count) {
  return _mm256_maskload_ps(p, first_lanes(count));
}
BITNET_INLINE void store_part_first(float* p, Part v, int count) {
  _mm256_maskstore_ps(p, first_lanes(count), v);
}
// Lane i < count: a, else b.
BITNET_INLINE Part select_first(int count, Part a, Part b) {
  return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(first_lanes(count)));
}

// Lane i: that of i ^ H.
template <int H>
BITNET_INLINE Part swapped_lanes(Part v) {
  if constexpr (H == 4) return _mm256_permute2f128_ps(v, v, 0x01);
  return _mm256_permute_ps(v, H == 2 ? 0x4e : 0xb1);
}

// Fixed tree 8 -> 4 -> 2 -> 1.
BITNET_INLINE float sum_part(Part v) {
  __m128 t = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  t = _mm_add_ps(t, _mm_movehl_ps(t, t));
  return _mm_cvtss_f32(_mm_add_ss(t, _mm_movehdup_ps(t)));
}
// Sums of two, four, ... vectors at once, each step of the tree with shared shuffles.
BITNET_INLINE Part fold_4(Part a, Part b) {  // [a b], 4 lanes each
  return _mm256_add_ps(_mm256_blend_ps(a, b, 0xf0), _mm256_permute2f128_ps(a, b, 0x21));
}
BITNET_INLINE Part fold_2(Part a, Part b) {  // pairs: [a0 b0 a1 b1]
  const __m256d across = _mm256_shuffle_pd(_mm256_castps_pd(a), _mm256_castps_pd(b), 0x5);
  return _mm256_add_ps(_mm256_blend_ps(a, b, 0xcc), _mm256_castpd_ps(across));
}
// Lane i: sum_part(v[i]).
BITNET_INLINE Part sum_each_part(const Part (&v)[kPartLanes]) {
  return _mm256_hadd_ps(fold_2(fold_4(v[0], v[4]), fold_4(v[1], v[5])),
                        fold_2(fold_4(v[2], v[6]), fold_4(v[3], v[7])));
}
BITNET_INLINE float max_part(Part v) {
  __m128 t = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  t = _mm_max_ps(t, _mm_movehl_ps(t, t));
  return _mm_cvtss_f32(_mm_max_ss(t, _mm_movehdup_ps(t)));
}

// Stored values to float32, exactly.
BITNET_INLINE Part load_part_f16(const void* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p)));
}
BITNET_INLINE Part broadcast_part_f16(const void* p) {
  uint16_t half;
  std::memcpy(&half, p, sizeof half);
  return _mm256_set1_ps(_mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(half))));
}
BITNET_INLINE Part load_part_bf16(const void* p) {
  const __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
}
BITNET_INLINE Part load_part_i8(const void* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))));
}
// Codes c of 4 bits, at bit Shift of a byte each, as c - 8.
template <int Shift>
BITNET_INLINE Part load_part_u4(const void* p) {
  const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
  const __m256i codes = _mm256_and_si256(_mm256_srli_epi32(bytes, Shift), _mm256_set1_epi32(15));
  return _mm256_cvtepi32_ps(_mm256_sub_epi32(codes, _mm256_set1_epi32(8)));
}
// Codes c of 2 bits, the first in the lowest, as (c - 1) x scale: level_table holds the four values.
BITNET_INLINE Part level_table(Part scale) {
  return _mm256_mul_ps(scale, _mm256_setr_ps(-1, 0, 1, 2, -1, 0, 1, 2));
}
BITNET_INLINE Part load_part_u2(const void* p, Part table) {
  uint16_t codes;
  std::memcpy(&codes, p, sizeof codes);
  const __m256i shifts = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
  return _mm256_permutevar_ps(table, _mm256_srlv_epi32(_mm256_set1_epi32(codes), shifts));
}

// Integers: rounding half to even; store needs values in [-128, 127].
BITNET_INLINE IntPart zero_int_part() { return _mm256_setzero_si256(); }
BITNET_INLINE IntPart to_int(Part v) { return _mm256_cvtps_epi32(v); }
BITNET_INLINE IntPart add(IntPart a, IntPart b) { return _mm256_add_epi32(a, b); }
BITNET_INLINE void store_part_i8(int8_t* p, IntPart v) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
}
BITNET_INLINE int32_t sum_part(IntPart v) {
  __m128i t = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(t, _mm_shuffle_epi32(t, 0xb1)));
}

// float64 sums of a part's 8 lanes.
struct DoublePart {
  __m256d low, high;
};
BITNET_INLINE DoublePart zero_double_part() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
BITNET_INLINE DoublePart add(DoublePart sums, Part v) {
  return {_mm256_add_pd(sums.low, _mm256_cvtps_pd(_mm256_castps256_ps128(v))),
          _mm256_add_pd(sums.high, _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)))};
}
BITNET_INLINE void store_part(double* p, DoublePart v) {
  _mm256_storeu_pd(p, v.low);
  _mm256_storeu_pd(p + 4, v.high);
}

}  // namespace
}  // namespace bitnet
