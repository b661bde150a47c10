// Packed ternary weights in memory: one layout for every ISA, for prefill (GEMM) and decode (GEMV).
//
// A matrix [rows = out features][cols = in features] is cut into groups of 16 rows, and a group into blocks
// of 16 columns. One block is 64 bytes; groups and blocks follow each other in one stream:
//
//   byte    = group * (padded_cols / 16) * 64 + block * 64 + (row % 16) * 4 + col % 4
//   bits    = 2 * ((col % 16) / 4)
//   code    = ternary + 1   (0, 1, 2)
//
// So (block >> 2s) & 3 yields, for s = 0..3, 16 output lanes of 4 consecutive columns: the operand of an
// 8-bit dot-product instruction. Codes are unsigned; the kernels subtract the sum of the activation codes at
// the end. Padding rows and columns hold code 1 (ternary 0); activations are padded with 0.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/canonical_math.h"

namespace bitnet {

constexpr int64_t kPanelRows = 16;
constexpr int64_t kPanelCols = 16;
constexpr int64_t kPanelBlockBytes = 64;
// Activation code rows are padded to this many bytes so that kernels may read whole vectors.
constexpr int64_t kCodePadding = 64;

inline int64_t padded_cols(int64_t cols) { return round_up(cols, kCodePadding); }
inline int64_t panel_groups(int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }
// Bytes of one group of 16 rows. Columns are padded like activations.
inline int64_t panel_group_bytes(int64_t cols) { return padded_cols(cols) / kPanelCols * kPanelBlockBytes; }
inline int64_t panel_bytes(int64_t rows, int64_t cols) {
  return panel_groups(rows) * panel_group_bytes(cols);
}

// Scales of spans: `cols` neighbours of a row, 64, 128 or 256, which divide it. For each group of 16 rows and
// each span of columns the 16 scales of its rows, float32 or float16 (any finite value for rows that are not
// there, and for a span of zeros).
struct SpanScales {
  const void* values = nullptr;
  int64_t cols = 0;  // 0: scales are of the matrix or of rows
  bool half = false;
};

// A view of a packed matrix; nothing is owned. `codes` is 64-byte aligned.
struct TernaryPanel {
  const uint8_t* codes;
  int64_t rows;
  int64_t cols;
  // What multiplies, already rounded to scale_dtype: 16 for the rows of each group (any finite value for rows
  // that are not there), or, with scale_step 0, the same 16 for every group. Not read where there are spans.
  const float* scales;
  int64_t scale_step;
  SpanScales spans{};

  const float* group_scales(int64_t group) const { return scales + group * scale_step; }
  bool has_spans() const { return spans.cols != 0; }
  int64_t span_count() const { return cols / spans.cols; }
  // Of the first span of a group; the other spans' follow, 16 values each.
  const void* span_scales(int64_t group) const {
    const int64_t bytes = spans.half ? 2 : 4;
    return static_cast<const uint8_t*>(spans.values) + group * span_count() * kPanelRows * bytes;
  }
};
constexpr bool is_span(int64_t cols) { return cols == 64 || cols == 128 || cols == 256; }

// The one scale of a matrix as TernaryPanel::scales wants it.
struct SharedScale {
  alignas(64) float lanes[kPanelRows];

  explicit SharedScale(float scale) {
    for (float& lane : lanes) lane = scale;
  }
};

// How the scales of a panel lie: one of the matrix 16 times over, or one per row.
constexpr int64_t panel_scale_step(bool per_row) { return per_row ? kPanelRows : 0; }
inline int64_t panel_scale_count(int64_t rows, bool per_row) {
  return per_row ? round_up(rows, kPanelRows) : kPanelRows;
}
// `scales`: one, or `rows` of them. out: panel_scale_count floats; rows that are not there get 0.
void fill_panel_scales(const float* scales, int64_t rows, bool per_row, float* out);

// Sums of kCodePadding neighbouring activation codes of a row: what kernels take off the sum of a span.
constexpr int64_t code_parts(int64_t cols) { return (cols + kCodePadding - 1) / kCodePadding; }
void sum_code_parts(const int8_t* codes, int64_t cols, int32_t* sums);

// Span scales [rows][spans] as SpanScales wants them, of the groups [begin, end); out begins at group 0.
void fill_span_scales(const float* scales, int64_t rows, int64_t spans, int64_t group_begin,
                      int64_t group_end, float* out);

// Byte offset and shift of one element.
inline int64_t panel_offset(int64_t cols, int64_t row, int64_t col) {
  return (row / kPanelRows) * panel_group_bytes(cols) + (col / kPanelCols) * kPanelBlockBytes +
         (row % kPanelRows) * 4 + col % 4;
}
inline int panel_shift(int64_t col) { return static_cast<int>(2 * ((col % kPanelCols) / 4)); }

// Packs rows [16 * group_begin, 16 * group_end) of ternary codes (-1, 0, 1; row-major, `stride` elements
// apart).
void pack_panel(const int8_t* ternary, int64_t stride, int64_t rows, int64_t cols, int64_t group_begin,
                int64_t group_end, uint8_t* codes);
// Unpacks one row to -1, 0, 1.
void unpack_panel_row(const TernaryPanel& panel, int64_t row, int8_t* ternary);

}  // namespace bitnet
