// How many bytes of weights one token of decoding reads: what its speed is measured against.
#pragma once

#include <cstdint>

#include "inference/model.h"

namespace bitnet {

// Every matrix once, as it lies in memory, and the gains; of a separate embedding only one row. Keys, values
// and activations do not count.
uint64_t bytes_per_token(const Model& model);

}  // namespace bitnet
