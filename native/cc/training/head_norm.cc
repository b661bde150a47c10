#include "training/head_norm.h"

#include <algorithm>

#include "core/kernels.h"
#include "training/arena.h"
#include "training/loops.h"
#include "training/rms_norm.h"

namespace bitnet {

void head_norm(const float* qkv, const float* q_gain, const float* k_gain, const HeadNormShape& shape,
               float* y) {
  const Kernels& kernels = active_kernels();
  const int64_t width = shape.width(), head_dim = shape.head_dim, normed = shape.heads + shape.kv_heads;
  parallel_chunks(shape.rows, rows_per_task(width), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* x = qkv + row * width;
      float* out = y + row * width;
      for (int64_t head = 0; head < normed; ++head) {
        const float* gain = head < shape.heads ? q_gain : k_gain;
        kernels.rms_norm_row(x + head * head_dim, gain, head_dim, shape.eps, out + head * head_dim);
      }
      std::copy_n(x + normed * head_dim, shape.kv_heads * head_dim, out + normed * head_dim);
    }
  });
}

void head_norm_grad(const float* qkv, const float* q_gain, const float* k_gain, const float* dy,
                    const HeadNormShape& shape, float* dqkv, float* dq_gain, float* dk_gain) {
  const TrainingLoops& loops = active_loops();
  const int64_t width = shape.width(), head_dim = shape.head_dim, normed = shape.heads + shape.kv_heads;
  ArenaScope scope;
  float* q_sums = scope.floats(gain_chunks(shape.rows) * head_dim);
  float* k_sums = scope.floats(gain_chunks(shape.rows) * head_dim);
  parallel_chunks(shape.rows, kGainRows, [&](int64_t begin, int64_t end) {
    float* q_sum = q_sums + begin / kGainRows * head_dim;
    float* k_sum = k_sums + begin / kGainRows * head_dim;
    std::fill_n(q_sum, head_dim, 0.0f);
    std::fill_n(k_sum, head_dim, 0.0f);
    for (int64_t row = begin; row < end; ++row) {
      const int64_t at = row * width;
      for (int64_t head = 0; head < normed; ++head) {
        const bool is_query = head < shape.heads;
        const int64_t first = at + head * head_dim;
        loops.rms_norm_grad_row(qkv + first, is_query ? q_gain : k_gain, dy + first, head_dim, shape.eps,
                                dqkv + first, is_query ? q_sum : k_sum);
      }
      std::copy_n(dy + at + normed * head_dim, shape.kv_heads * head_dim, dqkv + at + normed * head_dim);
    }
  });
  add_gain_sums(q_sums, shape.rows, head_dim, dq_gain);
  add_gain_sums(k_sums, shape.rows, head_dim, dk_gain);
}

}  // namespace bitnet
