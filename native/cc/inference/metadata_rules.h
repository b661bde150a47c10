// Metadata that would change what a model computes, and that this engine does not follow.
#pragma once

#include "inference/model_config.h"

namespace bitnet {

// Throws GgufError naming the key if the file is no model, only a part of one, of another block layout, or of weights
// that are folded with a rotation.
void check_file_kind(const GgufFile& file);

// Throws GgufError naming the key: one under the architecture (or of `bitnet-lab.`) that is not known here, a
// known one whose value asks for another computation, a special token outside the vocabulary.
void check_metadata(const GgufFile& file, const ModelConfig& config);

}  // namespace bitnet
