// Stored rows of float weights interleaved into one stream, as the head is read: a product walks one address
// instead of one per row, and four rows share every value of x.
//
// A unit is what a row stores for unit_cols consecutive columns: 16 elements, a block of q8_0, q4_0 or
// q2_0, a super-block of q6_k, q5_k or q4_k. Groups of kRowGroup = 4 rows follow each other, each with all its units:
//
//   byte of unit u of row n  =  ((n / 4) * units + u) * 4 * unit_bytes + (n % 4) * unit_bytes
//
// Rows past the end of the last group, and elements past the end of a row, are zero bytes.
#pragma once

#include <cstdint>

#include "core/canonical_math.h"
#include "core/kernels.h"

namespace bitnet {

constexpr int64_t kRowGroup = 4;  // divides kPanelRows

constexpr int64_t unit_cols(RowType type) { return block_cols(type) > 1 ? block_cols(type) : kLanes; }
constexpr int64_t unit_bytes(RowType type) { return row_bytes(type, unit_cols(type)); }

struct RowPanel {
  const uint8_t* data;
  RowType type;
  int64_t rows, cols;

  int64_t groups() const { return (rows + kRowGroup - 1) / kRowGroup; }
  int64_t units() const { return (cols + unit_cols(type) - 1) / unit_cols(type); }
  int64_t group_bytes() const { return units() * kRowGroup * unit_bytes(type); }
  int64_t bytes() const { return groups() * group_bytes(); }
  const uint8_t* unit(int64_t row, int64_t index) const {
    return data + ((row / kRowGroup * units() + index) * kRowGroup + row % kRowGroup) * unit_bytes(type);
  }
};

// Fills group `group` of a panel of that shape from all the row-major stored rows; `target` is its first
// byte.
void interleave_rows(const RowPanel& shape, const uint8_t* rows, int64_t group, uint8_t* target);
// Row `row` as float32.
void decode_panel_row(const Kernels& kernels, const RowPanel& panel, int64_t row, float* out);

}  // namespace bitnet
