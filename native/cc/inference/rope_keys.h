// The rotary embedding that a file asks for, by llama.cpp's keys and its tensor of frequency factors.
#pragma once

#include <string>

#include "core/rope_table.h"
#include "inference/gguf_file.h"
#include "inference/metadata_keys.h"

namespace bitnet {

// Formulas: src/config/rope_scaling.ts. `prefix` is the architecture with a dot. Throws GgufError naming the key or
// tensor if the scaling is not known, or said twice.
Rope read_rope(const GgufFile& file, const Keys& keys, const std::string& prefix, int64_t head_dim);

}  // namespace bitnet
