#include "training/head.h"

#include <algorithm>
#include <cstring>

#include "core/float16.h"
#include "core/gemm_bf16.h"
#include "core/gemm_f32.h"
#include "core/int8_rows.h"
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

constexpr int64_t kPanelsPerTask = 16;

// The right operand of the product.
struct Table {
  const float* values;
  Int8Rows rows;  // of an int8 product

  Table(const float* table, const HeadShape& shape, ArenaScope& scope) : values(table), rows{} {
    if (shape.product == HeadProduct::int8) quantize(shape.vocab, shape.width, scope);
  }

 private:
  void quantize(int64_t vocab, int64_t width, ArenaScope& scope) {
    rows = {nullptr, nullptr, nullptr, vocab, width};
    int8_t* panels = scope.codes(rows.bytes());
    float* scales = scope.floats(rows.padded_rows());
    int32_t* sums = scope.ints(rows.padded_rows());
    parallel_chunks(rows.panels(), kPanelsPerTask, [&](int64_t begin, int64_t end) {
      ArenaScope task_scope;
      int8_t* codes = task_scope.codes(kPanelRows * width);
      for (int64_t panel = begin; panel < end; ++panel) {
        const int64_t first = panel * kPanelRows, count = std::min(kPanelRows, vocab - first);
        for (int64_t r = 0; r < kPanelRows; ++r) {
          scales[first + r] =
              r < count ? quantize_int8_row(values + (first + r) * width, width, codes + r * width) : 0.0f;
        }
        pack_int8_panel(codes, width, count, width, panels + panel * rows.panel_bytes(), sums + first);
      }
    });
    rows.codes = panels;
    rows.scales = scales;
    rows.sums = sums;
  }
};

// The left operand: some tokens.
struct Hidden {
  const float* values;
  CodeRows codes;  // of an int8 product

  Hidden(const float* hidden, int64_t tokens, const HeadShape& shape, ArenaScope& scope)
      : values(hidden), codes{} {
    if (shape.product == HeadProduct::int8) quantize(tokens, shape.width, scope);
  }

  CodeRows tokens_from(int64_t first, int64_t count) const {
    return {codes.codes + first * codes.stride, codes.stride, codes.act_scale + first, codes.code_sum + first,
            count};
  }

  // What the product effectively multiplies: the values of the codes.
  const float* effective(int64_t tokens, int64_t width, ArenaScope& scope) const {
    if (!codes.codes) return values;
    float* out = scope.floats(tokens * width);
    parallel_chunks(tokens, rows_per_task(width), [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        for (int64_t k = 0; k < width; ++k) {
          out[t * width + k] = static_cast<float>(codes.codes[t * codes.stride + k]) * codes.act_scale[t];
        }
      }
    });
    return out;
  }

 private:
  void quantize(int64_t tokens, int64_t width, ArenaScope& scope) {
    const Kernels& kernels = active_kernels();
    const int64_t stride = padded_cols(width);
    int8_t* rows = scope.codes(tokens * stride);
    float* act_scale = scope.floats(tokens);
    int32_t* code_sum = scope.ints(tokens);
    parallel_chunks(tokens, rows_per_task(width), [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        kernels.quantize_row(values + t * width, width, rows + t * stride, act_scale + t, code_sum + t);
      }
    });
    codes = {rows, stride, act_scale, code_sum, tokens};
  }
};

void multiply(const Hidden& hidden, const Table& table, int64_t tokens, const HeadShape& shape,
              float* logits) {
  const Kernels& kernels = active_kernels();
  const int64_t row_tasks = (shape.vocab + kTaskRows - 1) / kTaskRows;
  const int64_t token_tasks = (tokens + kTaskTokens - 1) / kTaskTokens;
  parallel_chunks(token_tasks * row_tasks, 1, [&](int64_t task, int64_t) {
    const int64_t token = task / row_tasks * kTaskTokens, row = task % row_tasks * kTaskRows;
    const int64_t count = token + kTaskTokens < tokens ? kTaskTokens : tokens - token;
    const int64_t row_end = row + kTaskRows < shape.vocab ? row + kTaskRows : shape.vocab;
    float* out = logits + token * shape.vocab;
    if (shape.product == HeadProduct::int8) {
      return multiply_int8_rows(kernels, table.rows, row, row_end, hidden.tokens_from(token, count), out,
                                shape.vocab);
    }
    kernels.linear_rows(table.values, RowType::f32, row, row_end, shape.width,
                        hidden.values + token * shape.width, shape.width, count, out, shape.vocab);
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
  ArenaScope scope;
  multiply({hidden, shape.tokens, shape, scope}, {table, shape, scope}, shape.tokens, shape, logits);
}

void head_log_probs(const float* hidden, const float* table, const int32_t* targets, const HeadShape& shape,
                    float* log_probs, int32_t* argmax) {
  const Kernels& kernels = active_kernels();
  ArenaScope scope;
  float* logits = scope.floats(chunk_tokens(shape) * shape.vocab);
  const Table right(table, shape, scope);
  for_each_chunk(shape, [&](int64_t first, int64_t tokens) {
    ArenaScope chunk_scope;
    multiply({hidden + first * shape.width, tokens, shape, chunk_scope}, right, tokens, shape, logits);
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
  const Table right(table, shape, scope);
  const Bf16Right packed_table = bf16 ? pack(table, vocab, scope) : Bf16Right{};
  if (shape.tokens == 0) std::memset(dtable, 0, static_cast<size_t>(vocab * width) * sizeof(float));
  for_each_chunk(shape, [&](int64_t first, int64_t tokens) {
    ArenaScope chunk_scope;
    const Hidden left(hidden + first * width, tokens, shape, chunk_scope);
    float* dhidden_rows = dhidden + first * width;
    multiply(left, right, tokens, shape, logits);
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
    const float* rows = left.effective(tokens, width, chunk_scope);
    if (bf16) {
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
