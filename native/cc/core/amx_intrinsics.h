// Intrinsics of AMX tiles, and what they leave to do. BITNET_AMX is 1 where they are: with a compiler that
// knows them, or in a build that emulates them (BITNET_EMULATED_ISA, as avx512_intrinsics.h).
#pragma once

#include "core/variants.h"

#if defined(BITNET_X86) && BITNET_AMX

#include <cstdint>
#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

#if defined(BITNET_EMULATED_ISA)
#include "emulated_amx.h"
#endif

namespace bitnet {

// Bytes of a row, rows and bytes of a whole tile.
constexpr int64_t kTileRowBytes = 64;
constexpr int64_t kTileRows = 16;
constexpr int64_t kTileBytes = kTileRowBytes * kTileRows;

// Operand of LDTILECFG: the shape of each of the eight tiles.
struct alignas(64) TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

constexpr TileShapes whole_tiles() {
  TileShapes shapes;
  for (int i = 0; i < 8; ++i) {
    shapes.row_bytes[i] = static_cast<uint16_t>(kTileRowBytes);
    shapes.rows[i] = static_cast<uint8_t>(kTileRows);
  }
  return shapes;
}
// Eight whole tiles: 16 rows of 64 bytes. A constant in memory, since GCC thinks that LDTILECFG reads 8
// bytes.
constexpr TileShapes kWholeTiles = whole_tiles();

}  // namespace bitnet

// Tile loads read memory behind the compiler's back: what was written before must be there, and what tiles
// wrote must be read afterwards.
#if defined(BITNET_EMULATED_ISA)
#define BITNET_TILE_FENCE()
#else
#define BITNET_TILE_FENCE() __asm__ volatile("" ::: "memory")
#endif

#endif
