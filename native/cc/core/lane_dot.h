// Float products over row-major weights on 16 lanes, and row decoding: one body for every ISA. Include inside
// a target region, after lanes.h.
//
// A register tile holds sums of kDotTokens x kDotRows outputs, one part of their 16 lanes at a time. A few
// tokens stream the weights once and decode them in registers; more tokens work on blocks of decoded weights
// in the L1 cache, and park their lane sums in memory from one block of columns to the next, which changes no
// order.
#pragma once

#include "core/kernels.h"
#include "core/lane_k_quants.h"
#include "core/lanes.h"

namespace bitnet {
namespace {

// ---- decoding ----

// Columns decoded per step: 16, or one block.
constexpr int64_t step_cols(RowType type) { return block_cols(type) > 1 ? block_cols(type) : kLanes; }

// Part j of the step whose first stored byte is `step`.
template <RowType Type>
BITNET_INLINE Part load_stored(const uint8_t* step, int64_t j) {
  const int64_t k = j * kPartLanes;
  if (Type == RowType::f16) return load_part_f16(step + 2 * k);
  if (Type == RowType::bf16) return load_part_bf16(step + 2 * k);
  if (Type == RowType::q8_0) return mul(load_part_i8(step + 2 + k), broadcast_part_f16(step));
  return load_part(reinterpret_cast<const float*>(step) + k);
}

// `count` < 16 values, zero padded to 16. Rows of blocks are whole blocks and have no tail.
template <RowType Type>
BITNET_INLINE void decode_tail(const uint8_t* stored, int64_t count, float* out) {
  constexpr RowType kTailType = block_cols(Type) > 1 ? RowType::f32 : Type;
  alignas(64) uint8_t padded[kLanes * 4] = {};
  std::memcpy(padded, stored, static_cast<size_t>(row_bytes(kTailType, count)));
  for (int j = 0; j < kParts; ++j) store_part(out + j * kPartLanes, load_stored<kTailType>(padded, j));
}

template <RowType Type>
BITNET_INLINE void decode_step(const uint8_t* stored, float* out) {
  if constexpr (is_k_quant(Type)) {
    SuperBlock block;
    unpack<Type>(stored, &block);
    for (int64_t run = 0; run < kSuperBlock / kScaleRun; ++run) {
      BITNET_UNROLL
      for (int j = 0; j < kParts; ++j)
        store_part(out + run * kScaleRun + j * kPartLanes, load_run<Type>(block, run, j));
    }
  } else {
    constexpr int kStepParts = static_cast<int>(step_cols(Type)) / kPartLanes;
    BITNET_UNROLL
    for (int j = 0; j < kStepParts; ++j) store_part(out + j * kPartLanes, load_stored<Type>(stored, j));
  }
}

// `cols` values from a whole step on, zero padded to a multiple of 16.
template <RowType Type>
BITNET_INLINE void decode_padded(const uint8_t* stored, int64_t cols, float* out) {
  constexpr int64_t kStep = step_cols(Type);
  int64_t k = 0;
  for (; k + kStep <= cols; k += kStep) {
    decode_step<Type>(stored, out + k);
    stored += row_bytes(Type, kStep);
  }
  if (k < cols) decode_tail<Type>(stored, cols - k, out + k);
}

template <RowType Type>
BITNET_INLINE void decode_row_of(const void* row, int64_t cols, float* out) {
  const uint8_t* stored = static_cast<const uint8_t*>(row);
  const int64_t whole = cols / step_cols(Type) * step_cols(Type);
  decode_padded<Type>(stored, whole, out);
  if (whole == cols) return;
  float tail[kLanes];
  decode_tail<Type>(stored + row_bytes(Type, whole), cols - whole, tail);
  std::memcpy(out + whole, tail, static_cast<size_t>(cols - whole) * sizeof(float));
}

void decode_row(const void* row, RowType type, int64_t cols, float* out) {
  switch (type) {
    case RowType::f16:
      return decode_row_of<RowType::f16>(row, cols, out);
    case RowType::bf16:
      return decode_row_of<RowType::bf16>(row, cols, out);
    case RowType::q8_0:
      return decode_row_of<RowType::q8_0>(row, cols, out);
    case RowType::q6_k:
      return decode_row_of<RowType::q6_k>(row, cols, out);
    case RowType::q4_k:
      return decode_row_of<RowType::q4_k>(row, cols, out);
    default:
      return decode_row_of<RowType::f32>(row, cols, out);
  }
}

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

struct LinearRows {
  const uint8_t* w;
  int64_t w_stride, cols;
  const float* x;
  int64_t x_stride, tokens;
  float* y;
  int64_t y_stride;
};

// Asks for share `part` of `parts` of the stored columns [k, k + kBlockCols) of a block of rows: a block is
// read only when the one before is done, too late for memory.
template <RowType Type>
BITNET_INLINE void prefetch_block(const LinearRows& job, int64_t row, int64_t row_end, int64_t k,
                                  int64_t part, int64_t parts) {
  const int64_t rows = row_end - row < kBlockRows ? row_end - row : kBlockRows;
  const int64_t cols = job.cols - k < kBlockCols ? job.cols - k : kBlockCols;
  const int64_t lines = (row_bytes(Type, cols) + kCacheLine - 1) / kCacheLine;
  const uint8_t* begin = job.w + row * job.w_stride + row_bytes(Type, k);
  for (int64_t line = lines * part / parts; line < lines * (part + 1) / parts; ++line) {
    for (int64_t r = 0; r < rows; ++r) BITNET_PREFETCH(begin + r * job.w_stride + line * kCacheLine);
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
    const uint8_t* stored = job.w + row * job.w_stride + row_bytes(Type, k);
    if (Type == RowType::f32 && rows % kDotRows == 0) {
      weights = {reinterpret_cast<const float*>(stored), job.w_stride / 4, rows};
      for (int64_t r = 0; r < rows && whole < cols; ++r)
        decode_tail<Type>(stored + r * job.w_stride + whole * 4, cols - whole,
                          decoded + r * kBlockCols + whole);
    } else {
      for (int64_t r = 0; r < rows; ++r)
        decode_padded<Type>(stored + r * job.w_stride, cols, decoded + r * kBlockCols);
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

// ---- few tokens: one pass over the stored rows ----

// One super-block of Rows rows of the type, or one step of another type, unpacked as far as it helps.
template <int Tokens, int Rows>
struct StreamTile {
  Lanes sums[Tokens][Rows];
};

// sums[t][r] += lanes of x[t] * w[r] over 16 columns from x on; weight(r, j) is part j of row r.
template <int Tokens, int Rows, typename Weight>
BITNET_INLINE void stream_chunk(StreamTile<Tokens, Rows>& tile, const float* x, int64_t x_stride,
                                const Weight& weight) {
  each<kParts>([&](auto j) BITNET_INLINE_LAMBDA {
    Part weights[Rows];
    each<Rows>([&](auto r) BITNET_INLINE_LAMBDA { weights[r] = weight(r, j); });
    each<Tokens>([&](auto t) BITNET_INLINE_LAMBDA {
      Part value = load_part(x + t * x_stride + j * kPartLanes);
      BITNET_PIN(value);
      each<Rows>([&](auto r) BITNET_INLINE_LAMBDA {
        tile.sums[t][r].part[j] = fma(value, weights[r], tile.sums[t][r].part[j]);
      });
    });
  });
}

template <int Tokens, int Rows, RowType Type>
BITNET_INLINE void stream_tile(const LinearRows& job, int64_t row) {
  constexpr int64_t kStep = step_cols(Type);
  StreamTile<Tokens, Rows> tile;
  each<Tokens>([&](auto t) BITNET_INLINE_LAMBDA {
    each<Rows>([&](auto r) BITNET_INLINE_LAMBDA { tile.sums[t][r] = broadcast(0.0f); });
  });
  const uint8_t* w = job.w + row * job.w_stride;
  int64_t k = 0;
  for (; k + kStep <= job.cols; k += kStep) {
    if constexpr (is_k_quant(Type)) {
      SuperBlock blocks[Rows];
      for (int r = 0; r < Rows; ++r) unpack<Type>(w + r * job.w_stride, &blocks[r]);
      for (int64_t run = 0; run < kSuperBlock / kScaleRun; ++run) {
        stream_chunk(tile, job.x + k + run * kScaleRun, job.x_stride,
                     [&](auto r, auto j) BITNET_INLINE_LAMBDA { return load_run<Type>(blocks[r], run, j); });
      }
    } else {
      each<kStep / kLanes>([&](auto chunk) BITNET_INLINE_LAMBDA {
        stream_chunk(tile, job.x + k + chunk * kLanes, job.x_stride,
                     [&](auto r, auto j) BITNET_INLINE_LAMBDA {
                       return load_stored<Type>(w + r * job.w_stride, chunk * kParts + j);
                     });
      });
    }
    w += row_bytes(Type, kStep);
  }
  if (k < job.cols) {
    alignas(64) float weights[Rows * kLanes], values[Tokens * kLanes] = {};
    for (int r = 0; r < Rows; ++r) {
      decode_tail<Type>(w + r * job.w_stride, job.cols - k, weights + r * kLanes);
    }
    for (int t = 0; t < Tokens; ++t) {
      std::memcpy(values + t * kLanes, job.x + t * job.x_stride + k, static_cast<size_t>(job.cols - k) * 4);
    }
    stream_chunk(tile, values, kLanes, [&](auto r, auto j) BITNET_INLINE_LAMBDA {
      return load_part(weights + r * kLanes + j * kPartLanes);
    });
  }
  each<Tokens>([&](auto t) BITNET_INLINE_LAMBDA {
    each<Rows>([&](auto r)
                   BITNET_INLINE_LAMBDA { job.y[t * job.y_stride + row + r] = sum(tile.sums[t][r]); });
  });
}

template <int Tokens, int Rows, RowType Type>
void stream_rows(const LinearRows& job, int64_t row_begin, int64_t row_end) {
  int64_t row = row_begin;
  for (; row + Rows <= row_end; row += Rows) stream_tile<Tokens, Rows, Type>(job, row);
  for (; row < row_end; ++row) stream_tile<Tokens, 1, Type>(job, row);
}

// ---- products ----

template <RowType Type>
void linear_rows_of(const LinearRows& job, int64_t row_begin, int64_t row_end) {
  if (job.tokens == 1) return stream_rows<1, 4, Type>(job, row_begin, row_end);
  if (job.tokens == 2) return stream_rows<2, kStreamRows, Type>(job, row_begin, row_end);
  if (job.tokens == 3) return stream_rows<3, kStreamRows, Type>(job, row_begin, row_end);
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

void linear_rows(const void* w, RowType type, int64_t row_begin, int64_t row_end, int64_t cols,
                 const float* x, int64_t x_stride, int64_t tokens, float* y, int64_t y_stride) {
  const LinearRows job = {
      static_cast<const uint8_t*>(w), row_bytes(type, cols), cols, x, x_stride, tokens, y, y_stride};
  switch (type) {
    case RowType::f16:
      return linear_rows_of<RowType::f16>(job, row_begin, row_end);
    case RowType::bf16:
      return linear_rows_of<RowType::bf16>(job, row_begin, row_end);
    case RowType::q8_0:
      return linear_rows_of<RowType::q8_0>(job, row_begin, row_end);
    case RowType::q6_k:
      return linear_rows_of<RowType::q6_k>(job, row_begin, row_end);
    case RowType::q4_k:
      return linear_rows_of<RowType::q4_k>(job, row_begin, row_end);
    default:
      return linear_rows_of<RowType::f32>(job, row_begin, row_end);
  }
}

}  // namespace
}  // namespace bitnet
