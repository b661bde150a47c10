// Stored rows as the kernels read them. Types without a kernel of their own become, when they are loaded, one that has
// the same values to the bit:
//
//   Q1_0, PQ2_0, PTQ1_0, STQ1_0, TQ1_0, TQ2_0   Q2_0: a level times a float16 scale, which each group of 64 repeats
//   Q5_0                                        Q8_0: the code and the scale
//   Q5_1, Q4_1                                  F32: their values, which have a minimum beside the scale
//
// Layouts: src/gguf/types, one file each.
#pragma once

#include <cstdint>

#include "core/kernels.h"
#include "inference/gguf_file.h"

namespace bitnet {

// The type of a tensor's rows in a product of floats, after their conversion if they need one. Throws GgufError naming
// the tensor if there is none.
RowType float_row_type(const GgufTensor& tensor);
bool is_converted(GgmlType type);
// Bytes of a row in the file.
int64_t stored_row_bytes(GgmlType type, int64_t cols);
// One row of `cols` columns as float_row_type says: row_bytes of it. For types that are converted.
void convert_row(GgmlType type, const uint8_t* stored, int64_t cols, uint8_t* out);

}  // namespace bitnet
