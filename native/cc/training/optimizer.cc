#include "training/optimizer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "training/loops.h"
#include "training/partition.h"

namespace bitnet {
namespace {

// Part of a tensor: what one task works on.
struct Chunk {
  int64_t tensor, begin, end;
};

// The tensors cut into chunks, one after the other: one parallel loop for a model's many small ones.
template <typename Tensor>
std::vector<Chunk> chunks_of(const Tensor* tensors, int64_t count) {
  std::vector<Chunk> chunks;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t begin = 0; begin < tensors[i].count; begin += kElementsPerTask) {
      chunks.push_back({i, begin, std::min(tensors[i].count, begin + kElementsPerTask)});
    }
  }
  return chunks;
}

}  // namespace

void adamw_step(const AdamWTensor* tensors, int64_t count, const AdamWSettings& settings) {
  const TrainingLoops& loops = active_loops();
  const double step = static_cast<double>(settings.step);
  AdamWStep constants;
  constants.beta1 = static_cast<float>(settings.beta1);
  constants.keep1 = static_cast<float>(1.0 - settings.beta1);
  constants.beta2 = static_cast<float>(settings.beta2);
  constants.keep2 = static_cast<float>(1.0 - settings.beta2);
  constants.step_size = static_cast<float>(settings.learning_rate / (1.0 - std::pow(settings.beta1, step)));
  constants.inverse_sqrt_bias = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(settings.beta2, step)));
  constants.epsilon = static_cast<float>(settings.epsilon);
  constants.grad_scale = static_cast<float>(settings.grad_scale);
  const std::vector<Chunk> chunks = chunks_of(tensors, count);
  parallel_chunks(static_cast<int64_t>(chunks.size()), 1, [&](int64_t task, int64_t) {
    const Chunk& chunk = chunks[static_cast<size_t>(task)];
    const AdamWTensor& tensor = tensors[chunk.tensor];
    AdamWStep own = constants;
    own.decay = static_cast<float>(1.0 - settings.learning_rate * tensor.weight_decay);
    loops.adamw(tensor.param + chunk.begin, tensor.grad + chunk.begin, tensor.m + chunk.begin,
                tensor.v + chunk.begin, chunk.end - chunk.begin, own);
  });
}

void sums_of_squares(const Values* tensors, int64_t count, double* sums) {
  const TrainingLoops& loops = active_loops();
  const std::vector<Chunk> chunks = chunks_of(tensors, count);
  std::vector<double> partial(chunks.size());
  parallel_chunks(static_cast<int64_t>(chunks.size()), 1, [&](int64_t task, int64_t) {
    const Chunk& chunk = chunks[static_cast<size_t>(task)];
    partial[static_cast<size_t>(task)] =
        loops.sum_squares(tensors[chunk.tensor].data + chunk.begin, chunk.end - chunk.begin);
  });
  std::fill_n(sums, count, 0.0);
  for (size_t i = 0; i < chunks.size(); ++i) sums[chunks[i].tensor] += partial[i];
}

}  // namespace bitnet
