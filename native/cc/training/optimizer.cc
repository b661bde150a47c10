#include "training/optimizer.h"

#include <algorithm>
#include <cmath>

#include "training/arena.h"
#include "training/loops.h"
#include "training/partition.h"

namespace bitnet {

namespace {

// Part of a tensor: what one task works on.
struct Chunk {
  int64_t tensor, begin, end;
};

int64_t chunks_of(int64_t elements) { return (elements + kElementsPerTask - 1) / kElementsPerTask; }

// body(chunk, its index) over the chunks of all tensors, in parallel: a model has many small ones.
template <typename Tensor, typename Body>
void each_chunk(const Tensor* tensors, int64_t count, const Body& body) {
  int64_t total = 0;
  for (int64_t i = 0; i < count; ++i) total += chunks_of(tensors[i].count);
  ArenaScope scope;
  Chunk* chunks = static_cast<Chunk*>(scope.bytes(total * static_cast<int64_t>(sizeof(Chunk))));
  int64_t next = 0;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t begin = 0; begin < tensors[i].count; begin += kElementsPerTask) {
      chunks[next++] = {i, begin, std::min(tensors[i].count, begin + kElementsPerTask)};
    }
  }
  // Tasks of several small chunks: vectors of a few values cost less than handing them out.
  int64_t first = 0, tasks = 0;
  int64_t* starts = static_cast<int64_t*>(scope.bytes((total + 1) * static_cast<int64_t>(sizeof(int64_t))));
  for (int64_t elements = kElementsPerTask; first < total; ++first) {
    const int64_t size = chunks[first].end - chunks[first].begin;
    if (elements + size > kElementsPerTask) {
      starts[tasks++] = first;
      elements = 0;
    }
    elements += size;
  }
  starts[tasks] = total;
  parallel_chunks(tasks, 1, [&](int64_t task, int64_t) {
    for (int64_t i = starts[task]; i < starts[task + 1]; ++i) body(chunks[i], i);
  });
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
  each_chunk(tensors, count, [&](const Chunk& chunk, int64_t) {
    const AdamWTensor& tensor = tensors[chunk.tensor];
    AdamWStep own = constants;
    own.decay = static_cast<float>(1.0 - settings.learning_rate * tensor.weight_decay);
    loops.adamw(tensor.param + chunk.begin, tensor.grad + chunk.begin, tensor.m + chunk.begin,
                tensor.v + chunk.begin, chunk.end - chunk.begin, own);
  });
}

void sums_of_squares(const Values* tensors, int64_t count, double* sums) {
  const TrainingLoops& loops = active_loops();
  int64_t total = 0;
  for (int64_t i = 0; i < count; ++i) total += chunks_of(tensors[i].count);
  ArenaScope scope;
  double* partial = scope.doubles(total);
  each_chunk(tensors, count, [&](const Chunk& chunk, int64_t index) {
    partial[index] = loops.sum_squares(tensors[chunk.tensor].data + chunk.begin, chunk.end - chunk.begin);
  });
  int64_t index = 0;
  for (int64_t i = 0; i < count; ++i) {
    sums[i] = 0;
    for (int64_t chunk = 0; chunk < chunks_of(tensors[i].count); ++chunk) sums[i] += partial[index++];
  }
}

}  // namespace bitnet
