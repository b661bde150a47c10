#include "core/ternary_panel.h"

#include <cstring>

namespace bitnet {

namespace {

// Four columns of one row, -1, 0, 1 as bytes, to codes 0, 1, 2 in the low bits of each byte. -1 is 3 in two
// bits, so adding 1 modulo 4 never carries into the next byte.
inline uint32_t four_codes(const int8_t* ternary) {
  uint32_t bytes;
  std::memcpy(&bytes, ternary, sizeof bytes);
  return ((bytes & 0x03030303u) + 0x01010101u) & 0x03030303u;
}

}  // namespace

void pack_panel(const int8_t* ternary, int64_t stride, int64_t rows, int64_t cols, int64_t group_begin,
                int64_t group_end, uint8_t* codes) {
  const int64_t group_bytes = panel_group_bytes(cols);
  const int64_t whole = cols / kPanelCols * kPanelCols;
  for (int64_t group = group_begin; group < group_end; ++group) {
    uint8_t* out = codes + group * group_bytes;
    std::memset(out, 0x55, static_cast<size_t>(group_bytes));  // code 1 four times: ternary 0
    for (int64_t r = 0; r < kPanelRows; ++r) {
      const int64_t row = group * kPanelRows + r;
      if (row >= rows) break;
      const int8_t* source = ternary + row * stride;
      for (int64_t col = 0; col < whole; col += kPanelCols) {
        const uint32_t packed = four_codes(source + col) | four_codes(source + col + 4) << 2 |
                                four_codes(source + col + 8) << 4 | four_codes(source + col + 12) << 6;
        std::memcpy(out + (col / kPanelCols) * kPanelBlockBytes + r * 4, &packed, sizeof packed);
      }
      for (int64_t col = whole; col < cols; ++col) {
        uint8_t* byte = out + (col / kPanelCols) * kPanelBlockBytes + r * 4 + col % 4;
        const int shift = panel_shift(col);
        *byte = static_cast<uint8_t>((*byte & ~(3u << shift)) |
                                     (static_cast<unsigned>(source[col] + 1) << shift));
      }
    }
  }
}

void fill_panel_scales(const float* scales, int64_t rows, bool per_row, float* out) {
  const int64_t count = panel_scale_count(rows, per_row);
  for (int64_t i = 0; i < count; ++i) out[i] = !per_row ? scales[0] : i < rows ? scales[i] : 0.0f;
}

void sum_code_parts(const int8_t* codes, int64_t cols, int32_t* sums) {
  for (int64_t part = 0; part < code_parts(cols); ++part, codes += kCodePadding) {
    int32_t sum = 0;
    for (int64_t i = 0; i < kCodePadding; ++i) sum += codes[i];
    sums[part] = sum;
  }
}

void fill_span_scales(const float* scales, int64_t rows, int64_t spans, int64_t group_begin,
                      int64_t group_end, float* out) {
  for (int64_t row = group_begin * kPanelRows; row < group_end * kPanelRows; ++row) {
    float* to = out + row / kPanelRows * spans * kPanelRows + row % kPanelRows;
    for (int64_t span = 0; span < spans; ++span) {
      to[span * kPanelRows] = row < rows ? scales[row * spans + span] : 0.0f;
    }
  }
}

void unpack_panel_row(const TernaryPanel& panel, int64_t row, int8_t* ternary) {
  for (int64_t col = 0; col < panel.cols; ++col) {
    const uint8_t byte = panel.codes[panel_offset(panel.cols, row, col)];
    ternary[col] = static_cast<int8_t>(((byte >> panel_shift(col)) & 3) - 1);
  }
}

}  // namespace bitnet
