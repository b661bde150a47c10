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

// dgain[n] as the sum over chunks of rows: body(begin, end, sum) adds the gradients of its rows to sum[n].
template <typename Body>
void sum_gain_gradients(int64_t rows, int64_t n, float* dgain, const Body& body) {
  ArenaScope scope;
  const int64_t chunks = (rows + kGainRows - 1) / kGainRows;
  float* partial = scope.floats(chunks * n);
  parallel_chunks(rows, kGainRows, [&](int64_t begin, int64_t end) {
    float* sum = partial + begin / kGainRows * n;
    std::fill_n(sum, n, 0.0f);
    body(begin, end, sum);
  });
  std::fill_n(dgain, n, 0.0f);
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    for (int64_t i = 0; i < n; ++i) dgain[i] += partial[chunk * n + i];
  }
}

}  // namespace bitnet
