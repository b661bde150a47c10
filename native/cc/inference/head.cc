#include "inference/head.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "inference/sampler.h"

namespace bitnet {
namespace {

constexpr int64_t kChunkBytes = int64_t{16} << 20;
constexpr int64_t kChunkTokens = 64;

// The `count` ids with the largest logits, in order; what is not a number comes last.
std::vector<int32_t> largest(const float* row, int64_t vocab, int64_t count) {
  std::vector<int32_t> ids(static_cast<size_t>(vocab));
  std::iota(ids.begin(), ids.end(), 0);
  const auto before = [row](int32_t a, int32_t b) {
    const float x = std::isnan(row[a]) ? -INFINITY : row[a];
    const float y = std::isnan(row[b]) ? -INFINITY : row[b];
    return x != y ? x > y : a < b;
  };
  std::partial_sort(ids.begin(), ids.begin() + count, ids.end(), before);
  ids.resize(static_cast<size_t>(count));
  return ids;
}

}  // namespace

Head::Head(const Model& model, const Kernels& kernels, const Workers& workers, HeadPrecision precision)
    : model_(model), kernels_(kernels), workers_(workers), precision_(precision) {}

CodeRows Head::quantized(const float* hidden, int64_t tokens) {
  const int64_t cols = model_.head().cols, stride = padded_cols(cols);
  if (static_cast<size_t>(tokens * stride) > codes_.size()) {
    codes_ = AlignedBuffer(static_cast<size_t>(tokens * stride));
    act_scale_ = AlignedBuffer(static_cast<size_t>(tokens) * sizeof(float));
    code_sum_ = AlignedBuffer(static_cast<size_t>(tokens) * sizeof(int32_t));
  }
  int8_t* codes = reinterpret_cast<int8_t*>(codes_.data());
  int32_t* code_sum = reinterpret_cast<int32_t*>(code_sum_.data());
  workers_.split(tokens, 1, tokens * cols * 4, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      kernels_.quantize_row(hidden + t * cols, cols, codes + t * stride, act_scale_.floats() + t,
                            code_sum + t);
    }
  });
  return {codes, stride, act_scale_.floats(), code_sum, tokens};
}

void Head::logits(const float* hidden, int64_t tokens, float* logits) {
  const RowPanel& head = model_.head();
  const int64_t work = tokens * head.rows * head.cols;
  if (const Int8Rows* rows = model_.int8_head()) {
    const CodeRows x = quantized(hidden, tokens);
    workers_.split(head.rows, kPanelRows, work, [&](int64_t begin, int64_t end) {
      multiply_int8_rows(kernels_, *rows, begin, end, x, logits, head.rows);
    });
    return;
  }
  if (precision_ == HeadPrecision::int8) {
    const CodeRows x = quantized(hidden, tokens);
    workers_.split(head.rows, kPanelRows, work, [&](int64_t begin, int64_t end) {
      kernels_.q8_rows(head, begin, end, x.codes, x.stride, x.act_scale, tokens, logits, head.rows);
    });
    return;
  }
  workers_.split(head.rows, kPanelRows, work, [&](int64_t begin, int64_t end) {
    kernels_.panel_rows(head, begin, end, hidden, head.cols, tokens, logits, head.rows);
  });
}

void Head::score(const float* hidden, int64_t tokens, const int64_t* first, const Target* targets,
                 float* logprobs, uint8_t* greedy, const TopTokens& top) {
  const int64_t vocab = model_.head().rows;
  const int64_t step = std::clamp<int64_t>(kChunkBytes / (vocab * 4), 1, kChunkTokens);
  const size_t bytes = static_cast<size_t>(std::min(step, tokens) * vocab) * sizeof(float);
  if (bytes > chunk_.size()) chunk_ = AlignedBuffer(bytes);
  for (int64_t done = 0; done < tokens; done += step) {
    const int64_t count = std::min(step, tokens - done);
    logits(hidden + done * model_.head().cols, count, chunk_.floats());
    workers_.split(count, 1, count * vocab * 16, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const float* row = chunk_.floats() + t * vocab;
        const int64_t* range = first + done + t;
        if (range[0] == range[1]) continue;
        const float normalizer = kernels_.log_sum_exp(row, vocab);
        const int32_t likeliest = arg_max(row, vocab);
        for (int64_t i = range[0]; i < range[1]; ++i) {
          logprobs[targets[i].result] = row[targets[i].id] - normalizer;
          greedy[targets[i].result] = likeliest == targets[i].id;
        }
        if (top.count == 0) continue;
        const std::vector<int32_t> ids = largest(row, vocab, top.count);
        for (int64_t i = range[0]; i < range[1]; ++i) {
          for (int64_t k = 0; k < top.count; ++k) {
            const int32_t id = ids[static_cast<size_t>(k)];
            top.ids[targets[i].result * top.count + k] = id;
            top.logprobs[targets[i].result * top.count + k] = row[id] - normalizer;
          }
        }
      }
    });
  }
}

}  // namespace bitnet
