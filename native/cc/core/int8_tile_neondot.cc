// Int8Tile for AArch64 with the dot product extension: four depths a step by SDOT, the rows of A picked from
// a register of four by lane.
#include "core/variants.h"

#if defined(BITNET_ARM64)

#include <arm_neon.h>

#include "core/target_region.h"

BITNET_TARGET_BEGIN_NEON_DOT

namespace bitnet {
namespace {

constexpr int kRows = 4;
constexpr int64_t kCols = 16;
constexpr int kQuarters = 4;  // of the columns
constexpr int64_t kGroup = 4;

alignas(64) const int8_t kZeros[kInt8PanelRows] = {};

template <int64_t Width>
void pack_panel(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  int8_t* out = reinterpret_cast<int8_t*>(panel);
  for (int64_t p = 0; p < depth; p += kGroup, out += Width * kGroup) {
    const int8_t* rows[kGroup];
    for (int64_t i = 0; i < kGroup; ++i) rows[i] = p + i < depth ? codes + (p + i) * stride : kZeros;
    for (int64_t lane = 0; lane < Width; lane += 16) {
      int8x16x4_t four = {{vdupq_n_s8(0), vdupq_n_s8(0), vdupq_n_s8(0), vdupq_n_s8(0)}};
      if (lane < lanes) {
        for (int i = 0; i < 4; ++i) four.val[i] = vld1q_s8(rows[i] + lane);
      }
      vst4q_s8(out + lane * kGroup, four);
    }
  }
}

void pack_a(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  pack_panel<kInt8PanelRows>(codes, stride, depth, lanes, panel);
}

void pack_b(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  pack_panel<kCols>(codes, stride, depth, lanes, panel + 4 * kCols);
}

void multiply(int64_t steps, const uint8_t* a, const uint8_t* b, int32_t* out, int64_t stride,
              bool accumulate) {
  const int8_t* left = reinterpret_cast<const int8_t*>(a);
  const int8_t* right = reinterpret_cast<const int8_t*>(b + 4 * kCols);
  int32x4_t sums[kRows][kQuarters];
  BITNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    BITNET_UNROLL
    for (int q = 0; q < kQuarters; ++q) sums[r][q] = vdupq_n_s32(0);
  }
  for (int64_t step = 0; step < steps; ++step) {
    const int8x16_t rows = vld1q_s8(left);
    BITNET_UNROLL
    for (int q = 0; q < kQuarters; ++q) {
      const int8x16_t columns = vld1q_s8(right + q * 16);
      sums[0][q] = vdotq_laneq_s32(sums[0][q], columns, rows, 0);
      sums[1][q] = vdotq_laneq_s32(sums[1][q], columns, rows, 1);
      sums[2][q] = vdotq_laneq_s32(sums[2][q], columns, rows, 2);
      sums[3][q] = vdotq_laneq_s32(sums[3][q], columns, rows, 3);
    }
    left += kInt8PanelRows * kGroup;
    right += kCols * kGroup;
  }
  BITNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    BITNET_UNROLL
    for (int q = 0; q < kQuarters; ++q) {
      int32_t* target = out + r * stride + q * 4;
      vst1q_s32(target, accumulate ? vaddq_s32(vld1q_s32(target), sums[r][q]) : sums[r][q]);
    }
  }
}

}  // namespace

const Int8Tile kNeonDotInt8Tile = {kRows, kCols, kGroup, 1, pack_a, pack_b, multiply};

}  // namespace bitnet

BITNET_TARGET_END

#endif
