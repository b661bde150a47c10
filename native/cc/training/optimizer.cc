#include "training/optimizer.h"

#include <cmath>

#include "training/arena.h"
#include "training/loops.h"
#include "training/partition.h"

namespace bitnet {

void adamw_step(float* param, const float* grad, float* m, float* v, int64_t count,
                const AdamWSettings& settings) {
  const TrainingLoops& loops = active_loops();
  const double step = static_cast<double>(settings.step);
  AdamWStep constants;
  constants.decay = static_cast<float>(1.0 - settings.learning_rate * settings.weight_decay);
  constants.beta1 = static_cast<float>(settings.beta1);
  constants.keep1 = static_cast<float>(1.0 - settings.beta1);
  constants.beta2 = static_cast<float>(settings.beta2);
  constants.keep2 = static_cast<float>(1.0 - settings.beta2);
  constants.step_size = static_cast<float>(settings.learning_rate / (1.0 - std::pow(settings.beta1, step)));
  constants.inverse_sqrt_bias = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(settings.beta2, step)));
  constants.epsilon = static_cast<float>(settings.epsilon);
  constants.grad_scale = static_cast<float>(settings.grad_scale);
  parallel_chunks(count, kElementsPerTask, [&](int64_t begin, int64_t end) {
    loops.adamw(param + begin, grad + begin, m + begin, v + begin, end - begin, constants);
  });
}

double norm_squared(const float* x, int64_t count) {
  const TrainingLoops& loops = active_loops();
  const int64_t chunks = (count + kElementsPerTask - 1) / kElementsPerTask;
  ArenaScope scope;
  double* partial = scope.doubles(chunks);
  parallel_chunks(count, kElementsPerTask, [&](int64_t begin, int64_t end) {
    partial[begin / kElementsPerTask] = loops.sum_squares(x + begin, end - begin);
  });
  double total = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) total += partial[chunk];
  return total;
}

}  // namespace bitnet
