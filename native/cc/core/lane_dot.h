// Float products over stored rows on 16 lanes: one body for every ISA. Include inside a target region, after
// lanes.h.
//
// A few tokens stream the weights (lane_stream.h). More tokens work on blocks of decoded weights in the L1
// cache: a register tile holds sums of kDotTokens x kDotRows outputs, one part of their 16 lanes at a time,
// and parks them in memory from one block of columns to the next, which changes no order.
#pragma once

#include "core/lane_stream.h"

namespace bitnet {
namespace {

// ---- many tokens: tiles over decoded blocks ----

constexpr int64_t kBlockRows = 16;  // a vector of outputs, a multiple of kDotRows
constexpr int64_t kBlockCols = 512;
constexpr int64_t kBlockTokens = 64;
constexpr int64_t kCachedValues = int64_t{1} << 17;  // floats, half of a small second-level cache
constexpr int64_t kCacheLine = 64;
constexpr int64_t kTokenSums = kBlockRows * kLanes;  // floats of one token's parked sums
static_assert(kBlockRows % kDotRows == 0 && kBlockRows % kPartLanes == 0, "a block is cut into whole tiles");

// Some rows of float32 weights.
struct FloatRows {
  const float* data;
  int64_t stride, rows;
};

// Sums of Tokens tokens over `chunks` chunks of 16 columns, for all rows of a block, whole tiles of them:
// lane sums sums[token][row][16], which begin at 0 if `start`.
template <int Tokens>
void dot_tiles(const float* x, int64_t x_stride, const FloatRows& w, int64_t chunks, bool start,
               float* sums) {
  const int64_t w_stride = w.stride;
  for (int64_t row = 0; row < w.rows; row += kDotRows) {
    for (int64_t part = 0; part < kLanes; part += kPartLanes) {
      float* parked = sums + row * kLanes + part;
      Part tile[Tokens][kDotRows];
      each<Tokens>([&](auto t) BITNET_INLINE_LAMBDA {
        each<kDotRows>([&](auto r) BITNET_INLINE_LAMBDA {
          tile[t][r] = start ? zero_part() : load_part(parked + t * kTokenSums + r * kLanes);
        });
      });
      const float* weights = w.data + row * w_stride + part;
      const float* values = x + part;
      for (int64_t i = 0; i < chunks; ++i) {
        Part column[kDotRows];
        each<kDotRows>([&](auto r) BITNET_INLINE_LAMBDA { column[r] = load_part(weights + r * w_stride); });
        each<Tokens>([&](auto t) BITNET_INLINE_LAMBDA {
          Part value = load_part(values + t * x_stride);
          BITNET_PIN(value);  // or it is loaded again for every row
          each<kDotRows>([&](auto r)
                             BITNET_INLINE_LAMBDA { tile[t][r] = fma(value, column[r], tile[t][r]); });
        });
        weights += kLanes;
        values += kLanes;
      }
      each<Tokens>([&](auto t) BITNET_INLINE_LAMBDA {
        each<kDotRows>([&](auto r) BITNET_INLINE_LAMBDA {
          store_part(parked + t * kTokenSums + r * kLanes, tile[t][r]);
        });
      });
    }
  }
}

// dot_tiles for a number of tokens known at run time, 1 .. Tokens.
template <int Tokens = kDotTokens>
BITNET_INLINE void dot_tokens(int64_t tokens, const float* x, int64_t x_stride, const FloatRows& w,
                              int64_t chunks, bool start, float* sums) {
  if constexpr (Tokens > 0) {
    if (tokens == Tokens) return dot_tiles<Tokens>(x, x_stride, w, chunks, start, sums);
    dot_tokens<Tokens - 1>(tokens, x, x_stride, w, chunks, start, sums);
  }
}

// The same over `cols` columns. A ragged chunk of weights is read from `tail`, zero padded.
void dot_columns(int64_t tokens, const float* x, int64_t x_stride, const FloatRows& w, const FloatRows& tail,
                 int64_t cols, bool start, float* sums) {
  const int64_t chunks = cols / kLanes, rest = cols % kLanes;
  if (chunks) dot_tokens(tokens, x, x_stride, w, chunks, start, sums);
  if (rest == 0) return;
  float values[kDotTokens * kLanes] = {};
  for (int64_t t = 0; t < tokens; ++t) {
    std::memcpy(values + t * kLanes, x + t * x_stride + chunks * kLanes, static_cast<size_t>(rest) * 4);
  }
  dot_tokens(tokens, values, kLanes, tail, 1, start && chunks == 0, sums);
}

// Asks for share `part` of `parts` of the stored columns [k, k + kBlockCols) of a block of rows: a block is
// read only when the one before is done, too late for memory.
template <RowType Type>
BITNET_INLINE void prefetch_block(const LinearRows& job, int64_t row, int64_t row_end, int64_t k,
                                  int64_t part, int64_t parts) {
  const int64_t end = row + kBlockRows < row_end ? row + kBlockRows : row_end;
  const int64_t cols = job.cols - k < kBlockCols ? job.cols - k : kBlockCols;
  // What lies together: the units of one row, or of a group of rows.
  const int64_t together = job.w.unit_stride / unit_bytes(Type);
  const int64_t lines = (row_bytes(Type, cols) * together + kCacheLine - 1) / kCacheLine;
  for (; row < end; row += together) {
    const uint8_t* begin = job.w.row(row) + k / unit_cols(Type) * job.w.unit_stride;
    for (int64_t line = lines * part / parts; line < lines * (part + 1) / parts; ++line) {
      BITNET_PREFETCH(begin + line * kCacheLine);
    }
  }
}

// Outputs of `rows` <= kBlockRows rows from `row` and `tokens` tokens from `token`.
template <RowType Type>
void dot_block(const LinearRows& job, int64_t row, int64_t row_end, int64_t token, int64_t tokens) {
  const int64_t rows = row_end - row < kBlockRows ? row_end - row : kBlockRows;
  alignas(64) float decoded[kBlockRows * kBlockCols];
  alignas(64) float parked[kBlockTokens * kTokenSums];
  // Rows past the end of a ragged block give sums that nobody reads.
  if (rows < kBlockRows) std::memset(decoded, 0, sizeof decoded);
  for (int64_t k = 0; k < job.cols; k += kBlockCols) {
    const int64_t cols = job.cols - k < kBlockCols ? job.cols - k : kBlockCols;
    const int64_t whole = cols / kLanes * kLanes;
    FloatRows weights = {decoded, kBlockCols, round_up(rows, kDotRows)};
    const FloatRows tail = {decoded + whole, kBlockCols, weights.rows};
    const int64_t unit = k / unit_cols(Type) * job.w.unit_stride;
    const auto stored = [&](int64_t r) { return job.w.row(row + r) + unit; };
    if (Type == RowType::f32 && job.w.unit_stride == unit_bytes(Type) && rows % kDotRows == 0) {
      weights = {reinterpret_cast<const float*>(stored(0)), job.w.row_stride / 4, rows};
      for (int64_t r = 0; r < rows && whole < cols; ++r) {
        decode_tail<Type>(stored(r) + whole * 4, cols - whole, decoded + r * kBlockCols + whole);
      }
    } else {
      for (int64_t r = 0; r < rows; ++r) {
        decode_padded<Type>(stored(r), job.w.unit_stride, cols, decoded + r * kBlockCols);
      }
    }
    const bool last = k + cols == job.cols;
    for (int64_t t = 0; t < tokens; t += kDotTokens) {
      prefetch_block<Type>(job, last ? row + rows : row, row_end, last ? 0 : k + cols, t / kDotTokens,
                           (tokens + kDotTokens - 1) / kDotTokens);
      const int64_t count = tokens - t < kDotTokens ? tokens - t : kDotTokens;
      // Sums that need not wait for other columns stay in the same lines.
      float* sums = job.cols > kBlockCols ? parked + t * kTokenSums : parked;
      dot_columns(count, job.x + (token + t) * job.x_stride + k, job.x_stride, weights, tail, cols, k == 0,
                  sums);
      if (!last) continue;
      for (int64_t i = 0; i < count; ++i) {
        float* y = job.y + (token + t + i) * job.y_stride + row;
        for (int64_t r = 0; r < rows; r += kPartLanes) {
          store_part_first(y + r, sum_each(sums + i * kTokenSums + r * kLanes), static_cast<int>(rows - r));
        }
      }
    }
  }
}

// ---- products ----

template <RowType Type>
void linear_rows_of(const LinearRows& job, int64_t row_begin, int64_t row_end) {
  if (job.tokens <= kStreamedTokens) return stream_rows<Type>(job, row_begin, row_end);
  // Tokens whose values stay in the second-level cache while rows pass; without parked sums a block of
  // weights serves all of them.
  const int64_t fitting = kCachedValues / (job.cols < kBlockCols ? kBlockCols : job.cols);
  const int64_t step = job.cols > kBlockCols || fitting < kBlockTokens ? kBlockTokens : fitting;
  for (int64_t token = 0; token < job.tokens; token += step) {
    const int64_t tokens = job.tokens - token < step ? job.tokens - token : step;
    for (int64_t row = row_begin; row < row_end; row += kBlockRows) {
      dot_block<Type>(job, row, row_end, token, tokens);
    }
  }
}

void multiply_rows(const LinearRows& job, RowType type, int64_t row_begin, int64_t row_end) {
  switch (type) {
    case RowType::f16:
      return linear_rows_of<RowType::f16>(job, row_begin, row_end);
    case RowType::bf16:
      return linear_rows_of<RowType::bf16>(job, row_begin, row_end);
    case RowType::q8_0:
      return linear_rows_of<RowType::q8_0>(job, row_begin, row_end);
    case RowType::q2_0:
      return linear_rows_of<RowType::q2_0>(job, row_begin, row_end);
    case RowType::q6_k:
      return linear_rows_of<RowType::q6_k>(job, row_begin, row_end);
    case RowType::q5_k:
      return linear_rows_of<RowType::q5_k>(job, row_begin, row_end);
    case RowType::q4_k:
      return linear_rows_of<RowType::q4_k>(job, row_begin, row_end);
    case RowType::q4_0:
      return linear_rows_of<RowType::q4_0>(job, row_begin, row_end);
    default:
      return linear_rows_of<RowType::f32>(job, row_begin, row_end);
  }
}

void linear_rows(const void* w, RowType type, int64_t row_begin, int64_t row_end, int64_t cols,
                 const float* x, int64_t x_stride, int64_t tokens, float* y, int64_t y_stride) {
  const int64_t stride = row_bytes(type, cols);
  const StoredRows rows = {static_cast<const uint8_t*>(w), kRowGroup * stride, stride, unit_bytes(type)};
  multiply_rows({rows, cols, x, x_stride, tokens, y, y_stride}, type, row_begin, row_end);
}

void panel_rows(const RowPanel& w, int64_t row_begin, int64_t row_end, const float* x, int64_t x_stride,
                int64_t tokens, float* y, int64_t y_stride) {
  const int64_t unit = unit_bytes(w.type);
  const StoredRows rows = {w.data, w.group_bytes(), unit, kRowGroup * unit};
  multiply_rows({rows, w.cols, x, x_stride, tokens, y, y_stride}, w.type, row_begin, row_end);
}

}  // namespace
}  // namespace bitnet
