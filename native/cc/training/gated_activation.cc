#include "training/gated_activation.h"

#include "training/partition.h"

namespace bitnet {

void gated_activation(const float* gate_up, int64_t rows, int64_t n, GateActivation activation, float* y) {
  const auto gate = gate_row(activation);
  parallel_chunks(rows, rows_per_task(2 * n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* in = gate_up + row * 2 * n;
      gate(in, in + n, n, y + row * n);
    }
  });
}

void gated_activation_grad(const float* gate_up, const float* dy, int64_t rows, int64_t n,
                           GateActivation activation, float* dgate_up) {
  const auto grad = gate_grad_row(activation);
  parallel_chunks(rows, rows_per_task(2 * n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* in = gate_up + row * 2 * n;
      float* out = dgate_up + row * 2 * n;
      grad(in, in + n, dy + row * n, n, out, out + n);
    }
  });
}

namespace {
constexpr int64_t kChunk = 1 << 14;  // elements of a task
}

void squared_relu(const float* x, int64_t n, float* y) {
  const Kernels& kernels = active_kernels();
  parallel_chunks(n, kChunk, [&](int64_t begin, int64_t end) {
    kernels.squared_relu(x + begin, end - begin, y + begin);
  });
}

void squared_relu_grad(const float* x, const float* dy, int64_t n, float* dx) {
  const TrainingLoops& loops = active_loops();
  parallel_chunks(n, kChunk, [&](int64_t begin, int64_t end) {
    loops.squared_relu_grad(x + begin, dy + begin, end - begin, dx + begin);
  });
}

}  // namespace bitnet
