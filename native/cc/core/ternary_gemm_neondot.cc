// ternary_gemm for AArch64 with the dot product extension.
//
// SDOT takes 4 columns at once: 4 rows per register, the 4 activations picked from a register of 16 by lane.
// Codes 0, 1, 2 are valid signed bytes. Many tokens: 256 columns of a group are unpacked to bytes once and
// multiplied with tiles of 4 tokens (16 accumulators, 4 code vectors, 4 activation vectors). One token: codes
// are unpacked in registers.
#include "core/variants.h"

#if defined(BITNET_ARM64)

#include <arm_neon.h>

#include <cstring>

#include "core/target_region.h"

BITNET_TARGET_BEGIN_NEON_DOT

namespace bitnet {
namespace {

constexpr int kTileTokens = 4;
constexpr int kQuarters = 4;  // of the 16 rows of a group
constexpr int64_t kChunkBlocks = 16;
constexpr int64_t kUnpackedBlock = kPanelRows * kPanelCols;
// Tokens whose activations are reused from the L2 cache by one group after the other.
constexpr int64_t kMaxBlockTokens = 192;
constexpr int64_t kBlockActivationBytes = 256 << 10;

// Packed blocks to bytes: [block][step of 4 columns][row][4].
BITNET_INLINE void unpack(const uint8_t* packed, int64_t blocks, int8_t* codes) {
  const uint8x16_t mask = vdupq_n_u8(3);
  for (int64_t quarter = 0; quarter < kQuarters * blocks; ++quarter) {
    const uint8x16_t v = vld1q_u8(packed + quarter * 16);
    int8_t* out = codes + quarter / kQuarters * kUnpackedBlock + quarter % kQuarters * 16;
    vst1q_s8(out, vreinterpretq_s8_u8(vandq_u8(v, mask)));
    vst1q_s8(out + 64, vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(v, 2), mask)));
    vst1q_s8(out + 128, vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(v, 4), mask)));
    vst1q_s8(out + 192, vreinterpretq_s8_u8(vshrq_n_u8(v, 6)));
  }
}

// sums[token][quarter] += 4 columns (Step) of one block of 16.
template <int Step, int Tokens>
BITNET_INLINE void multiply_step(const int8_t* codes, const int8x16_t (&x)[Tokens],
                                 int32x4_t (&sums)[Tokens][kQuarters]) {
  int8x16_t rows[kQuarters];
  BITNET_UNROLL
  for (int q = 0; q < kQuarters; ++q) rows[q] = vld1q_s8(codes + Step * 64 + q * 16);
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int q = 0; q < kQuarters; ++q) sums[t][q] = vdotq_laneq_s32(sums[t][q], rows[q], x[t], Step);
  }
}

// Adds unpacked blocks of Tokens tokens to parked[token][16], or starts them.
template <int Tokens>
BITNET_INLINE void multiply_tile(const int8_t* codes, const int8_t* x, int64_t x_stride, int64_t blocks,
                                 bool start, int32_t* parked) {
  int32x4_t sums[Tokens][kQuarters];
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int q = 0; q < kQuarters; ++q) {
      sums[t][q] = start ? vdupq_n_s32(0) : vld1q_s32(parked + t * kPanelRows + q * 4);
    }
  }
  for (int64_t block = 0; block < blocks; ++block) {
    int8x16_t columns[Tokens];
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) columns[t] = vld1q_s8(x + t * x_stride + block * kPanelCols);
    const int8_t* block_codes = codes + block * kUnpackedBlock;
    multiply_step<0>(block_codes, columns, sums);
    multiply_step<1>(block_codes, columns, sums);
    multiply_step<2>(block_codes, columns, sums);
    multiply_step<3>(block_codes, columns, sums);
  }
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int q = 0; q < kQuarters; ++q) vst1q_s32(parked + t * kPanelRows + q * 4, sums[t][q]);
  }
}

// One group of 16 rows times one token.
BITNET_INLINE void multiply_vector(const uint8_t* packed, const int8_t* x, int64_t blocks, int32_t* result) {
  const uint8x16_t mask = vdupq_n_u8(3);
  int32x4_t sums[kQuarters][2];  // two chains hide the latency
  BITNET_UNROLL
  for (int q = 0; q < kQuarters; ++q) sums[q][0] = sums[q][1] = vdupq_n_s32(0);
  for (int64_t block = 0; block < blocks; ++block) {
    BITNET_PREFETCH_STREAM(packed + block * kPanelBlockBytes);
    const int8x16_t columns = vld1q_s8(x + block * kPanelCols);
    BITNET_UNROLL
    for (int q = 0; q < kQuarters; ++q) {
      const uint8x16_t v = vld1q_u8(packed + block * kPanelBlockBytes + q * 16);
      const int8x16_t c0 = vreinterpretq_s8_u8(vandq_u8(v, mask));
      const int8x16_t c1 = vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(v, 2), mask));
      const int8x16_t c2 = vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(v, 4), mask));
      const int8x16_t c3 = vreinterpretq_s8_u8(vshrq_n_u8(v, 6));
      sums[q][0] = vdotq_laneq_s32(sums[q][0], c0, columns, 0);
      sums[q][1] = vdotq_laneq_s32(sums[q][1], c1, columns, 1);
      sums[q][0] = vdotq_laneq_s32(sums[q][0], c2, columns, 2);
      sums[q][1] = vdotq_laneq_s32(sums[q][1], c3, columns, 3);
    }
  }
  BITNET_UNROLL
  for (int q = 0; q < kQuarters; ++q) vst1q_s32(result + q * 4, vaddq_s32(sums[q][0], sums[q][1]));
}

// y[r] = float(sums[r] - code_sum) * (act_scale * scales[r]) for the `rows` <= 16 rows that exist.
BITNET_INLINE void store_outputs(const int32_t* sums, int32_t code_sum, float act_scale, const float* scales,
                                 int64_t rows, float* y) {
  float all[kPanelRows];
  BITNET_UNROLL
  for (int q = 0; q < kQuarters; ++q) {
    const int32x4_t exact = vsubq_s32(vld1q_s32(sums + q * 4), vdupq_n_s32(code_sum));
    const float32x4_t scale = vmulq_n_f32(vld1q_f32(scales + q * 4), act_scale);
    vst1q_f32(all + q * 4, vmulq_f32(vcvtq_f32_s32(exact), scale));
  }
  std::memcpy(y, all, static_cast<size_t>(rows) * sizeof(float));
}

int64_t rows_of_group(const TernaryPanel& w, int64_t group) {
  const int64_t left = w.rows - group * kPanelRows;
  return left < kPanelRows ? left : kPanelRows;
}

}  // namespace

void ternary_gemm_neondot(const TernaryPanel& w, int64_t group_begin, int64_t group_end,
                          const CodeRows& codes_of_x, float* y, int64_t y_stride) {
  const auto& [x, x_stride, act_scale, code_sum, tokens, packed_x] = codes_of_x;
  static_cast<void>(packed_x);
  const int64_t cols = padded_cols(w.cols), blocks = cols / kPanelCols,
                group_bytes = panel_group_bytes(w.cols);
  alignas(16) int8_t codes[kChunkBlocks * kUnpackedBlock];
  alignas(16) int32_t sums[kMaxBlockTokens * kPanelRows];
  if (tokens == 1) {
    for (int64_t group = group_begin; group < group_end; ++group) {
      multiply_vector(w.codes + group * group_bytes, x, blocks, sums);
      store_outputs(sums, code_sum[0], act_scale[0], w.group_scales(group), rows_of_group(w, group),
                    y + group * kPanelRows);
    }
    return;
  }
  int64_t block_tokens = kBlockActivationBytes / cols / kTileTokens * kTileTokens;
  if (block_tokens < 4 * kTileTokens) block_tokens = 4 * kTileTokens;
  if (block_tokens > kMaxBlockTokens) block_tokens = kMaxBlockTokens;
  for (int64_t token = 0; token < tokens; token += block_tokens) {
    const int64_t count = tokens - token < block_tokens ? tokens - token : block_tokens;
    for (int64_t group = group_begin; group < group_end; ++group) {
      const uint8_t* packed = w.codes + group * group_bytes;
      for (int64_t block = 0; block < blocks; block += kChunkBlocks) {
        const int64_t chunk = blocks - block < kChunkBlocks ? blocks - block : kChunkBlocks;
        unpack(packed + block * kPanelBlockBytes, chunk, codes);
        const int8_t* columns = x + token * x_stride + block * kPanelCols;
        int64_t t = 0;
        for (; t + kTileTokens <= count; t += kTileTokens) {
          multiply_tile<kTileTokens>(codes, columns + t * x_stride, x_stride, chunk, block == 0,
                                     sums + t * kPanelRows);
        }
        for (; t < count; ++t) {
          multiply_tile<1>(codes, columns + t * x_stride, x_stride, chunk, block == 0, sums + t * kPanelRows);
        }
      }
      const int64_t rows = rows_of_group(w, group);
      for (int64_t t = 0; t < count; ++t) {
        store_outputs(sums + t * kPanelRows, code_sum[token + t], act_scale[token + t], w.group_scales(group),
                      rows, y + (token + t) * y_stride + group * kPanelRows);
      }
    }
  }
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
