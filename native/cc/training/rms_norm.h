// RMSNorm over rows, forward (core's rms_norm_row) and backward.
//
//   r = 1 / sqrt(mean(x^2) + eps),   y = gain * (x * r)
//   dx = r * (gain * dy) - x * (r^3 / n * sum(gain * dy * x)),   dgain = sum over rows of dy * (x * r)
#pragma once

#include <cstdint>

namespace bitnet {

// x, y: [rows][n]; gain: [n].
void rms_norm(const float* x, const float* gain, int64_t rows, int64_t n, float eps, float* y);

// dgain is summed within fixed chunks of rows, then over the chunks in order.
void rms_norm_grad(const float* x, const float* gain, const float* dy, int64_t rows, int64_t n, float eps,
                   float* dx, float* dgain);

}  // namespace bitnet
