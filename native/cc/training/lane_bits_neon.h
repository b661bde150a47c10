// Operations on the bits of vector parts for NEON. Include after core/lanes_neon.h.
#pragma once

namespace bitnet {
namespace {

BITNET_INLINE Part floor_part(Part v) { return vrndmq_f32(v); }
BITNET_INLINE Part to_float(IntPart v) { return vcvtq_f32_s32(v); }
BITNET_INLINE IntPart broadcast_bits(uint32_t value) { return vdupq_n_s32(static_cast<int32_t>(value)); }
BITNET_INLINE IntPart load_bits(const uint32_t* p) { return vreinterpretq_s32_u32(vld1q_u32(p)); }
BITNET_INLINE IntPart exclusive_or(IntPart a, IntPart b) { return veorq_s32(a, b); }
BITNET_INLINE IntPart multiply_low(IntPart a, IntPart b) { return vmulq_s32(a, b); }
BITNET_INLINE IntPart low_halves(IntPart v) { return vandq_s32(v, vdupq_n_s32(0xffff)); }
template <int Bits>
BITNET_INLINE IntPart shift_right(IntPart v) {
  return vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(v), Bits));
}
// The larger of values without a sign; not-a-number is the largest.
BITNET_INLINE Part larger_magnitude(Part a, Part b) {
  return vreinterpretq_f32_s32(vmaxq_s32(vreinterpretq_s32_f32(a), vreinterpretq_s32_f32(b)));
}
BITNET_INLINE float max_magnitude(Part v) {
  return bits_float(static_cast<uint32_t>(vmaxvq_s32(vreinterpretq_s32_f32(v))));
}

}  // namespace
}  // namespace bitnet
