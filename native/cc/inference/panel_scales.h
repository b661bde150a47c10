// The scales of a ternary matrix as its panel has them, made of those that its rows were stored with.
//
// The file may say who shares a scale (ModelConfig::scale_group). Where it does not: the row, if the units of
// every row agree, else the unit, block by block. Int32 sums over a unit, a larger group and a whole row round
// differently, so units that disagree with what the file says are refused.
#pragma once

#include <cstdint>
#include <vector>

#include "core/ternary_panel.h"
#include "inference/aligned_buffer.h"
#include "inference/ternary_tensor.h"

namespace bitnet {

// Of a matrix [rows][units]; 0 where all weights of a unit are 0: its product is 0 with any scale.
struct UnitScales {
  std::vector<float> values;
  int64_t rows, units, unit_cols;
};

// Sets the scales of a panel whose codes, rows and columns are there, times `multiplier`. Returns the memory
// that they lie in. Throws GgufError naming the tensor of `source`.
AlignedBuffer set_panel_scales(const UnitScales& scales, int64_t scale_group, float multiplier,
                               const TernaryTensor& source, TernaryPanel* panel);

}  // namespace bitnet
