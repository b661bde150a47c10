// Float products over row-major weights on 16 lanes, and row decoding: one body for every ISA. Include inside
// a target region, after lanes.h.
//
// A register tile holds the 16 lane sums of kDotTokens x kDotRows outputs. Up to kDotTokens tokens stream the
// weights once and decode them in registers; more tokens work on blocks of decoded weights in the L1 cache,
// and park their lane sums in memory from one block of columns to the next, which changes no order.
#pragma once

#include "core/kernels.h"
#include "core/lanes.h"

namespace bitnet {
namespace {

// ---- decoding ----

// Part at columns [k, k + kPartLanes) of one stored row.
template <RowType Type>
BITNET_INLINE Part load_stored(const uint8_t* row, int64_t k) {
  if (Type == RowType::f16) return load_part_f16(row + 2 * k);
  if (Type == RowType::bf16) return load_part_bf16(row + 2 * k);
  if (Type == RowType::q8_0) {
    const uint8_t* block = row + k / 32 * 34;
    return mul(load_part_i8(block + 2 + k % 32), broadcast_part_f16(block));
  }
  return load_part(reinterpret_cast<const float*>(row + 4 * k));
}

// `count` < 16 values at column k, zero padded to 16. q8_0 rows are whole blocks and have no tail.
template <RowType Type>
BITNET_INLINE void decode_tail(const uint8_t* row, int64_t k, int64_t count, float* out) {
  const int64_t size = Type == RowType::f32 ? 4 : 2;
  alignas(64) uint8_t padded[kLanes * 4] = {};
  std::memcpy(padded, row + size * k, static_cast<size_t>(size * count));
  constexpr RowType kTailType = Type == RowType::q8_0 ? RowType::f32 : Type;
  for (int i = 0; i < kLanes; i += kPartLanes) store_part(out + i, load_stored<kTailType>(padded, i));
}

// Columns [begin, end), zero padded to a multiple of 16; begin is a multiple of 32.
template <RowType Type>
BITNET_INLINE void decode_columns(const uint8_t* row, int64_t begin, int64_t end, float* out) {
  int64_t k = begin;
  for (; k + kLanes <= end; k += kLanes) {
    for (int i = 0; i < kLanes; i += kPartLanes)
      store_part(out + (k - begin) + i, load_stored<Type>(row, k + i));
  }
  if (k < end) decode_tail<Type>(row, k, end - k, out + (k - begin));
}

template <RowType Type>
BITNET_INLINE void decode_row_of(const void* row, int64_t cols, float* out) {
  const uint8_t* bytes = static_cast<const uint8_t*>(row);
  const int64_t whole = cols / kLanes * kLanes;
  decode_columns<Type>(bytes, 0, whole, out);
  if (whole < cols) {
    float tail[kLanes];
    decode_tail<Type>(bytes, whole, cols - whole, tail);
    std::memcpy(out + whole, tail, static_cast<size_t>(cols - whole) * sizeof(float));
  }
}

void decode_row(const void* row, RowType type, int64_t cols, float* out) {
  switch (type) {
    case RowType::f16:
      return decode_row_of<RowType::f16>(row, cols, out);
    case RowType::bf16:
      return decode_row_of<RowType::bf16>(row, cols, out);
    case RowType::q8_0:
      return decode_row_of<RowType::q8_0>(row, cols, out);
    default:
      return decode_row_of<RowType::f32>(row, cols, out);
  }
}

// ---- products ----

struct DotOperands {
  const uint8_t* w;  // first row of the tile, at column 0
  int64_t w_stride;  // bytes
  const float* x;    // first token of the tile, at column 0
  int64_t x_stride;
};

// sums[t][r] += lanes of x[t] * w[r] over columns [0, cols); every element is one chain.
template <int Tokens, int Rows, RowType Type>
BITNET_INLINE void accumulate_dot(Lanes (&sums)[Tokens][Rows], const DotOperands& at, int64_t cols) {
  const int64_t whole = cols / kLanes * kLanes;
  for (int64_t k = 0; k < whole; k += kLanes) {
    BITNET_UNROLL
    for (int i = 0; i < kParts; ++i) {
      Part w[Rows];
      BITNET_UNROLL
      for (int r = 0; r < Rows; ++r) w[r] = load_stored<Type>(at.w + r * at.w_stride, k + i * kPartLanes);
      BITNET_UNROLL
      for (int t = 0; t < Tokens; ++t) {
        const Part x = load_part(at.x + t * at.x_stride + k + i * kPartLanes);
        BITNET_UNROLL
        for (int r = 0; r < Rows; ++r) sums[t][r].part[i] = fma(x, w[r], sums[t][r].part[i]);
      }
    }
  }
  if (whole == cols) return;
  BITNET_UNROLL
  for (int r = 0; r < Rows; ++r) {
    alignas(64) float w[kLanes];
    decode_tail<Type>(at.w + r * at.w_stride, whole, cols - whole, w);
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) {
      sums[t][r] = fma(load_first(at.x + t * at.x_stride + whole, cols - whole), load(w), sums[t][r]);
    }
  }
}

// A tile whose sums live in memory between calls: sums[t * row_stride + r].
template <int Tokens, int Rows>
BITNET_INLINE void continue_dot(const DotOperands& at, int64_t cols, bool first, Lanes* parked,
                                int64_t row_stride) {
  Lanes sums[Tokens][Rows];
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int r = 0; r < Rows; ++r) sums[t][r] = first ? broadcast(0.0f) : parked[t * row_stride + r];
  }
  accumulate_dot<Tokens, Rows, RowType::f32>(sums, at, cols);
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int r = 0; r < Rows; ++r) parked[t * row_stride + r] = sums[t][r];
  }
}

constexpr int64_t kBlockRows = 4 * kDotRows;
constexpr int64_t kBlockCols = 256;
constexpr int64_t kBlockTokens = 48;

struct LinearRows {
  const uint8_t* w;
  int64_t w_stride, cols;
  const float* x;
  int64_t x_stride, tokens;
  float* y;
  int64_t y_stride;
};

// Outputs of `rows` <= kBlockRows rows from `row` and `tokens` <= kBlockTokens tokens from `token`.
template <RowType Type>
void dot_block(const LinearRows& job, int64_t row, int64_t rows, int64_t token, int64_t tokens) {
  alignas(64) float decoded[kBlockRows * kBlockCols];
  alignas(64) Lanes parked[kBlockTokens * kBlockRows];
  for (int64_t k = 0; k < job.cols; k += kBlockCols) {
    const int64_t cols = job.cols - k < kBlockCols ? job.cols - k : kBlockCols;
    for (int64_t r = 0; r < rows; ++r) {
      decode_columns<Type>(job.w + (row + r) * job.w_stride, k, k + cols, decoded + r * kBlockCols);
    }
    for (int64_t r = rows; r < round_up(rows, kDotRows); ++r) {
      std::memset(decoded + r * kBlockCols, 0, sizeof(float) * kBlockCols);
    }
    for (int64_t t = 0; t < tokens;) {
      const int64_t step = tokens - t >= kDotTokens ? kDotTokens : 1;
      for (int64_t r = 0; r < rows; r += kDotRows) {
        const DotOperands at = {reinterpret_cast<const uint8_t*>(decoded + r * kBlockCols), kBlockCols * 4,
                                job.x + (token + t) * job.x_stride + k, job.x_stride};
        Lanes* sums = parked + t * kBlockRows + r;
        if (step == kDotTokens) {
          continue_dot<kDotTokens, kDotRows>(at, cols, k == 0, sums, kBlockRows);
        } else {
          continue_dot<1, kDotRows>(at, cols, k == 0, sums, kBlockRows);
        }
      }
      t += step;
    }
  }
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t r = 0; r < rows; ++r)
      job.y[(token + t) * job.y_stride + row + r] = sum(parked[t * kBlockRows + r]);
  }
}

// One pass over the stored rows for a few tokens.
template <int Tokens, int Rows, RowType Type>
BITNET_INLINE void dot_streamed(const LinearRows& job, int64_t row) {
  Lanes sums[Tokens][Rows];
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int r = 0; r < Rows; ++r) sums[t][r] = broadcast(0.0f);
  }
  accumulate_dot<Tokens, Rows, Type>(sums, {job.w + row * job.w_stride, job.w_stride, job.x, job.x_stride},
                                     job.cols);
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int r = 0; r < Rows; ++r) job.y[t * job.y_stride + row + r] = sum(sums[t][r]);
  }
}

template <int Tokens, int Rows, RowType Type>
void stream_rows(const LinearRows& job, int64_t row_begin, int64_t row_end) {
  int64_t row = row_begin;
  for (; row + Rows <= row_end; row += Rows) dot_streamed<Tokens, Rows, Type>(job, row);
  for (; row < row_end; ++row) dot_streamed<Tokens, 1, Type>(job, row);
}

template <RowType Type>
void linear_rows_of(const LinearRows& job, int64_t row_begin, int64_t row_end) {
  if (job.tokens == 1) return stream_rows<1, 4, Type>(job, row_begin, row_end);
  if (job.tokens == 2) return stream_rows<2, 2, Type>(job, row_begin, row_end);
  for (int64_t row = row_begin; row < row_end; row += kBlockRows) {
    const int64_t rows = row_end - row < kBlockRows ? row_end - row : kBlockRows;
    for (int64_t token = 0; token < job.tokens; token += kBlockTokens) {
      const int64_t tokens = job.tokens - token < kBlockTokens ? job.tokens - token : kBlockTokens;
      dot_block<Type>(job, row, rows, token, tokens);
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
    default:
      return linear_rows_of<RowType::f32>(job, row_begin, row_end);
  }
}

}  // namespace
}  // namespace bitnet
