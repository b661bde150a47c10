// The Walsh-Hadamard transform over rows (core's hadamard_row). It is symmetric: its own gradient.
#pragma once

#include <cstdint>

#include "core/kernels.h"
#include "training/partition.h"

namespace bitnet {

// x, y: [rows][n].
inline void hadamard(const float* x, int64_t rows, int64_t n, float* y) {
  const Kernels& kernels = active_kernels();
  parallel_chunks(rows, rows_per_task(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) kernels.hadamard_row(x + row * n, n, y + row * n);
  });
}

}  // namespace bitnet
