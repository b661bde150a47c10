// PanelTile::multiply on AMX tiles: two panels of A by two of B in four tiles of sums. Include inside a
// target region with amx-tile, after amx_intrinsics.h, where BITNET_TILE_ADD(sums, a, b) is the instruction
// that adds the products of two tiles. (Intrinsics of tiles want literal numbers.)
//
// Tiles 0 .. 3 hold the sums of (rows 0, columns 0), (0, 1), (1, 0), (1, 1); 4 and 5 two panels of A, 6 and 7
// of B.
#pragma once

namespace bitnet {
namespace {

// 32 x 32 sums; c has rows `stride` words apart.
BITNET_INLINE void multiply_square(int64_t steps, const uint8_t* a0, const uint8_t* a1, const uint8_t* b0,
                                   const uint8_t* b1, uint32_t* c, int64_t stride, bool accumulate) {
  const int64_t row_bytes = stride * 4;
  BITNET_TILE_FENCE();
  uint32_t* lower = c + 16 * stride;
  if (accumulate) {
    _tile_loadd(0, c, row_bytes);
    _tile_loadd(1, c + 16, row_bytes);
    _tile_loadd(2, lower, row_bytes);
    _tile_loadd(3, lower + 16, row_bytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t offset = 0; offset < steps * kPanelStepBytes; offset += kPanelStepBytes) {
    _tile_loadd(6, b0 + offset, 64);
    _tile_loadd(4, a0 + offset, 64);
    BITNET_TILE_ADD(0, 4, 6);
    _tile_loadd(7, b1 + offset, 64);
    BITNET_TILE_ADD(1, 4, 7);
    _tile_loadd(5, a1 + offset, 64);
    BITNET_TILE_ADD(2, 5, 6);
    BITNET_TILE_ADD(3, 5, 7);
  }
  _tile_stored(0, c, row_bytes);
  _tile_stored(1, c + 16, row_bytes);
  _tile_stored(2, lower, row_bytes);
  _tile_stored(3, lower + 16, row_bytes);
  BITNET_TILE_FENCE();
}

constexpr int64_t kSquare = 2 * kPanelLanes;

inline void copy_words(const uint32_t* from, int64_t from_stride, int64_t rows, int64_t cols, uint32_t* to,
                       int64_t to_stride) {
  for (int64_t r = 0; r < rows; ++r) {
    std::memcpy(to + r * to_stride, from + r * from_stride, static_cast<size_t>(cols) * sizeof(uint32_t));
  }
}

void multiply_amx(int64_t steps, const uint8_t* a, int64_t a_panel_bytes, int64_t rows, const uint8_t* b,
                  int64_t b_panel_bytes, int64_t cols, void* c, int64_t stride, bool accumulate) {
  alignas(64) uint32_t edge[kSquare * kSquare];
  _tile_loadconfig(&kWholeTiles);
  for (int64_t j = 0; j < cols; j += kSquare) {
    const int64_t width = std::min(kSquare, cols - j);
    const uint8_t* b0 = b + j / kPanelLanes * b_panel_bytes;
    // A panel that does not exist is replaced by its neighbour; its sums are not stored.
    const uint8_t* b1 = width > kPanelLanes ? b0 + b_panel_bytes : b0;
    for (int64_t i = 0; i < rows; i += kSquare) {
      const int64_t height = std::min(kSquare, rows - i);
      const uint8_t* a0 = a + i / kPanelLanes * a_panel_bytes;
      const uint8_t* a1 = height > kPanelLanes ? a0 + a_panel_bytes : a0;
      uint32_t* out = static_cast<uint32_t*>(c) + i * stride + j;
      if (height == kSquare && width == kSquare) {
        multiply_square(steps, a0, a1, b0, b1, out, stride, accumulate);
        continue;
      }
      if (accumulate) copy_words(out, stride, height, width, edge, kSquare);
      BITNET_TILE_FENCE();
      multiply_square(steps, a0, a1, b0, b1, edge, kSquare, accumulate);
      BITNET_TILE_FENCE();
      copy_words(edge, kSquare, height, width, out, stride);
    }
  }
  _tile_release();
}

}  // namespace
}  // namespace bitnet
