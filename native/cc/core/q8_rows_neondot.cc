// q8_rows for NEON with the dot product: SDOT sums four products of signed bytes per lane.
#include "core/row_panel.h"
#include "core/variants.h"

#if defined(BITNET_ARM64)

#include <arm_neon.h>

#include <cstring>

#include "core/float16.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN_NEON_DOT

namespace bitnet {
namespace {

constexpr int64_t kBlock = 32;
constexpr int64_t kBlockBytes = 34;

BITNET_INLINE float32x4_t add_block(float32x4_t sums, int8x16_t w, int8x16_t x, float scale) {
  return vfmaq_n_f32(sums, vcvtq_f32_s32(vdotq_s32(vdupq_n_s32(0), w, x)), scale);
}

}  // namespace

void q8_rows_neondot(const RowPanel& w, int64_t row_begin, int64_t row_end, const int8_t* x, int64_t x_stride,
                     const float* act_scale, int64_t tokens, float* y, int64_t y_stride) {
  const int64_t blocks = w.cols / kBlock;
  for (int64_t row = row_begin; row < row_end; ++row) {
    for (int64_t t = 0; t < tokens; ++t) {
      const int8_t* codes = x + t * x_stride;
      const uint8_t* at = w.data + row / kRowGroup * w.group_bytes() + row % kRowGroup * kBlockBytes;
      float32x4_t low = vdupq_n_f32(0.0f), high = vdupq_n_f32(0.0f);
      for (int64_t block = 0; block < blocks; ++block) {
        uint16_t half;
        std::memcpy(&half, at, sizeof half);
        const float scale = f16_to_f32(half);
        const int8_t* q = reinterpret_cast<const int8_t*>(at + 2);
        low = add_block(low, vld1q_s8(q), vld1q_s8(codes + block * kBlock), scale);
        high = add_block(high, vld1q_s8(q + 16), vld1q_s8(codes + block * kBlock + 16), scale);
        at += kRowGroup * kBlockBytes;
      }
      const float32x4_t four = vaddq_f32(low, high);
      const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
      y[t * y_stride + row] = (vget_lane_f32(two, 0) + vget_lane_f32(two, 1)) * act_scale[t];
    }
  }
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
