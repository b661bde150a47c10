// Peak loops for AMX: products of whole tiles that stay in registers.
#include "core/amx_intrinsics.h"

#if defined(BITNET_X86) && BITNET_AMX

#include "core/peak_loops.h"

BITNET_TARGET_BEGIN("amx-tile,amx-int8,amx-bf16,avx512f")

namespace bitnet {
namespace {

constexpr int kProducts = 4;  // of a round

void set_up_tiles() {
  _tile_loadconfig(&kWholeTiles);
  alignas(64) static const uint8_t zeros[kTileBytes] = {};
  _tile_loadd(4, zeros, kTileRowBytes);
  _tile_loadd(5, zeros, kTileRowBytes);
  _tile_loadd(6, zeros, kTileRowBytes);
  _tile_loadd(7, zeros, kTileRowBytes);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

float amx_int8_rounds(int64_t rounds) {
  set_up_tiles();
  for (int64_t round = 0; round < rounds; ++round) {
    _tile_dpbsud(0, 4, 6);
    _tile_dpbsud(1, 4, 7);
    _tile_dpbsud(2, 5, 6);
    _tile_dpbsud(3, 5, 7);
  }
  _tile_release();
  return 0;
}

float amx_bf16_rounds(int64_t rounds) {
  set_up_tiles();
  for (int64_t round = 0; round < rounds; ++round) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return 0;
}

}  // namespace
}  // namespace bitnet

BITNET_TARGET_END

namespace bitnet {

const PeakLoops kAmxPeakLoops = [] {
  PeakLoops loops = kAvx512VnniPeakLoops;
  loops.int8 = amx_int8_rounds;
  loops.int8_operations = kProducts * 16 * 16 * 64 * 2;
  loops.bf16 = amx_bf16_rounds;
  loops.bf16_operations = kProducts * 16 * 16 * 32 * 2;
  return loops;
}();

}  // namespace bitnet

#endif
