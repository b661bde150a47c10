// Operations on the bits of vector parts for AVX-512. Include inside a target region, after
// core/lanes_avx512.h.
#pragma once

namespace bitnet {
namespace {

BITNET_INLINE Part floor_part(Part v) { return _mm512_floor_ps(v); }
BITNET_INLINE Part to_float(IntPart v) { return _mm512_cvtepi32_ps(v); }
BITNET_INLINE IntPart broadcast_bits(uint32_t value) {
  return _mm512_set1_epi32(static_cast<int32_t>(value));
}
BITNET_INLINE IntPart load_bits(const uint32_t* p) { return _mm512_loadu_si512(p); }
BITNET_INLINE IntPart exclusive_or(IntPart a, IntPart b) { return _mm512_xor_si512(a, b); }
BITNET_INLINE IntPart multiply_low(IntPart a, IntPart b) { return _mm512_mullo_epi32(a, b); }
BITNET_INLINE IntPart low_halves(IntPart v) { return _mm512_and_si512(v, _mm512_set1_epi32(0xffff)); }
template <int Bits>
BITNET_INLINE IntPart shift_right(IntPart v) {
  return _mm512_srli_epi32(v, Bits);
}
// The larger of values without a sign; not-a-number is the largest.
BITNET_INLINE Part larger_magnitude(Part a, Part b) {
  return _mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
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
