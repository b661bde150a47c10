// int8_rows for NEON with the dot product: SDOT sums four products of signed bytes per lane.
#include "core/int8_rows.h"
#include "core/variants.h"

#if defined(BITNET_ARM64)

#include <arm_neon.h>

#include <cstring>

#include "core/target_region.h"

BITNET_TARGET_BEGIN_NEON_DOT

namespace bitnet {
namespace {

using Sums = int32x4_t;
using Weights = int8x16_t;
using Activations = int8x16_t;
constexpr int kSumLanes = 4;
constexpr int kStreamedTokens = 4;

BITNET_INLINE Weights load_weights(const int8_t* p) { return vld1q_s8(p); }
BITNET_INLINE Activations broadcast_word(const int8_t* x) {
  int32_t four;
  std::memcpy(&four, x, sizeof four);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}
BITNET_INLINE Sums zero_sums() { return vdupq_n_s32(0); }
BITNET_INLINE Sums add_sums(Sums a, Sums b) { return vaddq_s32(a, b); }
BITNET_INLINE Sums dot(Sums sums, Weights weights, Activations x) { return vdotq_s32(sums, weights, x); }
BITNET_INLINE Sums corrected(Sums sums, const int32_t*) { return sums; }
BITNET_INLINE void store_outputs(Sums sums, float act_scale, const float* scales, int64_t rows, float* y) {
  float all[kSumLanes];
  vst1q_f32(all, vmulq_f32(vcvtq_f32_s32(sums), vmulq_n_f32(vld1q_f32(scales), act_scale)));
  std::memcpy(y, all, static_cast<size_t>(rows) * sizeof(float));
}

}  // namespace
}  // namespace bitnet

#include "core/int8_stream.h"

namespace bitnet {

void int8_rows_neondot(const Int8Rows& w, int64_t row_begin, int64_t row_end, const CodeRows& x, float* y,
                       int64_t y_stride) {
  stream_rows(w, row_begin, row_end, x, y, y_stride);
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
