// Ternary products whose scales are of spans, neighbours of a row (SpanScales): the integers of vnni_products.h,
// summed anew in each span, converted, and added to float32 totals. Include it after that header, in the same
// target region.
//
// Many tokens: the sums of a register tile start from the negative sums of the tokens' codes, which unsigned
// codes of weights ask for, and the totals lie in the stash, since the registers hold the sums. A few tokens:
// the totals stay in registers.
#pragma once

#include "core/vnni_products.h"

namespace bitnet {
namespace {

// Sum of a token's codes over the span that begins at column `col`.
BITNET_INLINE int32_t span_code_sum(const int32_t* sums, int64_t col, int64_t cols) {
  int32_t sum = 0;
  for (int64_t part = col / kCodePadding; part < (col + cols) / kCodePadding; ++part) sum += sums[part];
  return sum;
}

template <int Tokens>
void multiply_span_tile(const TernaryJob& job, const RowTile& at, const TileChunk& chunk) {
  constexpr int kVectorBytes = 4 * kLanesOfCodes;
  const SpanScales& spans = job.w.spans;
  const void* scales[2] = {job.w.span_scales(at.group[0]), job.w.span_scales(at.group[1])};
  const uint8_t* x = chunk.x;
  const uint8_t* low_codes = at.codes[0];
  const uint8_t* high_codes = at.codes[1];
  const int64_t steps = spans.cols / kStepCols;
  for (int64_t col = chunk.first_col; col < chunk.first_col + chunk.cols; col += spans.cols) {
    Codes low[Tokens], high[Tokens];
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) {
      // The last token of a tile may lie behind the end.
      const int64_t token = chunk.token + (t < chunk.left ? t : 0);
      low[t] = high[t] = broadcast_sum(-span_code_sum(job.x.sums_of(token), col, spans.cols));
    }
    multiply_steps<Tokens>(low_codes, high_codes, x, steps, low, high);
    const int64_t scale = col / spans.cols * kPanelRows;
    const Floats low_scale = load_scales(scales[0], spans.half, scale + at.lane[0]);
    const Floats high_scale = load_scales(scales[1], spans.half, scale + at.lane[1]);
    const bool first = col == 0;
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) {
      float* a = reinterpret_cast<float*>(chunk.stash + 2 * t * kVectorBytes);
      float* b = a + kLanesOfCodes;
      store_floats(a, add_scaled(first ? zero_floats() : load_floats(a), low[t], low_scale));
      store_floats(b, add_scaled(first ? zero_floats() : load_floats(b), high[t], high_scale));
    }
    low_codes += steps * kStepBytes;
    high_codes += steps * kStepBytes;
    x += Tokens * spans.cols;
  }
  if (!chunk.last) return;
  float* y = job.y + chunk.token * job.y_stride + at.first;
  for (int t = 0; t < Tokens && t < chunk.left; ++t, y += job.y_stride) {
    const float* a = reinterpret_cast<const float*>(chunk.stash + 2 * t * kVectorBytes);
    const float act_scale = job.x.act_scale[chunk.token + t];
    store_totals(load_floats(a), act_scale, at.rows[0], y);
    store_totals(load_floats(a + kLanesOfCodes), act_scale, at.rows[1], y + kLanesOfCodes);
  }
}

// Independent sums per token and vector: spans follow each other without waiting, so two are enough.
constexpr int kSpanSums = 2;
constexpr int kPartBlocks = static_cast<int>(kCodePadding / kPanelCols);

template <int Tokens>
BITNET_INLINE void stream_group_spans(const TernaryJob& job, int64_t group) {
  const SpanScales& spans = job.w.spans;
  const void* scales = job.w.span_scales(group);
  const uint8_t* packed = job.codes(group);
  const int8_t* x = job.x.codes;
  const int64_t stride = job.x.stride, parts = spans.cols / kCodePadding;
  const int64_t parts_stride = stride / kCodePadding;
  const int32_t* part_sums = job.x.part_sums;
  Floats totals[kGroupVectors][Tokens];
  BITNET_UNROLL
  for (int v = 0; v < kGroupVectors; ++v) {
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) totals[v][t] = zero_floats();
  }
  for (int64_t scale = 0; scale < job.w.span_count() * kPanelRows; scale += kPanelRows) {
    Codes sums[kGroupVectors][Tokens][kSpanSums];
    clear_sums<Tokens, kSpanSums>(sums);
    BITNET_PREFETCH_AHEAD(static_cast<const uint8_t*>(scales) + scale * (spans.half ? 2 : 4), 1024);
    for (int64_t part = 0; part < parts; ++part, ++part_sums) {
      BITNET_UNROLL
      for (int block = 0; block < kPartBlocks; ++block) {
        multiply_block<Tokens, kSpanSums>(packed, x, stride, sums);
        packed += kPanelBlockBytes;
        x += kPanelCols;
      }
      BITNET_UNROLL
      for (int v = 0; v < kGroupVectors; ++v) {
        BITNET_UNROLL
        for (int t = 0; t < Tokens; ++t) {
          sums[v][t][0] = take_off(sums[v][t][0], part_sums + t * parts_stride);
        }
      }
    }
    BITNET_UNROLL
    for (int v = 0; v < kGroupVectors; ++v) {
      const Floats scales_of_rows = load_scales(scales, spans.half, scale + v * kLanesOfCodes);
      BITNET_UNROLL
      for (int t = 0; t < Tokens; ++t) {
        totals[v][t] = add_scaled(totals[v][t], total_of<kSpanSums>(sums[v][t]), scales_of_rows);
      }
    }
  }
  BITNET_UNROLL
  for (int v = 0; v < kGroupVectors; ++v) {
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) {
      store_totals(totals[v][t], job.x.act_scale[t], rows_of_vector(job, group, v * kLanesOfCodes),
                   job.y + t * job.y_stride + group * kPanelRows + v * kLanesOfCodes);
    }
  }
}

struct SpanProduct {
  template <int Tokens>
  static BITNET_INLINE void stream(const TernaryJob& job, int64_t group) {
    stream_group_spans<Tokens>(job, group);
  }
  template <int Tokens>
  static BITNET_INLINE void tile(const TernaryJob& job, const RowTile& at, const TileChunk& chunk) {
    multiply_span_tile<Tokens>(job, at, chunk);
  }
};

// Kernels::ternary_gemm.
BITNET_INLINE void multiply_codes(const TernaryPanel& w, int64_t group_begin, int64_t group_end,
                                  const CodeRows& x, float* y, int64_t y_stride) {
  const TernaryJob job{w, x, y, y_stride};
  if (w.has_spans()) return multiply_groups<SpanProduct>(job, group_begin, group_end);
  multiply_groups<MatrixProduct>(job, group_begin, group_end);
}

}  // namespace
}  // namespace bitnet
