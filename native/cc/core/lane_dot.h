// Float products over row-major weights on 16 lanes, and row decoding: one body for every ISA. Include inside
// a target region, after lanes.h.
//
// A register tile holds the 16 lane sums of kDotTokens x kDotRows outputs. One to three tokens stream the
// weights once and decode them in registers; more tokens work on blocks of decoded weights in the L1 cache,
// and park their lane sums in memory from one block of columns to the next, which changes no order.
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

// ---- register tiles ----

struct DotOperands {
  const uint8_t* w;  // first stored row of the tile
  int64_t w_stride;  // bytes
  const float* x;    // first token of the tile
  int64_t x_stride;
};

// sums[t][r] += lanes of x[t] * w[r] over `cols` columns of super-blocks, which are unpacked one at a time.
template <int Tokens, int Rows, RowType Type>
BITNET_INLINE void accumulate_super_blocks(Lanes (&sums)[Tokens][Rows], const DotOperands& at, int64_t cols) {
  SuperBlock blocks[Rows];
  for (int64_t k = 0; k < cols; k += kSuperBlock) {
    const uint8_t* w = at.w + row_bytes(Type, k);
    BITNET_UNROLL
    for (int r = 0; r < Rows; ++r) unpack<Type>(w + r * at.w_stride, &blocks[r]);
    for (int64_t run = 0; run < kSuperBlock / kScaleRun; ++run) {
      BITNET_UNROLL
      for (int j = 0; j < kParts; ++j) {
        Part weights[Rows];
        BITNET_UNROLL
        for (int r = 0; r < Rows; ++r) weights[r] = load_run<Type>(blocks[r], run, j);
        BITNET_UNROLL
        for (int t = 0; t < Tokens; ++t) {
          Part x = load_part(at.x + t * at.x_stride + k + run * kScaleRun + j * kPartLanes);
          BITNET_PIN(x);  // or it is loaded again for every row
          BITNET_UNROLL
          for (int r = 0; r < Rows; ++r) sums[t][r].part[j] = fma(x, weights[r], sums[t][r].part[j]);
        }
      }
    }
  }
}

// sums[t][r] += lanes of x[t] * w[r] over `cols` columns; every element is one chain.
template <int Tokens, int Rows, RowType Type>
BITNET_INLINE void accumulate_dot(Lanes (&sums)[Tokens][Rows], const DotOperands& at, int64_t cols) {
  constexpr int64_t kStep = step_cols(Type);
  const uint8_t* w = at.w;
  int64_t k = 0;
  for (; k + kStep <= cols; k += kStep) {
    BITNET_UNROLL
    for (int j = 0; j < kStep / kPartLanes; ++j) {
      Part weights[Rows];
      BITNET_UNROLL
      for (int r = 0; r < Rows; ++r) weights[r] = load_stored<Type>(w + r * at.w_stride, j);
      BITNET_UNROLL
      for (int t = 0; t < Tokens; ++t) {
        Part x = load_part(at.x + t * at.x_stride + k + j * kPartLanes);
        BITNET_PIN(x);  // or it is loaded again for every row
        BITNET_UNROLL
        for (int r = 0; r < Rows; ++r) {
          Part& sum = sums[t][r].part[j % kParts];
          sum = fma(x, weights[r], sum);
        }
      }
    }
    w += row_bytes(Type, kStep);
  }
  if (k == cols) return;
  BITNET_UNROLL
  for (int r = 0; r < Rows; ++r) {
    alignas(64) float weights[kLanes];
    decode_tail<Type>(w + r * at.w_stride, cols - k, weights);
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) {
      sums[t][r] = fma(load_first(at.x + t * at.x_stride + k, cols - k), load(weights), sums[t][r]);
    }
  }
}

// A tile whose sums live in memory between calls: parked[t * row_count + r].
template <int Tokens, int Rows>
BITNET_INLINE void continue_dot(const DotOperands& at, int64_t cols, bool start, Lanes* parked,
                                int64_t row_count) {
  Lanes sums[Tokens][Rows];
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int r = 0; r < Rows; ++r) sums[t][r] = start ? broadcast(0.0f) : parked[t * row_count + r];
  }
  accumulate_dot<Tokens, Rows, RowType::f32>(sums, at, cols);
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int r = 0; r < Rows; ++r) parked[t * row_count + r] = sums[t][r];
  }
}

// ---- products ----

struct LinearRows {
  const uint8_t* w;
  int64_t w_stride, cols;
  const float* x;
  int64_t x_stride, tokens;
  float* y;
  int64_t y_stride;
};

constexpr int64_t kBlockRows = 8;  // a multiple of 4 and of kDotRows
constexpr int64_t kBlockCols = 512;
constexpr int64_t kBlockTokens = 48;
static_assert(kBlockRows % kDotRows == 0, "a block is cut into whole tiles");

// Outputs of `rows` <= kBlockRows rows from `row` and `tokens` <= kBlockTokens tokens from `token`.
template <RowType Type>
void dot_block(const LinearRows& job, int64_t row, int64_t rows, int64_t token, int64_t tokens) {
  alignas(64) float decoded[kBlockRows * kBlockCols];
  alignas(64) Lanes parked[kBlockTokens * kBlockRows];
  // Rows past the end of a ragged block give sums that nobody reads.
  if (rows < kBlockRows) std::memset(decoded, 0, sizeof decoded);
  for (int64_t k = 0; k < job.cols; k += kBlockCols) {
    const int64_t cols = job.cols - k < kBlockCols ? job.cols - k : kBlockCols;
    for (int64_t r = 0; r < rows; ++r) {
      decode_padded<Type>(job.w + (row + r) * job.w_stride + row_bytes(Type, k), cols,
                          decoded + r * kBlockCols);
    }
    for (int64_t t = 0; t < tokens;) {
      const int64_t step = tokens - t >= kDotTokens ? kDotTokens : 1;
      for (int64_t r = 0; r < kBlockRows; r += kDotRows) {
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
    float results[kBlockRows];
    for (int64_t r = 0; r < kBlockRows; r += 4) sum_four(parked + t * kBlockRows + r, results + r);
    float* y = job.y + (token + t) * job.y_stride + row;
    for (int64_t r = 0; r < rows; ++r) y[r] = results[r];
  }
}

// One pass over the stored rows for a few tokens.
template <int Tokens, int Rows, RowType Type>
BITNET_INLINE void stream_tile(const LinearRows& job, int64_t row) {
  Lanes sums[Tokens][Rows];
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int r = 0; r < Rows; ++r) sums[t][r] = broadcast(0.0f);
  }
  const DotOperands at = {job.w + row * job.w_stride, job.w_stride, job.x, job.x_stride};
  if constexpr (is_k_quant(Type)) {
    accumulate_super_blocks<Tokens, Rows, Type>(sums, at, job.cols);
  } else {
    accumulate_dot<Tokens, Rows, Type>(sums, at, job.cols);
  }
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    BITNET_UNROLL
    for (int r = 0; r < Rows; ++r) job.y[t * job.y_stride + row + r] = sum(sums[t][r]);
  }
}

template <int Tokens, int Rows, RowType Type>
void stream_rows(const LinearRows& job, int64_t row_begin, int64_t row_end) {
  int64_t row = row_begin;
  for (; row + Rows <= row_end; row += Rows) stream_tile<Tokens, Rows, Type>(job, row);
  for (; row < row_end; ++row) stream_tile<Tokens, 1, Type>(job, row);
}

template <RowType Type>
void linear_rows_of(const LinearRows& job, int64_t row_begin, int64_t row_end) {
  if (job.tokens == 1) return stream_rows<1, 4, Type>(job, row_begin, row_end);
  if (job.tokens == 2) return stream_rows<2, kDotRows, Type>(job, row_begin, row_end);
  if (job.tokens == 3) return stream_rows<3, kDotRows, Type>(job, row_begin, row_end);
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
