// Operations on the bits of vector parts for AVX2. Include inside a target region, after core/lanes_avx2.h.
#pragma once

namespace bitnet {
namespace {

BITNET_INLINE Part floor_part(Part v) {
  return _mm256_round_ps(v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
BITNET_INLINE Part to_float(IntPart v) { return _mm256_cvtepi32_ps(v); }
BITNET_INLINE IntPart broadcast_bits(uint32_t value) {
  return _mm256_set1_epi32(static_cast<int32_t>(value));
}
BITNET_INLINE IntPart load_bits(const uint32_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
BITNET_INLINE IntPart exclusive_or(IntPart a, IntPart b) { return _mm256_xor_si256(a, b); }
BITNET_INLINE IntPart multiply_low(IntPart a, IntPart b) { return _mm256_mullo_epi32(a, b); }
BITNET_INLINE IntPart low_halves(IntPart v) { return _mm256_and_si256(v, _mm256_set1_epi32(0xffff)); }
template <int Bits>
BITNET_INLINE IntPart shift_right(IntPart v) {
  return _mm256_srli_epi32(v, Bits);
}
// The larger of values without a sign; not-a-number is the largest.
BITNET_INLINE Part larger_magnitude(Part a, Part b) {
  return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}
BITNET_INLINE float max_magnitude(Part v) {
  float lanes[kPartLanes];
  store_part(lanes, v);
  uint32_t most = 0;
  for (const float lane : lanes) most = float_bits(lane) > most ? float_bits(lane) : most;
  return bits_float(most);
}

}  // namespace
}  // namespace bitnet
