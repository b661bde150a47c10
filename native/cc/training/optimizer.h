// The optimizer step and the gradient norm.
#pragma once

#include <cstdint>

namespace bitnet {

struct AdamWSettings {
  double learning_rate;
  double beta1;
  double beta2;
  double epsilon;
  int64_t step;       // counts from 1
  double grad_scale;  // multiplies the gradient first: clipping and accumulation
};

struct AdamWTensor {
  float* param;
  const float* grad;
  float* m;
  float* v;
  int64_t count;  // of each
  double weight_decay;
};

// torch.optim.AdamW of all tensors in one parallel loop, in place:
//   param *= 1 - lr * wd;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//   param -= lr / (1 - b1^step) * m / (sqrt(v) / sqrt(1 - b2^step) + epsilon)
void adamw_step(const AdamWTensor* tensors, int64_t count, const AdamWSettings& settings);

struct Values {
  const float* data;
  int64_t count;
};

// sums[i]: of the squares of tensor i, in float64, within fixed chunks, then over the chunks in order.
void sums_of_squares(const Values* tensors, int64_t count, double* sums);

}  // namespace bitnet
