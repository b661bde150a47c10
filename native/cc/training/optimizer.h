// The optimizer step and the gradient norm.
#pragma once

#include <cstdint>

namespace bitnet {

struct AdamWSettings {
  double learning_rate;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  int64_t step;       // counts from 1
  double grad_scale;  // multiplies the gradient first: clipping and accumulation
};

// torch.optim.AdamW, in place:
//   param *= 1 - lr * wd;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//   param -= lr / (1 - b1^step) * m / (sqrt(v) / sqrt(1 - b2^step) + epsilon)
void adamw_step(float* param, const float* grad, float* m, float* v, int64_t count,
                const AdamWSettings& settings);

// Sum of squares in float64, within fixed chunks, then over the chunks in order.
double norm_squared(const float* x, int64_t count);

}  // namespace bitnet
