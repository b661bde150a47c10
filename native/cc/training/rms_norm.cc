#include "training/rms_norm.h"

#include "core/kernels.h"
#include "training/loops.h"
#include "training/partition.h"

namespace bitnet {
void rms_norm(const float* x, const float* gain, int64_t rows, int64_t n, float eps, float* y) {
  const Kernels& kernels = active_kernels();
  parallel_chunks(rows, rows_per_task(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) kernels.rms_norm_row(x + row * n, gain, n, eps, y + row * n);
  });
}

void rms_norm_grad(const float* x, const float* gain, const float* dy, int64_t rows, int64_t n, float eps,
                   float* dx, float* dgain) {
  const TrainingLoops& loops = active_loops();
  ArenaScope scope;
  float* sums = scope.floats(gain_chunks(rows) * n);
  parallel_chunks(rows, kGainRows, [&](int64_t begin, int64_t end) {
    float* sum = sums + begin / kGainRows * n;
    std::fill_n(sum, n, 0.0f);
    for (int64_t row = begin; row < end; ++row) {
      loops.rms_norm_grad_row(x + row * n, gain, dy + row * n, n, eps, dx + row * n, sum);
    }
  });
  add_gain_sums(sums, rows, n, dgain);
}

}  // namespace bitnet
