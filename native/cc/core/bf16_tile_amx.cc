// PanelTile of bfloat16 for AMX: 32 x 32 sums in four tile registers, 32 depths a step by TDPBF16PS.
#include "core/amx_intrinsics.h"

#if defined(BITNET_X86) && BITNET_AMX

#include <algorithm>
#include <cstring>

#include "core/bf16_panels.h"

#define BITNET_TILE_ADD(sums, a, b) _tile_dpbf16ps(sums, a, b)

BITNET_TARGET_BEGIN("amx-tile,amx-bf16")
#include "core/amx_panels.h"

namespace bitnet {

const PanelTile kAmxBf16Tile = {32, pack_bf16_left_avx512, pack_bf16_right_avx512, multiply_amx};

}  // namespace bitnet

BITNET_TARGET_END

#endif
