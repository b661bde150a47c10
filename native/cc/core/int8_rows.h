// Int8 rows, one float16 scale d per row, in memory: the head of `embedding_dtype: int8_row` in training and
// engine, whatever the variant.
//
//   y[t][n] = float(sum_k x[t][k] * code[n][k]) * (act_scale[t] * d[n])
//
// The sum is a 32-bit integer, exact, whatever its order. The codes lie in panels of 16 rows, as the right
// side of a product of panel_tile.h has them: words of 4 columns, the 16 rows of a word next to each other,
//
//   byte  =  (row / 16) * padded_cols * 16 + (col / 4) * 64 + (row % 16) * 4 + col % 4
//
// so that a panel is one stream for one token and an operand of the tile for many. Rows past the end and
// padded columns are zeros.
#pragma once

#include <cstdint>

#include "core/kernels.h"

namespace bitnet {

// 127 * 255 * cols must fit 31 bits: an unsigned operand is up to 255.
constexpr int64_t kMaxInt8RowCols = 65536;

// A view; nothing is owned. `codes` is 64-byte aligned, and the arrays have room for whole panels.
struct Int8Rows {
  const int8_t* codes;
  const float* scales;  // d; of rows that are not there any finite value
  const int32_t* sums;  // of a row's codes
  int64_t rows, cols;

  int64_t panels() const { return panel_groups(rows); }
  int64_t panel_bytes() const { return padded_cols(cols) * kPanelRows; }
  int64_t bytes() const { return panels() * panel_bytes(); }
  int64_t padded_rows() const { return panels() * kPanelRows; }
  const int8_t* panel(int64_t index) const { return codes + index * panel_bytes(); }
  // Four consecutive codes of a row.
  const int8_t* word(int64_t row, int64_t index) const {
    return panel(row / kPanelRows) + index * 64 + row % kPanelRows * 4;
  }
};

// Codes of a row: a = max|w| / 127, codes[i] = clip(rint(w[i] * (1 / a)), -127, 127). Returns d = float16(a);
// where that is 0 the codes are, too. src/quant/int8_rows.ts is the reference.
float quantize_int8_row(const float* w, int64_t cols, int8_t* codes);

// Fills a panel from row-major codes of `rows` <= 16 rows, `stride` apart, and the sums of its 16 rows.
void pack_int8_panel(const int8_t* codes, int64_t stride, int64_t rows, int64_t cols, int8_t* panel,
                     int32_t* sums);

// Row `row` as float32: code * d.
void decode_int8_row(const Int8Rows& w, int64_t row, float* out);

// The product for rows [row_begin, row_end) and all tokens of x; row_begin is a multiple of 16, and row_end too
// or the number of rows. y is indexed by the absolute row; rows y_stride floats apart. On this thread.
void multiply_int8_rows(const Kernels& kernels, const Int8Rows& w, int64_t row_begin, int64_t row_end,
                        const CodeRows& x, float* y, int64_t y_stride);

}  // namespace bitnet
