// RMSNorm over rows, forward (core's rms_norm_row) and backward.
//
//   r = 1 / sqrt(mean(x^2) + eps),   y = gain * (x * r)
//   dx = r * (gain * dy) - x * (r^3 / n * sum(gain * dy * x)),   dgain = sum over rows of dy * (x * r)
#pragma once

#include <algorithm>
#include <cstdint>

#include "training/arena.h"
#include "training/partition.h"

namespace bitnet {

// x, y: [rows][n]; gain: [n].
void rms_norm(const float* x, const float* gain, int64_t rows, int64_t n, float eps, float* y);

// dgain is summed within fixed chunks of rows, then over the chunks in order.
void rms_norm_grad(const float* x, const float* gain, const float* dy, int64_t rows, int64_t n, float eps,
                   float* dx, float* dgain);

// Rows whose gain gradients are summed together; part of the order of summation, so never tuned by machine.
constexpr int64_t kGainRows = 64;

inline int64_t gain_chunks(int64_t rows) { return (rows + kGainRows - 1) / kGainRows; }

// dgain[n] as the sum of sums[gain_chunks(rows)][n], in order.
inline void add_gain_sums(const float* sums, int64_t rows, int64_t n, float* dgain) {
  std::fill_n(dgain, n, 0.0f);
  for (int64_t chunk = 0; chunk < gain_chunks(rows); ++chunk) {
    for (int64_t i = 0; i < n; ++i) dgain[i] += sums[chunk * n + i];
  }
}

}  // namespace bitnet
