// AVX-512 intrinsics on AVX2 and FMA hardware: SIMDe, and the few that SIMDe 0.7.4 lacks.
#pragma once

#include <cstdint>
#include <cstring>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#if !defined(SIMDE_X86_AVX512F_NATIVE)

inline __m512i emulated_cvtps_epi32(__m512 v) {
  simde__m512_private in = simde__m512_to_private(v);
  simde__m512i_private out;
  for (int i = 0; i < 2; ++i) out.m256i[i] = _mm256_cvtps_epi32(in.m256[i]);
  return simde__m512i_from_private(out);
}

inline __m512 emulated_cvtepi32_ps(__m512i v) {
  simde__m512i_private in = simde__m512i_to_private(v);
  simde__m512_private out;
  for (int i = 0; i < 2; ++i) out.m256[i] = _mm256_cvtepi32_ps(in.m256i[i]);
  return simde__m512_from_private(out);
}

inline __m512 emulated_cvtph_ps(__m256i v) {
  simde__m512_private out;
  out.m256[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(v));
  out.m256[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(v, 1));
  return simde__m512_from_private(out);
}

inline __m512i emulated_cvtepu16_epi32(__m256i v) {
  simde__m512i_private out;
  out.m256i[0] = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(v));
  out.m256i[1] = _mm256_cvtepu16_epi32(_mm256_extracti128_si256(v, 1));
  return simde__m512i_from_private(out);
}

inline __m512i emulated_cvtepu8_epi32(__m128i v) {
  simde__m512i_private out;
  out.m256i[0] = _mm256_cvtepu8_epi32(v);
  out.m256i[1] = _mm256_cvtepu8_epi32(_mm_srli_si128(v, 8));
  return simde__m512i_from_private(out);
}

inline __m512i emulated_cvtepi8_epi32(__m128i v) {
  simde__m512i_private out;
  out.m256i[0] = _mm256_cvtepi8_epi32(v);
  out.m256i[1] = _mm256_cvtepi8_epi32(_mm_srli_si128(v, 8));
  return simde__m512i_from_private(out);
}

inline __m512d emulated_cvtps_pd(__m256 v) {
  simde__m512d_private out;
  out.m256d[0] = _mm256_cvtps_pd(_mm256_castps256_ps128(v));
  out.m256d[1] = _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
  return simde__m512d_from_private(out);
}

// Keeps the low byte of every element, as VPMOVDB.
inline __m128i emulated_cvtepi32_epi8(__m512i v) {
  int32_t lanes[16];
  int8_t bytes[16];
  _mm512_storeu_si512(lanes, v);
  for (int i = 0; i < 16; ++i) bytes[i] = static_cast<int8_t>(lanes[i] & 0xff);
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

// 16 elements of 4 bytes: only those in the mask are touched.
inline void emulated_mask_copy(void* to, __mmask16 mask, const void* from) {
  for (int i = 0; i < 16; ++i) {
    if ((mask >> i) & 1)
      std::memcpy(static_cast<char*>(to) + 4 * i, static_cast<const char*>(from) + 4 * i, 4);
  }
}

inline __m512i emulated_maskz_loadu_epi32(__mmask16 mask, const void* p) {
  int32_t lanes[16] = {};
  emulated_mask_copy(lanes, mask, p);
  return _mm512_loadu_si512(lanes);
}

inline __m512 emulated_maskz_loadu_ps(__mmask16 mask, const void* p) {
  return _mm512_castsi512_ps(emulated_maskz_loadu_epi32(mask, p));
}

inline void emulated_mask_storeu_epi32(void* p, __mmask16 mask, __m512i v) {
  int32_t lanes[16];
  _mm512_storeu_si512(lanes, v);
  emulated_mask_copy(p, mask, lanes);
}

inline void emulated_mask_storeu_ps(void* p, __mmask16 mask, __m512 v) {
  emulated_mask_storeu_epi32(p, mask, _mm512_castps_si512(v));
}

// VPDPBUSD of AVX-VNNI.
inline __m256i emulated_dpbusd_avx_epi32(__m256i sums, __m256i a, __m256i b) {
  int32_t total[8];
  uint8_t left[32];
  int8_t right[32];
  std::memcpy(total, &sums, sizeof total);
  std::memcpy(left, &a, sizeof left);
  std::memcpy(right, &b, sizeof right);
  for (int i = 0; i < 32; ++i) total[i / 4] += left[i] * right[i];
  std::memcpy(&sums, total, sizeof sums);
  return sums;
}

// VDPBF16PS as Intel documents it: the upper elements' products are added first; a product is exact. (SIMDe
// adds the sum of both; subnormal numbers are kept here.)
inline __m512 emulated_dpbf16_ps(__m512 sums, __m512i a, __m512i b) {
  const __m512i upper = _mm512_set1_epi32(static_cast<int32_t>(0xffff0000u));
  const auto first = [&](__m512i v) { return _mm512_castsi512_ps(_mm512_and_si512(v, upper)); };
  const auto second = [&](__m512i v) { return _mm512_castsi512_ps(_mm512_slli_epi32(v, 16)); };
  return _mm512_fmadd_ps(second(a), second(b), _mm512_fmadd_ps(first(a), first(b), sums));
}

// VCVTNE2PS2BF16: 16 rounded values of `low`, then 16 of `high`. (Subnormal numbers are kept here.)
inline __m512i emulated_cvtne2ps_pbh(__m512 high, __m512 low) {
  uint32_t bits[32];
  uint16_t rounded[32];
  _mm512_storeu_si512(bits, _mm512_castps_si512(low));
  _mm512_storeu_si512(bits + 16, _mm512_castps_si512(high));
  for (int i = 0; i < 32; ++i) {
    const bool nan = (bits[i] & 0x7fffffffu) > 0x7f800000u;
    rounded[i] =
        static_cast<uint16_t>((nan ? bits[i] | 0x400000u : bits[i] + 0x7fffu + ((bits[i] >> 16) & 1u)) >> 16);
  }
  return _mm512_loadu_si512(rounded);
}

// 128-bit parts 0 and 1 of the result come from a, 2 and 3 from b, two bits of the selector each.
inline __m512 emulated_shuffle_f32x4(__m512 a, __m512 b, int selector) {
  float from[2][16], result[16];
  _mm512_storeu_ps(from[0], a);
  _mm512_storeu_ps(from[1], b);
  for (int part = 0; part < 4; ++part) {
    std::memcpy(result + 4 * part, from[part / 2] + 4 * ((selector >> (2 * part)) & 3), 16);
  }
  return _mm512_loadu_ps(result);
}

// Of each pair of a and of b one element, a bit of the selector each.
inline __m512d emulated_shuffle_pd(__m512d a, __m512d b, int selector) {
  double from[2][8], result[8];
  _mm512_storeu_pd(from[0], a);
  _mm512_storeu_pd(from[1], b);
  for (int i = 0; i < 8; ++i) result[i] = from[i % 2][i / 2 * 2 + ((selector >> i) & 1)];
  return _mm512_loadu_pd(result);
}

// Elements of 1 or 2 bytes: only those in the mask are read.
inline __m128i emulated_maskz_loadu_epi8(__mmask16 mask, const void* p) {
  int8_t lanes[16] = {};
  for (int i = 0; i < 16; ++i) {
    if ((mask >> i) & 1) lanes[i] = static_cast<const int8_t*>(p)[i];
  }
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(lanes));
}

inline __m512i emulated_maskz_loadu_bytes(__mmask64 mask, const void* p) {
  int8_t lanes[64] = {};
  for (int i = 0; i < 64; ++i) {
    if ((mask >> i) & 1) lanes[i] = static_cast<const int8_t*>(p)[i];
  }
  return _mm512_loadu_si512(lanes);
}

inline __m256i emulated_maskz_loadu_epi16(__mmask16 mask, const void* p) {
  int16_t lanes[16] = {};
  for (int i = 0; i < 16; ++i) {
    if ((mask >> i) & 1) lanes[i] = static_cast<const int16_t*>(p)[i];
  }
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lanes));
}

#undef _mm256_dpbusd_avx_epi32
#define _mm256_dpbusd_avx_epi32 emulated_dpbusd_avx_epi32
#undef _mm_maskz_loadu_epi8
#define _mm_maskz_loadu_epi8 emulated_maskz_loadu_epi8
#undef _mm512_shuffle_f32x4
#define _mm512_shuffle_f32x4 emulated_shuffle_f32x4
#undef _mm512_shuffle_pd
#define _mm512_shuffle_pd emulated_shuffle_pd
#undef _mm512_maskz_loadu_epi8
#define _mm512_maskz_loadu_epi8 emulated_maskz_loadu_bytes
#undef _mm256_maskz_loadu_epi16
#define _mm256_maskz_loadu_epi16 emulated_maskz_loadu_epi16
#undef _mm512_cvtps_epi32
#define _mm512_cvtps_epi32 emulated_cvtps_epi32
#undef _mm512_cvtepi32_ps
#define _mm512_cvtepi32_ps emulated_cvtepi32_ps
#undef _mm512_cvtph_ps
#define _mm512_cvtph_ps emulated_cvtph_ps
#undef _mm512_cvtepu16_epi32
#define _mm512_cvtepu16_epi32 emulated_cvtepu16_epi32
#undef _mm512_cvtepu8_epi32
#define _mm512_cvtepu8_epi32 emulated_cvtepu8_epi32
#undef _mm512_cvtepi8_epi32
#define _mm512_cvtepi8_epi32 emulated_cvtepi8_epi32
#undef _mm512_cvtps_pd
#define _mm512_cvtps_pd emulated_cvtps_pd
#undef _mm512_cvtepi32_epi8
#define _mm512_cvtepi32_epi8 emulated_cvtepi32_epi8
#undef _mm512_maskz_loadu_epi32
#define _mm512_maskz_loadu_epi32 emulated_maskz_loadu_epi32
#undef _mm512_maskz_loadu_ps
#define _mm512_maskz_loadu_ps emulated_maskz_loadu_ps
#undef _mm512_mask_storeu_epi32
#define _mm512_mask_storeu_epi32 emulated_mask_storeu_epi32
#undef _mm512_mask_storeu_ps
#define _mm512_mask_storeu_ps emulated_mask_storeu_ps

#endif
