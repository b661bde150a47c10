// Packing of bfloat16 panels (panel_tile.h) that the AVX-512 and AMX tiles share.
#pragma once

#include "core/panel_tile.h"

namespace bitnet {

void pack_bf16_left_avx512(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                           uint8_t* panels);
void pack_bf16_right_avx512(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                            uint8_t* panels);

}  // namespace bitnet
