// Products of a few tokens with int8 panels (int8_rows.h), one pass over them: one body for every ISA. Include
// inside a target region, after a header that defines
//
//   Sums               a vector of kSumLanes int32, the sums of as many rows; kSumLanes divides 16
//   Weights            what kSumLanes rows have in a word; load_weights(p)
//   Activations        a word of a token for every lane; broadcast_word(x)
//   zero_sums, add_sums, dot(sums, weights, activations)
//   corrected(sums, row_sums)     what the instruction's unsigned operand adds too much, taken off
//   store_outputs(sums, act_scale, scales, rows, y)   y[r] = float(sums[r]) * (act_scale * scales[r])
//   kStreamedTokens    that share a pass
#pragma once

#include "core/int8_rows.h"
#include "core/target_region.h"

namespace bitnet {
namespace {

constexpr int64_t kWordBytes = 4 * kPanelRows;
constexpr int kRowVectors = static_cast<int>(kPanelRows) / kSumLanes;

// Independent sums per token and vector, used in turn: enough to hide the latency of an instruction.
constexpr int word_sums(int tokens) {
  return tokens * kRowVectors >= 4 ? 1 : tokens * kRowVectors >= 2 ? 2 : 4;
}

// A panel times Tokens tokens from `token` on.
template <int Tokens>
BITNET_INLINE void stream_panel(const Int8Rows& w, int64_t row, const CodeRows& job, int64_t token,
                                int64_t row_end, float* y, int64_t y_stride) {
  constexpr int kSums = word_sums(Tokens);
  const int8_t* codes = w.panel(row / kPanelRows);
  const int8_t* x = job.codes + token * job.stride;
  const int64_t stride = job.stride, words = padded_cols(w.cols) / 4;
  Sums sums[Tokens][kRowVectors][kSums];
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int v = 0; v < kRowVectors; ++v) {
      BITNET_UNROLL
      for (int s = 0; s < kSums; ++s) sums[t][v][s] = zero_sums();
    }
  }
  for (int64_t word = 0; word < words; word += kSums) {
    BITNET_UNROLL
    for (int s = 0; s < kSums; ++s) {
      BITNET_PREFETCH_STREAM(codes + s * kWordBytes);
      Weights weights[kRowVectors];
      BITNET_UNROLL
      for (int v = 0; v < kRowVectors; ++v)
        weights[v] = load_weights(codes + s * kWordBytes + v * 4 * kSumLanes);
      BITNET_UNROLL
      for (int t = 0; t < Tokens; ++t) {
        const Activations four = broadcast_word(x + t * stride + 4 * s);
        BITNET_UNROLL
        for (int v = 0; v < kRowVectors; ++v) sums[t][v][s] = dot(sums[t][v][s], weights[v], four);
      }
    }
    codes += kSums * kWordBytes;
    x += kSums * 4;
  }
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int v = 0; v < kRowVectors; ++v) {
      Sums total = sums[t][v][0];
      BITNET_UNROLL
      for (int s = 1; s < kSums; ++s) total = add_sums(total, sums[t][v][s]);
      const int64_t first = row + v * kSumLanes, left = row_end - first;
      if (left <= 0) continue;
      store_outputs(corrected(total, w.sums + first), job.act_scale[token + t], w.scales + first,
                    left < kSumLanes ? left : kSumLanes, y + (token + t) * y_stride + first);
    }
  }
}

// The stream for a number of tokens known at run time, 1 .. Tokens.
template <int Tokens>
void stream_tokens(int64_t tokens, const Int8Rows& w, int64_t row, const CodeRows& x, int64_t token,
                   int64_t row_end, float* y, int64_t y_stride) {
  if (tokens >= Tokens) return stream_panel<Tokens>(w, row, x, token, row_end, y, y_stride);
  if constexpr (Tokens > 1) stream_tokens<Tokens - 1>(tokens, w, row, x, token, row_end, y, y_stride);
}

// Kernels::int8_rows: further tokens find the panel in the cache.
BITNET_INLINE void stream_rows(const Int8Rows& w, int64_t row_begin, int64_t row_end, const CodeRows& x,
                               float* y, int64_t y_stride) {
  for (int64_t row = row_begin; row < row_end; row += kPanelRows) {
    for (int64_t t = 0; t < x.tokens; t += kStreamedTokens) {
      stream_tokens<kStreamedTokens>(x.tokens - t, w, row, x, t, row_end, y, y_stride);
    }
  }
}

}  // namespace
}  // namespace bitnet
