#include "training/rms_norm.h"

#include "core/kernels.h"
#include "training/arena.h"
#include "training/loops.h"
#include "training/partition.h"

namespace bitnet {
namespace {

// Rows whose gain gradients are summed together; part of the order of summation, so never tuned by machine.
constexpr int64_t kGainRows = 64;

}  // namespace

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
  const int64_t chunks = (rows + kGainRows - 1) / kGainRows;
  float* partial = scope.floats(chunks * n);
  parallel_chunks(rows, kGainRows, [&](int64_t begin, int64_t end) {
    float* sum = partial + begin / kGainRows * n;
    for (int64_t i = 0; i < n; ++i) sum[i] = 0.0f;
    for (int64_t row = begin; row < end; ++row) {
      loops.rms_norm_grad_row(x + row * n, gain, dy + row * n, n, eps, dx + row * n, sum);
    }
  });
  for (int64_t i = 0; i < n; ++i) dgain[i] = 0.0f;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    for (int64_t i = 0; i < n; ++i) dgain[i] += partial[chunk * n + i];
  }
}

}  // namespace bitnet
