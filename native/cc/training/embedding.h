// Embedding rows: gather, its gradient (a scatter-add), and rounding of the table to its stored type.
#pragma once

#include <cstdint>

#include "core/kernels.h"

namespace bitnet {

// y[i] = table[ids[i]], rows of `width` floats. ids in range.
void gather_rows(const float* table, const int32_t* ids, int64_t count, int64_t width, float* y);

// out[v] = sum of rows[i] over ids[i] == v, in order of i; rows with an id outside [0, segments) are skipped.
void scatter_add_rows(const int32_t* ids, const float* rows, int64_t count, int64_t width, int64_t segments,
                      float* out);

// Every value rounded to `type` and back to float32. q8_0: blocks of 32 with d = max|x| / 127,
// q = clip(rint(x * (1 / d))), value = q * f16(d); cols is then a multiple of 32. int8_row: the same for whole
// rows (core/int8_rows.h).
enum class TableType { f32, f16, bf16, q8_0, int8_row };
void round_rows(const float* x, int64_t rows, int64_t cols, TableType type, float* y);

}  // namespace bitnet
