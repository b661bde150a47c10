#include "core/ternary_panel.h"

#include <cstring>

namespace bitnet {

void pack_panel(const int8_t* ternary, int64_t stride, int64_t rows, int64_t cols, int64_t group_begin,
                int64_t group_end, uint8_t* codes) {
  const int64_t group_bytes = panel_group_bytes(cols);
  for (int64_t group = group_begin; group < group_end; ++group) {
    uint8_t* out = codes + group * group_bytes;
    std::memset(out, 0x55, static_cast<size_t>(group_bytes));  // code 1 four times: ternary 0
    for (int64_t r = 0; r < kPanelRows; ++r) {
      const int64_t row = group * kPanelRows + r;
      if (row >= rows) break;
      const int8_t* source = ternary + row * stride;
      for (int64_t col = 0; col < cols; ++col) {
        uint8_t* byte = out + (col / kPanelCols) * kPanelBlockBytes + r * 4 + col % 4;
        const int shift = panel_shift(col);
        *byte = static_cast<uint8_t>((*byte & ~(3u << shift)) |
                                     (static_cast<unsigned>(source[col] + 1) << shift));
      }
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
