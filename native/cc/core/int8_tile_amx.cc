// PanelTile of int8 for AMX: 32 x 32 sums in four tile registers, 64 depths a step by TDPBSSD.
#include "core/amx_intrinsics.h"

#if defined(BITNET_X86) && BITNET_AMX

#include <algorithm>
#include <cstring>

#include "core/target_region.h"

#define BITNET_TILE_ADD(sums, a, b) _tile_dpbssd(sums, a, b)

BITNET_TARGET_BEGIN("amx-tile,amx-int8,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")
// The order matters: each header builds on the one before.
// clang-format off
#include "core/amx_panels.h"
#include "core/panel_transpose.h"
#include "core/int8_panels.h"
// clang-format on

namespace bitnet {

const PanelTile kAmxInt8Tile = {kStepDepth, pack_codes_left<0>, pack_codes_right, multiply_amx};

}  // namespace bitnet

BITNET_TARGET_END

#endif
