// ternary_gemm for AArch64 with the dot product extension.
//
// SDOT takes 4 columns at once: 4 rows per register, the 4 activations picked from a register of 16 by lane.
// Codes 0, 1, 2 are valid signed bytes, and so are -1, 0, 1, which spans take: their sums need no correction. Many tokens: 256 columns of a group are unpacked to bytes once and
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

// Packed blocks to bytes: [block][step of 4 columns][row][4], `zero` taken off each.
BITNET_INLINE void unpack(const uint8_t* packed, int64_t blocks, int zero, int8_t* codes) {
  const uint8x16_t mask = vdupq_n_u8(3);
  const int8x16_t offset = vdupq_n_s8(static_cast<int8_t>(zero));
  for (int64_t quarter = 0; quarter < kQuarters * blocks; ++quarter) {
    const uint8x16_t v = vld1q_u8(packed + quarter * 16);
    int8_t* out = codes + quarter / kQuarters * kUnpackedBlock + quarter % kQuarters * 16;
    vst1q_s8(out, vsubq_s8(vreinterpretq_s8_u8(vandq_u8(v, mask)), offset));
    vst1q_s8(out + 64, vsubq_s8(vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(v, 2), mask)), offset));
    vst1q_s8(out + 128, vsubq_s8(vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(v, 4), mask)), offset));
    vst1q_s8(out + 192, vsubq_s8(vreinterpretq_s8_u8(vshrq_n_u8(v, 6)), offset));
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

// Where the sums of a tile come from and go to: those of the blocks before.
struct ParkedSums {
  int32_t* sums;  // [token][16]
  bool start;

  BITNET_INLINE int32x4_t first(int64_t token, int quarter) const {
    return start ? vdupq_n_s32(0) : vld1q_s32(sums + token * kPanelRows + quarter * 4);
  }
  BITNET_INLINE void last(int64_t token, int quarter, int32x4_t sum) const {
    vst1q_s32(sums + token * kPanelRows + quarter * 4, sum);
  }
};

BITNET_INLINE float32x4_t load_scales(const void* values, bool half, int64_t index) {
  if (!half) return vld1q_f32(static_cast<const float*>(values) + index);
  return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(static_cast<const uint16_t*>(values) + index)));
}

// A span: sums start from 0 and are added to the totals.
struct SpanTotals {
  float32x4_t scales[kQuarters];
  float* totals;  // [token][16]
  bool start;

  BITNET_INLINE SpanTotals(const TernaryPanel& w, int64_t group, int64_t span, float* to)
      : totals(to), start(span == 0) {
    BITNET_UNROLL
    for (int q = 0; q < kQuarters; ++q) {
      scales[q] = load_scales(w.span_scales(group), w.spans.half, span * kPanelRows + q * 4);
    }
  }
  BITNET_INLINE int32x4_t first(int64_t, int) const { return vdupq_n_s32(0); }
  BITNET_INLINE void last(int64_t token, int quarter, int32x4_t sum) const {
    float* out = totals + token * kPanelRows + quarter * 4;
    const float32x4_t before = start ? vdupq_n_f32(0.0f) : vld1q_f32(out);
    vst1q_f32(out, vfmaq_f32(before, vcvtq_f32_s32(sum), scales[quarter]));
  }
};

// Unpacked blocks of Tokens tokens from `token` on.
template <int Tokens, class Sums>
BITNET_INLINE void multiply_tile(const int8_t* codes, const int8_t* x, int64_t x_stride, int64_t token,
                                 int64_t blocks, const Sums& parked) {
  int32x4_t sums[Tokens][kQuarters];
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int q = 0; q < kQuarters; ++q) sums[t][q] = parked.first(token + t, q);
  }
  x += token * x_stride;
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
    for (int q = 0; q < kQuarters; ++q) parked.last(token + t, q, sums[t][q]);
  }
}

// All tokens times unpacked blocks.
template <class Sums>
void multiply_tiles(const int8_t* codes, const int8_t* x, int64_t x_stride, int64_t tokens, int64_t blocks,
                    const Sums& parked) {
  int64_t t = 0;
  for (; t + kTileTokens <= tokens; t += kTileTokens) {
    multiply_tile<kTileTokens>(codes, x, x_stride, t, blocks, parked);
  }
  for (; t < tokens; ++t) multiply_tile<1>(codes, x, x_stride, t, blocks, parked);
}

// One group of 16 rows times one token.
BITNET_INLINE void multiply_vector(const uint8_t* packed, const int8_t* x, int64_t blocks,
                                   int32x4_t (&result)[kQuarters]) {
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
  for (int q = 0; q < kQuarters; ++q) result[q] = vaddq_s32(sums[q][0], sums[q][1]);
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

// y[r] = totals[r] * act_scale.
BITNET_INLINE void store_totals(const float* totals, float act_scale, int64_t rows, float* y) {
  for (int64_t r = 0; r < rows; ++r) y[r] = totals[r] * act_scale;
}

// One token.
BITNET_INLINE void multiply_one(const TernaryPanel& w, int64_t group, const CodeRows& x, float* y) {
  const uint8_t* packed = w.codes + group * panel_group_bytes(w.cols);
  int32x4_t sums[kQuarters];
  if (!w.has_spans()) {
    int32_t stored[kPanelRows];
    multiply_vector(packed, x.codes, padded_cols(w.cols) / kPanelCols, sums);
    BITNET_UNROLL
    for (int q = 0; q < kQuarters; ++q) vst1q_s32(stored + q * 4, sums[q]);
    return store_outputs(stored, x.code_sum[0], x.act_scale[0], w.group_scales(group),
                         rows_of_group(w, group), y);
  }
  float32x4_t totals[kQuarters];
  BITNET_UNROLL
  for (int q = 0; q < kQuarters; ++q) totals[q] = vdupq_n_f32(0.0f);
  const int64_t blocks = w.spans.cols / kPanelCols, parts = w.spans.cols / kCodePadding;
  for (int64_t span = 0; span < w.span_count(); ++span) {
    multiply_vector(packed + span * blocks * kPanelBlockBytes, x.codes + span * w.spans.cols, blocks, sums);
    int32_t code_sum = 0;
    for (int64_t part = 0; part < parts; ++part) code_sum += x.part_sums[span * parts + part];
    BITNET_UNROLL
    for (int q = 0; q < kQuarters; ++q) {
      const float32x4_t exact = vcvtq_f32_s32(vsubq_s32(sums[q], vdupq_n_s32(code_sum)));
      const float32x4_t scale = load_scales(w.span_scales(group), w.spans.half, span * kPanelRows + q * 4);
      totals[q] = vfmaq_f32(totals[q], exact, scale);
    }
  }
  float stored[kPanelRows];
  BITNET_UNROLL
  for (int q = 0; q < kQuarters; ++q) vst1q_f32(stored + q * 4, totals[q]);
  store_totals(stored, x.act_scale[0], rows_of_group(w, group), y);
}

// One group times a block of tokens. x is that of the block.
void multiply_group(const TernaryPanel& w, int64_t group, const CodeRows& x, float* y, int64_t y_stride) {
  alignas(16) int8_t codes[kChunkBlocks * kUnpackedBlock];
  alignas(16) int32_t sums[kMaxBlockTokens * kPanelRows];
  const uint8_t* packed = w.codes + group * panel_group_bytes(w.cols);
  const int64_t blocks = padded_cols(w.cols) / kPanelCols;
  for (int64_t block = 0; block < blocks; block += kChunkBlocks) {
    const int64_t chunk = blocks - block < kChunkBlocks ? blocks - block : kChunkBlocks;
    unpack(packed + block * kPanelBlockBytes, chunk, 0, codes);
    multiply_tiles(codes, x.codes + block * kPanelCols, x.stride, x.tokens, chunk,
                   ParkedSums{sums, block == 0});
  }
  for (int64_t t = 0; t < x.tokens; ++t) {
    store_outputs(sums + t * kPanelRows, x.code_sum[t], x.act_scale[t], w.group_scales(group),
                  rows_of_group(w, group), y + t * y_stride);
  }
}

void multiply_group_spans(const TernaryPanel& w, int64_t group, const CodeRows& x, float* y,
                          int64_t y_stride) {
  alignas(16) int8_t codes[kChunkBlocks * kUnpackedBlock];
  alignas(16) float totals[kMaxBlockTokens * kPanelRows];
  const uint8_t* packed = w.codes + group * panel_group_bytes(w.cols);
  const int64_t blocks = w.spans.cols / kPanelCols;
  for (int64_t span = 0; span < w.span_count(); ++span) {
    unpack(packed + span * blocks * kPanelBlockBytes, blocks, 1, codes);
    multiply_tiles(codes, x.codes + span * w.spans.cols, x.stride, x.tokens, blocks,
                   SpanTotals(w, group, span, totals));
  }
  for (int64_t t = 0; t < x.tokens; ++t) {
    store_totals(totals + t * kPanelRows, x.act_scale[t], rows_of_group(w, group), y + t * y_stride);
  }
}

}  // namespace

void ternary_gemm_neondot(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const CodeRows& x,
                          float* y, int64_t y_stride) {
  if (x.tokens == 1) {
    for (int64_t group = group_begin; group < group_end; ++group) {
      multiply_one(w, group, x, y + group * kPanelRows);
    }
    return;
  }
  const auto multiply = w.has_spans() ? multiply_group_spans : multiply_group;
  int64_t block_tokens = kBlockActivationBytes / padded_cols(w.cols) / kTileTokens * kTileTokens;
  if (block_tokens < 4 * kTileTokens) block_tokens = 4 * kTileTokens;
  if (block_tokens > kMaxBlockTokens) block_tokens = kMaxBlockTokens;
  for (int64_t token = 0; token < x.tokens; token += block_tokens) {
    const int64_t count = x.tokens - token < block_tokens ? x.tokens - token : block_tokens;
    const CodeRows block = x.rows_from(token, count);
    for (int64_t group = group_begin; group < group_end; ++group) {
      multiply(w, group, block, y + token * y_stride + group * kPanelRows, y_stride);
    }
  }
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
