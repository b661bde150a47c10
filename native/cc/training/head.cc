#include "training/head.h"

#include <cstring>

#include "core/float16.h"
#include "core/gemm_bf16.h"
#include "core/gemm_f32.h"
#include "core/kernels.h"
#include "training/arena.h"
#include "training/loops.h"
#include "training/partition.h"

namespace bitnet {
namespace {

// Tokens and rows of the table of one task: the rows stay in the second-level cache for all its tokens.
constexpr int64_t kTaskTokens = 128;
constexpr int64_t kTaskRows = 256;
// Logits of one chunk of tokens, shared by all threads: 32 MB. Part of dtable's order of summation.
constexpr int64_t kChunkLogits = int64_t{1} << 23;
constexpr int64_t kTokensPerRowTask = 4;

int64_t chunk_tokens(const HeadShape& shape) {
  const int64_t tokens = kChunkLogits / shape.vocab;
  const int64_t least = tokens < 16 ? 16 : tokens;
  return least < shape.tokens ? least : shape.tokens;
}

int32_t first_argmax(const float* x, int64_t n) {
  const float largest = active_loops().max(x, n);
  for (int64_t i = 0; i < n; ++i) {
    if (x[i] == largest) return static_cast<int32_t>(i);
  }
  // Not-a-number among them: it is never the largest.
  int64_t best = 0;
  for (int64_t i = 1; i < n; ++i) {
    if (x[i] > x[best]) best = i;
  }
  return static_cast<int32_t>(best);
}

// body(first, tokens) for the chunks of tokens in order.
template <typename Body>
void for_each_chunk(const HeadShape& shape, const Body& body) {
  const int64_t chunk = chunk_tokens(shape);
  for (int64_t first = 0; first < shape.tokens; first += chunk) {
    body(first, first + chunk < shape.tokens ? chunk : shape.tokens - first);
  }
}

void multiply(const float* hidden, const float* table, int64_t tokens, const HeadShape& shape,
              float* logits) {
  const Kernels& kernels = active_kernels();
  const int64_t row_tasks = (shape.vocab + kTaskRows - 1) / kTaskRows;
  const int64_t token_tasks = (tokens + kTaskTokens - 1) / kTaskTokens;
  parallel_chunks(token_tasks * row_tasks, 1, [&](int64_t task, int64_t) {
    const int64_t token = task / row_tasks * kTaskTokens, row = task % row_tasks * kTaskRows;
    const int64_t count = token + kTaskTokens < tokens ? kTaskTokens : tokens - token;
    const int64_t row_end = row + kTaskRows < shape.vocab ? row + kTaskRows : shape.vocab;
    kernels.linear_rows(table, RowType::f32, row, row_end, shape.width, hidden + token * shape.width,
                        shape.width, count, logits + token * shape.vocab, shape.vocab);
  });
}

// Rounded gradients of the logits, in the first half of each row of logits.
void rounded_gradient(float* row, int64_t vocab, int32_t target, float log_sum, float upstream) {
  const TrainingLoops& loops = active_loops();
  float at_target;
  loops.exp_affine(row + target, 1, 1.0f, -log_sum, &at_target);
  uint16_t* rounded = reinterpret_cast<uint16_t*>(row);
  loops.exp_bf16(row, vocab, -log_sum, -upstream, rounded);
  rounded[target] = f32_to_bf16(upstream - at_target * upstream);
}

void gradient(float* row, int64_t vocab, int32_t target, float log_sum, float upstream) {
  const TrainingLoops& loops = active_loops();
  loops.exp_affine(row, vocab, 1.0f, -log_sum, row);
  loops.binary_scalar(BinaryOp::mul, row, -upstream, false, vocab, row);
  row[target] += upstream;
}

}  // namespace

void head_logits(const float* hidden, const float* table, const HeadShape& shape, float* logits) {
  multiply(hidden, table, shape.tokens, shape, logits);
}

void head_log_probs(const float* hidden, const float* table, const int32_t* targets, const HeadShape& shape,
                    float* log_probs, int32_t* argmax) {
  const Kernels& kernels = active_kernels();
  ArenaScope scope;
  float* logits = scope.floats(chunk_tokens(shape) * shape.vocab);
  for_each_chunk(shape, [&](int64_t first, int64_t tokens) {
    multiply(hidden + first * shape.width, table, tokens, shape, logits);
    parallel_chunks(tokens, kTokensPerRowTask, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const float* row = logits + t * shape.vocab;
        const int32_t target = targets[first + t];
        argmax[first + t] = first_argmax(row, shape.vocab);
        log_probs[first + t] = target < 0 ? 0.0f : row[target] - kernels.log_sum_exp(row, shape.vocab);
      }
    });
  });
}

void head_log_probs_grad(const float* hidden, const float* table, const int32_t* targets,
                         const float* dlog_probs, const HeadShape& shape, BackwardPrecision precision,
                         float* log_probs, float* dhidden, float* dtable) {
  const Kernels& kernels = active_kernels();
  const int threads = training_threads();
  const int64_t width = shape.width, vocab = shape.vocab;
  const bool bf16 = precision != BackwardPrecision::f32 && fast_bf16_tile(kernels) != nullptr;
  ArenaScope scope;
  float* logits = scope.floats(chunk_tokens(shape) * vocab);
  const auto pack = [&](const float* matrix, int64_t rows, ArenaScope& memory) {
    uint8_t* packed = static_cast<uint8_t*>(memory.bytes(bf16_right_bytes(rows, width)));
    return pack_bf16_right(threads, {matrix, width, 1}, rows, width, packed);
  };
  const Bf16Right packed_table = bf16 ? pack(table, vocab, scope) : Bf16Right{};
  if (shape.tokens == 0) std::memset(dtable, 0, static_cast<size_t>(vocab * width) * sizeof(float));
  for_each_chunk(shape, [&](int64_t first, int64_t tokens) {
    const float* rows = hidden + first * width;
    float* dhidden_rows = dhidden + first * width;
    multiply(rows, table, tokens, shape, logits);
    parallel_chunks(tokens, kTokensPerRowTask, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        float* row = logits + t * vocab;
        const int32_t target = targets[first + t];
        if (target < 0) {
          log_probs[first + t] = 0.0f;
          std::memset(row, 0, static_cast<size_t>(vocab) * sizeof(float));
          continue;
        }
        const float log_sum = kernels.log_sum_exp(row, vocab);
        log_probs[first + t] = row[target] - log_sum;
        (bf16 ? rounded_gradient : gradient)(row, vocab, target, log_sum, dlog_probs[first + t]);
      }
    });
    if (bf16) {
      ArenaScope chunk_scope;
      gemm_bf16(threads, tokens, {logits, 2 * vocab, 1, GemmType::bf16}, packed_table, dhidden_rows, width,
                false);
      gemm_bf16(threads, vocab, {logits, 1, 2 * vocab, GemmType::bf16}, pack(rows, tokens, chunk_scope),
                dtable, width, first > 0);
    } else {
      gemm_f32(threads, tokens, width, vocab, {logits, vocab, 1}, {table, width, 1}, dhidden_rows, width,
               false);
      gemm_f32(threads, vocab, width, tokens, {logits, 1, vocab}, {rows, width, 1}, dtable, width, first > 0);
    }
  });
}

}  // namespace bitnet
