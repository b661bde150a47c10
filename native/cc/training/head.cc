#include "training/head.h"

#include <cstring>

#include "core/gemm_f32.h"
#include "core/kernels.h"
#include "training/arena.h"
#include "training/loops.h"
#include "training/partition.h"

namespace bitnet {
namespace {

// Logits of one forward task: within a second-level cache.
constexpr int64_t kForwardLogits = int64_t{1} << 16;
// Logits of one backward chunk, shared by all threads: 16 MB. Part of dtable's order of summation.
constexpr int64_t kBackwardLogits = int64_t{1} << 22;

int64_t clamp(int64_t value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : value;
}

int64_t forward_chunk(const HeadShape& shape) { return clamp(kForwardLogits / shape.vocab, 4, 64); }

int32_t first_argmax(const float* x, int64_t n) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; ++i) {
    if (x[i] > x[best]) best = i;
  }
  return static_cast<int32_t>(best);
}

}  // namespace

void head_logits(const float* hidden, const float* table, const HeadShape& shape, float* logits) {
  const Kernels& kernels = active_kernels();
  parallel_chunks(shape.tokens, forward_chunk(shape), [&](int64_t begin, int64_t end) {
    kernels.linear_rows(table, RowType::f32, 0, shape.vocab, shape.width, hidden + begin * shape.width,
                        shape.width, end - begin, logits + begin * shape.vocab, shape.vocab);
  });
}

void head_log_probs(const float* hidden, const float* table, const int32_t* targets, const HeadShape& shape,
                    float* log_probs, int32_t* argmax) {
  const Kernels& kernels = active_kernels();
  parallel_chunks(shape.tokens, forward_chunk(shape), [&](int64_t begin, int64_t end) {
    ArenaScope scope;
    float* logits = scope.floats((end - begin) * shape.vocab);
    kernels.linear_rows(table, RowType::f32, 0, shape.vocab, shape.width, hidden + begin * shape.width,
                        shape.width, end - begin, logits, shape.vocab);
    for (int64_t t = begin; t < end; ++t) {
      const float* row = logits + (t - begin) * shape.vocab;
      argmax[t] = first_argmax(row, shape.vocab);
      log_probs[t] = targets[t] < 0 ? 0.0f : row[targets[t]] - kernels.log_sum_exp(row, shape.vocab);
    }
  });
}

void head_log_probs_grad(const float* hidden, const float* table, const int32_t* targets,
                         const float* dlog_probs, const HeadShape& shape, float* log_probs, float* dhidden,
                         float* dtable) {
  const Kernels& kernels = active_kernels();
  const TrainingLoops& loops = active_loops();
  const int threads = training_threads();
  const int64_t width = shape.width, vocab = shape.vocab;
  const int64_t chunk = clamp(kBackwardLogits / vocab, 16, shape.tokens > 16 ? shape.tokens : 16);
  ArenaScope scope;
  float* logits = scope.floats((chunk < shape.tokens ? chunk : shape.tokens) * vocab);
  if (shape.tokens == 0) std::memset(dtable, 0, static_cast<size_t>(vocab * width) * sizeof(float));
  for (int64_t first = 0; first < shape.tokens; first += chunk) {
    const int64_t tokens = first + chunk < shape.tokens ? chunk : shape.tokens - first;
    const float* rows = hidden + first * width;
    parallel_chunks(tokens, forward_chunk(shape), [&](int64_t begin, int64_t end) {
      kernels.linear_rows(table, RowType::f32, 0, vocab, width, rows + begin * width, width, end - begin,
                          logits + begin * vocab, vocab);
      for (int64_t t = begin; t < end; ++t) {
        float* row = logits + t * vocab;
        const int32_t target = targets[first + t];
        if (target < 0) {
          log_probs[first + t] = 0.0f;
          std::memset(row, 0, static_cast<size_t>(vocab) * sizeof(float));
          continue;
        }
        const float log_sum = kernels.log_sum_exp(row, vocab);
        const float upstream = dlog_probs[first + t];
        log_probs[first + t] = row[target] - log_sum;
        loops.exp_affine(row, vocab, 1.0f, -log_sum, row);
        loops.binary_scalar(BinaryOp::mul, row, -upstream, false, vocab, row);
        row[target] += upstream;
      }
    });
    gemm_f32(threads, tokens, width, vocab, {logits, vocab, 1}, {table, width, 1}, dhidden + first * width,
             width, false);
    gemm_f32(threads, vocab, width, tokens, {logits, 1, vocab}, {rows, width, 1}, dtable, width, first > 0);
  }
}

}  // namespace bitnet
