// Vector parts of 16 float32 for AVX-512 F, BW, DQ and VL. Include inside a target region, after
// <immintrin.h>.
#pragma once

#include "core/target_region.h"

namespace bitnet {
namespace {

using Part = __m512;
using IntPart = __m512i;
constexpr int kPartLanes = 16;

constexpr int kRegisters = 32;

// Tile shapes that fit them, see lane_dot.h and lane_outer.h.
constexpr int kOuterRows = 12;
constexpr int kGemmBlocks = 2;
constexpr int kDotTokens = 6;
constexpr int kDotRows = 4;
constexpr int kStreamTokens = 4;
constexpr int kStreamRows = 4;

BITNET_INLINE Part zero_part() { return _mm512_setzero_ps(); }
BITNET_INLINE Part broadcast_part(float value) { return _mm512_set1_ps(value); }
BITNET_INLINE Part load_part(const float* p) { return _mm512_loadu_ps(p); }
BITNET_INLINE void store_part(float* p, Part v) { _mm512_storeu_ps(p, v); }

BITNET_INLINE Part add(Part a, Part b) { return _mm512_add_ps(a, b); }
BITNET_INLINE Part sub(Part a, Part b) { return _mm512_sub_ps(a, b); }
BITNET_INLINE Part mul(Part a, Part b) { return _mm512_mul_ps(a, b); }
BITNET_INLINE Part div(Part a, Part b) { return _mm512_div_ps(a, b); }
BITNET_INLINE Part fma(Part a, Part b, Part c) { return _mm512_fmadd_ps(a, b, c); }
BITNET_INLINE Part fms(Part a, Part b, Part c) { return _mm512_fmsub_ps(a, b, c); }
BITNET_INLINE Part neg(Part a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
BITNET_INLINE Part abs(Part a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }
BITNET_INLINE Part round(Part a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// a > b ? a : b, and b when either is NaN.
BITNET_INLINE Part larger(Part a, Part b) { return _mm512_max_ps(a, b); }
// x > limit ? limit : x, and x when it is NaN.
BITNET_INLINE Part at_most(Part x, Part limit) { return _mm512_min_ps(limit, x); }
// x < limit ? 0 : v.
BITNET_INLINE Part zero_below(Part v, Part x, Part limit) {
  return _mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(x, limit, _CMP_LT_OQ), _mm512_setzero_ps());
}
// 2^n for whole n in [-126, 127].
BITNET_INLINE Part power_of_two(Part n) {
  const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
  return _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23));
}

BITNET_INLINE __mmask16 first_lanes(int count) {
  return static_cast<__mmask16>(count >= 16 ? 0xffffu : (1u << count) - 1u);
}
// The first `count` (0 .. 16) lanes from memory, the others 0; nothing past them is touched.
BITNET_INLINE Part load_part_first(const float* p, int count) {
  return _mm512_maskz_loadu_ps(first_lanes(count), p);
}
BITNET_INLINE void store_part_first(float* p, Part v, int count) {
  _mm512_mask_storeu_ps(p, first_lanes(count), v);
}
// Lane i < count: a, else b.
BITNET_INLINE Part select_first(int count, Part a, Part b) {
  return _mm512_mask_mov_ps(b, first_lanes(count), a);
}

// Lane i: that of i ^ H.
template <int H>
BITNET_INLINE Part swapped_lanes(Part v) {
  if constexpr (H >= 4) return _mm512_shuffle_f32x4(v, v, H == 8 ? 0x4e : 0xb1);
  return _mm512_shuffle_ps(v, v, H == 2 ? 0x4e : 0xb1);
}

BITNET_INLINE __m256 low_half(Part v) { return _mm512_castps512_ps256(v); }
BITNET_INLINE __m256 high_half(Part v) {
  return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
}
// Fixed tree 16 -> 8 -> 4 -> 2 -> 1.
BITNET_INLINE float sum_part(Part v) {
  const __m256 half = _mm256_add_ps(low_half(v), high_half(v));
  __m128 t = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  t = _mm_add_ps(t, _mm_movehl_ps(t, t));
  return _mm_cvtss_f32(_mm_add_ss(t, _mm_movehdup_ps(t)));
}
// Sums of two, four, ... vectors at once, each step of the tree with one shuffle and one blend: the upper
// halves of the groups of a meet its lower halves where those of b meet b's.
BITNET_INLINE Part fold_8(Part a, Part b) {  // [a b], 8 lanes each
  return _mm512_add_ps(_mm512_mask_blend_ps(0xff00, a, b), _mm512_shuffle_f32x4(a, b, 0x4e));
}
BITNET_INLINE Part fold_4(Part a, Part b) {  // groups of 4: [a0 b0 a1 b1]
  const __m512i across = _mm512_setr_epi64(2, 3, 8, 9, 6, 7, 12, 13);
  const __m512d c = _mm512_castps_pd(a), d = _mm512_castps_pd(b);
  return _mm512_add_ps(_mm512_mask_blend_ps(0xf0f0, a, b),
                       _mm512_castpd_ps(_mm512_permutex2var_pd(c, across, d)));
}
BITNET_INLINE Part fold_2(Part a, Part b) {  // pairs
  const __m512d across = _mm512_shuffle_pd(_mm512_castps_pd(a), _mm512_castps_pd(b), 0x55);
  return _mm512_add_ps(_mm512_mask_blend_ps(0xcccc, a, b), _mm512_castpd_ps(across));
}
BITNET_INLINE Part fold_1(Part a, Part b) {
  const __m512i across = _mm512_setr_epi32(1, 16, 3, 18, 5, 20, 7, 22, 9, 24, 11, 26, 13, 28, 15, 30);
  return _mm512_add_ps(_mm512_mask_blend_ps(0xaaaa, a, b), _mm512_permutex2var_ps(a, across, b));
}
// Lane i: sum_part(v[i]).
BITNET_INLINE Part sum_each_part(const Part (&v)[kPartLanes]) {
  const Part even = fold_2(fold_4(fold_8(v[0], v[8]), fold_8(v[4], v[12])),
                           fold_4(fold_8(v[2], v[10]), fold_8(v[6], v[14])));
  const Part odd = fold_2(fold_4(fold_8(v[1], v[9]), fold_8(v[5], v[13])),
                          fold_4(fold_8(v[3], v[11]), fold_8(v[7], v[15])));
  return fold_1(even, odd);
}
BITNET_INLINE float max_part(Part v) {
  const __m256 half = _mm256_max_ps(low_half(v), high_half(v));
  __m128 t = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  t = _mm_max_ps(t, _mm_movehl_ps(t, t));
  return _mm_cvtss_f32(_mm_max_ss(t, _mm_movehdup_ps(t)));
}

// Stored values to float32, exactly.
BITNET_INLINE Part load_part_f16(const void* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
}
BITNET_INLINE Part broadcast_part_f16(const void* p) {
  uint16_t half;
  std::memcpy(&half, p, sizeof half);
  return _mm512_set1_ps(_mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(half))));
}
BITNET_INLINE Part load_part_bf16(const void* p) {
  const __m512i bits = _mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
}
BITNET_INLINE Part load_part_i8(const void* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))));
}
// Codes c of 4 bits, at bit Shift of a byte each, as c - 8.
template <int Shift>
BITNET_INLINE Part load_part_u4(const void* p) {
  const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  const __m512i codes = _mm512_and_si512(_mm512_srli_epi32(bytes, Shift), _mm512_set1_epi32(15));
  return _mm512_cvtepi32_ps(_mm512_sub_epi32(codes, _mm512_set1_epi32(8)));
}
// Codes c of 2 bits, the first in the lowest, as (c - 1) x scale: level_table holds the four values.
BITNET_INLINE Part level_table(Part scale) {
  return _mm512_mul_ps(scale, _mm512_broadcast_f32x4(_mm_setr_ps(-1, 0, 1, 2)));
}
BITNET_INLINE Part load_part_u2(const void* p, Part table) {
  int32_t codes;
  std::memcpy(&codes, p, sizeof codes);
  const __m512i shifts = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  // Of four bits of an index the upper two choose a repetition.
  return _mm512_permutexvar_ps(_mm512_srlv_epi32(_mm512_set1_epi32(codes), shifts), table);
}

// Integers: rounding half to even; store needs values in [-128, 127].
BITNET_INLINE IntPart zero_int_part() { return _mm512_setzero_si512(); }
BITNET_INLINE IntPart to_int(Part v) { return _mm512_cvtps_epi32(v); }
BITNET_INLINE IntPart add(IntPart a, IntPart b) { return _mm512_add_epi32(a, b); }
BITNET_INLINE void store_part_i8(int8_t* p, IntPart v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
}
BITNET_INLINE int32_t sum_part(IntPart v) {
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
  __m128i t = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(t, _mm_shuffle_epi32(t, 0xb1)));
}

// float64 sums of a part's 16 lanes.
struct DoublePart {
  __m512d low, high;
};
BITNET_INLINE DoublePart zero_double_part() { return {_mm512_setzero_pd(), _mm512_setzero_pd()}; }
BITNET_INLINE DoublePart add(DoublePart sums, Part v) {
  return {_mm512_add_pd(sums.low, _mm512_cvtps_pd(low_half(v))),
          _mm512_add_pd(sums.high, _mm512_cvtps_pd(high_half(v)))};
}
BITNET_INLINE void store_part(double* p, DoublePart v) {
  _mm512_storeu_pd(p, v.low);
  _mm512_storeu_pd(p + 8, v.high);
}

}  // namespace
}  // namespace bitnet
