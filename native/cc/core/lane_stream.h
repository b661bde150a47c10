// Products of a few tokens with stored rows, decoded in registers in one pass over them: one body for every
// ISA. Include inside a target region, after lanes.h.
#pragma once

#include "core/lane_decode.h"

namespace bitnet {
namespace {

// y[t][n] = x[t] . row n (Kernels::linear_rows).
struct LinearRows {
  StoredRows w;
  int64_t cols;
  const float* x;
  int64_t x_stride, tokens;
  float* y;
  int64_t y_stride;
};

constexpr int64_t kStreamedTokens = 8;    // up to which decoding in registers is the faster way
constexpr uintptr_t kStreamAhead = 4096;  // bytes: what a memory has under way

template <int Tokens, int Rows>
struct StreamTile {
  Lanes sums[Tokens][Rows];
};

// sums[t][r] += lanes of x[t] * w[r] over 16 columns; value(t, j) and weight(r, j) are part j of them.
template <int Tokens, int Rows, typename Value, typename Weight>
BITNET_INLINE void add_chunk(StreamTile<Tokens, Rows>& tile, const Value& value_of, const Weight& weight) {
  each<kParts>([&](auto j) BITNET_INLINE_LAMBDA {
    Part weights[Rows];
    each<Rows>([&](auto r) BITNET_INLINE_LAMBDA { weights[r] = weight(r, j); });
    each<Tokens>([&](auto t) BITNET_INLINE_LAMBDA {
      Part value = value_of(t, j);
      BITNET_PIN(value);
      each<Rows>([&](auto r) BITNET_INLINE_LAMBDA {
        tile.sums[t][r].part[j] = fma(value, weights[r], tile.sums[t][r].part[j]);
      });
    });
  });
}

template <int Tokens, int Rows, typename Weight>
BITNET_INLINE void stream_chunk(StreamTile<Tokens, Rows>& tile, const float* x, int64_t x_stride,
                                const Weight& weight) {
  add_chunk(
      tile, [&](auto t, auto j) BITNET_INLINE_LAMBDA { return load_part(x + t * x_stride + j * kPartLanes); },
      weight);
}

// Outputs of Rows rows from `row`, which lie in one group if their stride is a group's, and Tokens tokens.
template <int Tokens, int Rows, RowType Type>
BITNET_INLINE void stream_tile(const LinearRows& job, int64_t row, const float* x, float* y) {
  constexpr int64_t kStep = unit_cols(Type);
  StreamTile<Tokens, Rows> tile;
  each<Tokens>([&](auto t) BITNET_INLINE_LAMBDA {
    each<Rows>([&](auto r) BITNET_INLINE_LAMBDA { tile.sums[t][r] = broadcast(0.0f); });
  });
  const int64_t row_stride = job.w.row_stride;
  const uint8_t* w = job.w.row(row);
  // Decoded before sums are in registers: it takes calls.
  const int64_t rest = block_cols(Type) > 1 ? 0 : job.cols % kStep;
  alignas(64) float ragged[Rows * kLanes] = {};
  for (int r = 0; r < Rows && rest; ++r) {
    decode_tail<Type>(w + job.cols / kStep * job.w.unit_stride + r * row_stride, rest, ragged + r * kLanes);
  }
  int64_t k = 0;
  for (; k + kStep <= job.cols; k += kStep) {
    each<(Rows * unit_bytes(Type) + 63) / 64>(
        [&](auto line) BITNET_INLINE_LAMBDA { BITNET_PREFETCH_AHEAD(w + line * 64, kStreamAhead); });
    if constexpr (is_k_quant(Type)) {
      SuperBlock blocks[Rows];
      for (int r = 0; r < Rows; ++r) unpack<Type>(w + r * row_stride, &blocks[r]);
      for (int64_t run = 0; run < kSuperBlock / kScaleRun; ++run) {
        stream_chunk(tile, x + k + run * kScaleRun, job.x_stride,
                     [&](auto r, auto j) BITNET_INLINE_LAMBDA { return load_run<Type>(blocks[r], run, j); });
      }
    } else {
      each<kStep / kLanes>([&](auto chunk) BITNET_INLINE_LAMBDA {
        stream_chunk(tile, x + k + chunk * kLanes, job.x_stride, [&](auto r, auto j) BITNET_INLINE_LAMBDA {
          return load_stored<Type>(w + r * row_stride, chunk * kParts + j);
        });
      });
    }
    w += job.w.unit_stride;
  }
  if (rest) {
    add_chunk(
        tile,
        [&](auto t, auto j) BITNET_INLINE_LAMBDA {
          return load_part_first(x + t * job.x_stride + k + j * kPartLanes,
                                 static_cast<int>(rest) - j * kPartLanes);
        },
        [&](auto r, auto j) BITNET_INLINE_LAMBDA { return load_part(ragged + r * kLanes + j * kPartLanes); });
  }
  each<Tokens>([&](auto t) BITNET_INLINE_LAMBDA {
    each<Rows>([&](auto r) BITNET_INLINE_LAMBDA { y[t * job.y_stride + row + r] = sum(tile.sums[t][r]); });
  });
}

// Rows of a tile: of q2_0 and q4_0, which have levels, scales and codes in registers too, half as many where those are
// short.
template <int Tokens, RowType Type>
constexpr int tile_rows() {
  const int rows = Tokens == 1 ? kRowGroup : kStreamRows;
  const int registers = rows * (Tokens * kParts + 3) + 3;
  const bool small = Type == RowType::q2_0 || Type == RowType::q4_0;
  return small && registers > kRegisters ? rows / 2 : rows;
}

// Rows [row, row + rows) of a group, rows <= kRowGroup.
template <int Tokens, RowType Type>
void stream_group(const LinearRows& job, int64_t row, int64_t rows, const float* x, float* y) {
  constexpr int kRows = tile_rows<Tokens, Type>();
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) stream_tile<Tokens, kRows, Type>(job, row + r, x, y);
  for (; r < rows; ++r) stream_tile<Tokens, 1, Type>(job, row + r, x, y);
}

// stream_group for the first Tokens tokens or fewer.
template <RowType Type, int Tokens = kStreamTokens>
BITNET_INLINE void stream_tokens(int64_t tokens, const LinearRows& job, int64_t row, int64_t rows,
                                 const float* x, float* y) {
  if constexpr (Tokens > 0) {
    if (tokens >= Tokens) return stream_group<Tokens, Type>(job, row, rows, x, y);
    stream_tokens<Type, Tokens - 1>(tokens, job, row, rows, x, y);
  }
}

// One pass over the rows: further tokens find those of a group in the cache.
template <RowType Type>
void stream_rows(const LinearRows& job, int64_t row_begin, int64_t row_end) {
  for (int64_t row = row_begin; row < row_end;) {
    const int64_t next = row / kRowGroup * kRowGroup + kRowGroup;
    const int64_t rows = (next < row_end ? next : row_end) - row;
    for (int64_t t = 0; t < job.tokens; t += kStreamTokens) {
      stream_tokens<Type>(job.tokens - t, job, row, rows, job.x + t * job.x_stride, job.y + t * job.y_stride);
    }
    row += rows;
  }
}

}  // namespace
}  // namespace bitnet
