// The decoder written down plainly: one sequence, one position after the other, no cache, no packing, no
// threads. It states the canonical orders of core/kernels.h once more, so the engine is compared with
// something that shares neither its code nor its kernels (only exp, log, the lane tree and the rotary table).
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/canonical_math.h"
#include "core/rope_table.h"
#include "tiny_model.h"

namespace check {

using Row = std::vector<float>;

inline float lane_dot(const Row& a, const float* b) {
  float lanes[bitnet::kLanes] = {};
  for (size_t i = 0; i < a.size(); ++i) {
    lanes[i % bitnet::kLanes] = std::fma(a[i], b[i], lanes[i % bitnet::kLanes]);
  }
  return bitnet::reduce_lanes(lanes);
}

class ReferenceForward {
 public:
  explicit ReferenceForward(const TinyModel& model) : model_(model), shape_(model.shape) {}

  // log P(ids[i + 1] | ids[0..i]) for i = 0 .. size - 2.
  Row logprobs(const std::vector<int32_t>& ids) const {
    const size_t count = ids.size() - 1;
    std::vector<Row> x(count);
    const TinyMatrix& table = model_.matrices.at("token_embd");
    for (size_t t = 0; t < count; ++t) {
      const float* row = table.values.data() + ids[t] * shape_.hidden;
      x[t].assign(row, row + shape_.hidden);
    }
    for (int64_t n = 0; n < shape_.layers; ++n) run_layer("blk." + std::to_string(n) + ".", &x);
    Row result;
    const TinyMatrix& head = model_.matrices.at(shape_.tied ? "token_embd" : "output");
    for (size_t t = 0; t < count; ++t) {
      const Row hidden = norm(x[t], "output_norm");
      Row logits;
      for (int64_t v = 0; v < shape_.vocab; ++v)
        logits.push_back(lane_dot(hidden, head.values.data() + v * shape_.hidden));
      result.push_back(logits[static_cast<size_t>(ids[t + 1])] - log_sum_exp(logits));
    }
    return result;
  }

 private:
  static float log_sum_exp(const Row& x) {
    float largest = x[0];
    for (const float value : x) largest = std::max(largest, value);
    float lanes[bitnet::kLanes] = {};
    for (size_t i = 0; i < x.size(); ++i) lanes[i % bitnet::kLanes] += bitnet::canonical_exp(x[i] - largest);
    return largest + bitnet::canonical_log(bitnet::reduce_lanes(lanes));
  }

  Row norm(const Row& x, const std::string& name) const {
    const auto gain = model_.gains.find(name);
    if (gain == model_.gains.end()) return x;  // no sub-norm
    const float r = 1.0f / std::sqrt(lane_dot(x, x.data()) / static_cast<float>(x.size()) + 1e-5f);
    Row y;
    for (size_t i = 0; i < x.size(); ++i) y.push_back(gain->second[i] * (x[i] * r));
    return y;
  }

  Row linear(const Row& x, const std::string& name) const {
    const TinyMatrix& m = model_.matrices.at(name);
    Row y;
    if (m.ternary.empty()) {
      for (int64_t n = 0; n < m.out; ++n) y.push_back(lane_dot(x, m.values.data() + n * m.in));
      return y;
    }
    float largest = 1e-5f;
    for (const float value : x) largest = std::max(largest, std::fabs(value));
    const float inverse = 127.0f / largest;
    std::vector<int> codes;
    for (const float value : x) codes.push_back(static_cast<int>(std::rint(value * inverse)));
    for (int64_t n = 0; n < m.out; ++n) {
      int sum = 0;
      for (size_t k = 0; k < codes.size(); ++k)
        sum += codes[k] * m.ternary[static_cast<size_t>(n * m.in) + k];
      y.push_back(static_cast<float>(sum) * ((largest / 127.0f) * m.scales[static_cast<size_t>(n)]));
    }
    return y;
  }

  void rotate(Row* x, size_t position) const {
    const size_t half = static_cast<size_t>(shape_.head_dim / 2);
    Row cosine(half), sine(half);
    bitnet::fill_rope_table(static_cast<int64_t>(position), 1, shape_.head_dim, 10000.0, cosine.data(),
                            sine.data());
    for (size_t base = 0; base < x->size(); base += 2 * half) {
      for (size_t i = 0; i < half; ++i) {
        float& low = (*x)[base + i];
        float& high = (*x)[base + half + i];
        const float a = low, b = high;
        low = std::fma(a, cosine[i], -(b * sine[i]));
        high = std::fma(b, cosine[i], a * sine[i]);
      }
    }
  }

  Row attend(const Row& q, const std::vector<Row>& keys, const std::vector<Row>& values,
             size_t visible) const {
    const size_t width = static_cast<size_t>(shape_.head_dim);
    const size_t group = static_cast<size_t>(shape_.heads / shape_.kv_heads);
    const float scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(width)));
    Row out(q.size());
    for (size_t head = 0; head < static_cast<size_t>(shape_.heads); ++head) {
      const size_t base = head / group * width;
      Row scores(visible);
      float largest = -INFINITY;
      for (size_t j = 0; j < visible; ++j) {
        float score = 0;
        for (size_t d = 0; d < width; ++d) score = std::fma(q[head * width + d], keys[j][base + d], score);
        scores[j] = score * scale;
        largest = std::max(largest, scores[j]);
      }
      float lanes[bitnet::kLanes] = {};
      for (size_t j = 0; j < visible; ++j) {
        scores[j] = bitnet::canonical_exp(scores[j] - largest);
        lanes[j % bitnet::kLanes] += scores[j];
      }
      const float inverse = 1.0f / bitnet::reduce_lanes(lanes);
      for (size_t d = 0; d < width; ++d) {
        float total = 0;
        for (size_t j = 0; j < visible; ++j) total = std::fma(scores[j], values[j][base + d], total);
        out[head * width + d] = total * inverse;
      }
    }
    return out;
  }

  void run_layer(const std::string& prefix, std::vector<Row>* x) const {
    std::vector<Row> keys, values;
    for (size_t t = 0; t < x->size(); ++t) {
      const Row h = norm((*x)[t], prefix + "attn_norm");
      Row q = linear(h, prefix + "attn_q");
      keys.push_back(linear(h, prefix + "attn_k"));
      values.push_back(linear(h, prefix + "attn_v"));
      rotate(&q, t);
      rotate(&keys.back(), t);
      const Row a = norm(attend(q, keys, values, t + 1), prefix + "attn_sub_norm");
      const Row o = linear(a, prefix + "attn_output");
      for (size_t i = 0; i < o.size(); ++i) (*x)[t][i] += o[i];
    }
    for (Row& row : *x) {
      const Row h = norm(row, prefix + "ffn_norm");
      Row g = linear(h, prefix + "ffn_gate");
      const Row u = linear(h, prefix + "ffn_up");
      const bool silu = shape_.architecture == "bitnet" || shape_.architecture == "llama";
      for (size_t i = 0; i < g.size(); ++i) {
        const float r = std::max(g[i], 0.0f);
        g[i] = (silu ? g[i] / (1.0f + bitnet::canonical_exp(-g[i])) : r * r) * u[i];
      }
      const Row d = linear(norm(g, prefix + "ffn_sub_norm"), prefix + "ffn_down");
      for (size_t i = 0; i < d.size(); ++i) row[i] += d[i];
    }
  }

  const TinyModel& model_;
  const TinyShape& shape_;
};

}  // namespace check
