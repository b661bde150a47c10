// Vector parts of 4 float32 for AArch64 NEON. Include after <arm_neon.h>.
#pragma once

#include "core/target_region.h"

namespace bitnet {
namespace {

using Part = float32x4_t;
using IntPart = int32x4_t;
constexpr int kPartLanes = 4;

constexpr int kRegisters = 32;

// Tile shapes that fit them, see lane_dot.h and lane_outer.h.
constexpr int kOuterRows = 6;
constexpr int kGemmBlocks = 1;
constexpr int kDotTokens = 6;
constexpr int kDotRows = 4;
constexpr int kStreamTokens = 3;
constexpr int kStreamRows = 2;

BITNET_INLINE Part zero_part() { return vdupq_n_f32(0.0f); }
BITNET_INLINE Part broadcast_part(float value) { return vdupq_n_f32(value); }
BITNET_INLINE Part load_part(const float* p) { return vld1q_f32(p); }
BITNET_INLINE void store_part(float* p, Part v) { vst1q_f32(p, v); }

BITNET_INLINE Part add(Part a, Part b) { return vaddq_f32(a, b); }
BITNET_INLINE Part sub(Part a, Part b) { return vsubq_f32(a, b); }
BITNET_INLINE Part mul(Part a, Part b) { return vmulq_f32(a, b); }
BITNET_INLINE Part div(Part a, Part b) { return vdivq_f32(a, b); }
BITNET_INLINE Part neg(Part a) { return vnegq_f32(a); }
BITNET_INLINE Part abs(Part a) { return vabsq_f32(a); }
BITNET_INLINE Part fma(Part a, Part b, Part c) { return vfmaq_f32(c, a, b); }
// a * b - c: the product with the opposite sign of -(a * b) + c is exact.
BITNET_INLINE Part fms(Part a, Part b, Part c) { return vfmaq_f32(vnegq_f32(c), a, b); }
BITNET_INLINE Part round(Part a) { return vrndnq_f32(a); }
// a > b ? a : b, and b when either is NaN.
BITNET_INLINE Part larger(Part a, Part b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
// x > limit ? limit : x, and x when it is NaN.
BITNET_INLINE Part at_most(Part x, Part limit) { return vbslq_f32(vcgtq_f32(x, limit), limit, x); }
// x < limit ? 0 : v.
BITNET_INLINE Part zero_below(Part v, Part x, Part limit) {
  return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(v), vcltq_f32(x, limit)));
}
// 2^n for whole n in [-126, 127].
BITNET_INLINE Part power_of_two(Part n) {
  const int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
  return vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23));
}

// The first `count` lanes from memory, the others 0; nothing past them is touched. count may be outside 0
// .. 4.
BITNET_INLINE Part load_part_first(const float* p, int count) {
  if (count >= kPartLanes) return vld1q_f32(p);
  float lanes[kPartLanes] = {};
  for (int i = 0; i < count; ++i) lanes[i] = p[i];
  return vld1q_f32(lanes);
}
BITNET_INLINE void store_part_first(float* p, Part v, int count) {
  if (count >= kPartLanes) return vst1q_f32(p, v);
  float lanes[kPartLanes];
  vst1q_f32(lanes, v);
  for (int i = 0; i < count; ++i) p[i] = lanes[i];
}
// Lane i < count: a, else b.
BITNET_INLINE Part select_first(int count, Part a, Part b) {
  const int32_t index[kPartLanes] = {0, 1, 2, 3};
  return vbslq_f32(vcltq_s32(vld1q_s32(index), vdupq_n_s32(count)), a, b);
}

// Lane i: that of i ^ H.
template <int H>
BITNET_INLINE Part swapped_lanes(Part v) {
  if constexpr (H == 2) return vextq_f32(v, v, 2);
  return vrev64q_f32(v);
}

// Fixed tree 4 -> 2 -> 1.
BITNET_INLINE float sum_part(Part v) {
  const float32x2_t t = vadd_f32(vget_low_f32(v), vget_high_f32(v));
  return vget_lane_f32(t, 0) + vget_lane_f32(t, 1);
}
// Lane i: sum_part(v[i]).
BITNET_INLINE Part sum_each_part(const Part (&v)[kPartLanes]) {
  const float32x4_t ab = vaddq_f32(vcombine_f32(vget_low_f32(v[0]), vget_low_f32(v[1])),
                                   vcombine_f32(vget_high_f32(v[0]), vget_high_f32(v[1])));
  const float32x4_t cd = vaddq_f32(vcombine_f32(vget_low_f32(v[2]), vget_low_f32(v[3])),
                                   vcombine_f32(vget_high_f32(v[2]), vget_high_f32(v[3])));
  return vaddq_f32(vuzp1q_f32(ab, cd), vuzp2q_f32(ab, cd));
}
BITNET_INLINE float max_part(Part v) { return vmaxvq_f32(v); }

// Stored values to float32, exactly.
BITNET_INLINE Part load_part_f16(const void* p) {
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(static_cast<const uint8_t*>(p))));
}
BITNET_INLINE Part broadcast_part_f16(const void* p) {
  uint16_t half;
  std::memcpy(&half, p, sizeof half);
  return vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(half)));
}
BITNET_INLINE Part load_part_bf16(const void* p) {
  const uint16x4_t halves = vreinterpret_u16_u8(vld1_u8(static_cast<const uint8_t*>(p)));
  return vreinterpretq_f32_u32(vshll_n_u16(halves, 16));
}
BITNET_INLINE Part load_part_i8(const void* p) {
  int32_t four;
  std::memcpy(&four, p, sizeof four);
  const int16x8_t words = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)));
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(words)));
}
// Codes c of 4 bits, at bit Shift of a byte each, as c - 8.
template <int Shift>
BITNET_INLINE Part load_part_u4(const void* p) {
  int32_t four;
  std::memcpy(&four, p, sizeof four);
  const uint16x8_t words = vmovl_u8(vreinterpret_u8_s32(vdup_n_s32(four)));
  const uint32x4_t bytes = vmovl_u16(vget_low_u16(words));
  const uint32x4_t codes = vandq_u32(vshlq_u32(bytes, vdupq_n_s32(-Shift)), vdupq_n_u32(15));
  return vcvtq_f32_s32(vsubq_s32(vreinterpretq_s32_u32(codes), vdupq_n_s32(8)));
}
// Codes c of 2 bits, the first in the lowest, as (c - 1) x scale: level_table holds the four values.
BITNET_INLINE Part level_table(Part scale) {
  alignas(16) static const float kLevels[4] = {-1, 0, 1, 2};
  return vmulq_f32(scale, vld1q_f32(kLevels));
}
BITNET_INLINE Part load_part_u2(const void* p, Part table) {
  static const int32_t kShifts[4] = {0, -2, -4, -6};
  const uint32x4_t codes = vdupq_n_u32(*static_cast<const uint8_t*>(p));
  const uint32x4_t code = vandq_u32(vshlq_u32(codes, vld1q_s32(kShifts)), vdupq_n_u32(3));
  // Bytes 4c .. 4c + 3 of the table.
  const uint32x4_t bytes = vmlaq_n_u32(vdupq_n_u32(0x03020100), code, 0x04040404);
  return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(table), vreinterpretq_u8_u32(bytes)));
}

// Integers: rounding half to even; store needs values in [-128, 127].
BITNET_INLINE IntPart zero_int_part() { return vdupq_n_s32(0); }
BITNET_INLINE IntPart to_int(Part v) { return vcvtnq_s32_f32(v); }
BITNET_INLINE IntPart add(IntPart a, IntPart b) { return vaddq_s32(a, b); }
BITNET_INLINE void store_part_i8(int8_t* p, IntPart v) {
  const int16x4_t words = vmovn_s32(v);
  const int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
  vst1_lane_s32(reinterpret_cast<int32_t*>(p), vreinterpret_s32_s8(bytes), 0);
}
BITNET_INLINE int32_t sum_part(IntPart v) { return vaddvq_s32(v); }

// float64 sums of a part's 4 lanes.
struct DoublePart {
  float64x2_t low, high;
};
BITNET_INLINE DoublePart zero_double_part() { return {vdupq_n_f64(0.0), vdupq_n_f64(0.0)}; }
BITNET_INLINE DoublePart add(DoublePart sums, Part v) {
  return {vaddq_f64(sums.low, vcvt_f64_f32(vget_low_f32(v))), vaddq_f64(sums.high, vcvt_high_f64_f32(v))};
}
BITNET_INLINE void store_part(double* p, DoublePart v) {
  vst1q_f64(p, v.low);
  vst1q_f64(p + 2, v.high);
}

}  // namespace
}  // namespace bitnet
