// The decoder written down plainly: one sequence, one position after the other, no cache, no packing, no
// threads. It states the canonical orders of core/kernels.h once more, so the engine is compared with
// something that shares neither its code nor its kernels (only exp, log, the lane tree and the rotary table).
#pragma once

#include <algorithm>
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
      for (int64_t v = 0; v < shape_.vocab; ++v) {
        const float* row = head.values.data() + v * shape_.hidden;
        logits.push_back(shape_.int8_head ? int8_dot(hidden, row) : lane_dot(hidden, row));
      }
      result.push_back(logits[static_cast<size_t>(ids[t + 1])] - log_sum_exp(logits));
    }
    return result;
  }

 private:
  // Of a row that is codes times its scale: the largest code is 127.
  static float int8_dot(const Row& x, const float* w) {
    float x_largest = 1e-5f, w_largest = 0;
    for (size_t k = 0; k < x.size(); ++k) {
      x_largest = std::max(x_largest, std::fabs(x[k]));
      w_largest = std::max(w_largest, std::fabs(w[k]));
    }
    const float inverse = 127.0f / x_largest, d = w_largest / 127.0f;
    int sum = 0;
    for (size_t k = 0; k < x.size(); ++k) {
      sum += static_cast<int>(std::rint(x[k] * inverse)) * static_cast<int>(w[k] / d);
    }
    return static_cast<float>(sum) * ((x_largest / 127.0f) * d);
  }

  static float log_sum_exp(const Row& x) {
    float largest = x[0];
    for (const float value : x) largest = std::max(largest, value);
    float lanes[bitnet::kLanes] = {};
    for (size_t i = 0; i < x.size(); ++i) lanes[i % bitnet::kLanes] += bitnet::canonical_exp(x[i] - largest);
    return largest + bitnet::canonical_log(bitnet::reduce_lanes(lanes));
  }

  Row norm(const Row& x, const std::string& name) const {
    const auto gain = model_.gains.find(name);
    if (gain == model_.gains.end()) return x;  // no such norm
    const float r = 1.0f / std::sqrt(lane_dot(x, x.data()) / static_cast<float>(x.size()) + 1e-5f);
    Row y;
    for (size_t i = 0; i < x.size(); ++i) y.push_back(gain->second[i] * (x[i] * r));
    return y;
  }

  // The normalized transform of the largest blocks whose width is a power of two, as sums of all values.
  Row transformed(Row x) const {
    if (!shape_.hadamard) return x;
    size_t block = 1;
    while (x.size() % (2 * block) == 0) block *= 2;
    for (size_t h = 1; h < block; h *= 2) {
      for (size_t base = 0; base < x.size(); base += 2 * h) {
        for (size_t i = base; i < base + h; ++i) {
          const float a = x[i], b = x[i + h];
          x[i] = a + b;
          x[i + h] = a - b;
        }
      }
    }
    const float factor = static_cast<float>(1.0 / std::sqrt(static_cast<double>(block)));
    for (float& value : x) value *= factor;
    return x;
  }

  struct Codes {
    std::vector<int> values;
    float scale;
  };
  Codes quantized(const Row& x) const {
    float largest = 1e-5f;
    double lanes[bitnet::kLanes] = {};
    for (size_t i = 0; i < x.size(); ++i) {
      largest = std::max(largest, std::fabs(x[i]));
      lanes[i % bitnet::kLanes] += static_cast<double>(std::fabs(x[i]));
    }
    const float top = shape_.activations == "absmax_int8" ? 127.0f : 7.0f;
    float inverse = top / largest, scale = largest / top;
    if (shape_.activations == "absmean_int4") {
      const float mean = static_cast<float>(bitnet::reduce_lanes(lanes) / static_cast<double>(x.size()));
      const float root = std::sqrt(7.0f);
      inverse = root / (mean + 1e-5f);
      scale = mean / root;
    }
    Codes codes{{}, scale};
    for (const float value : x) {
      const float rounded = std::rint(value * inverse);
      codes.values.push_back(static_cast<int>(std::min(std::max(rounded, -top - 1.0f), top)));
    }
    std::vector<size_t> order(x.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return std::fabs(x[a]) > std::fabs(x[b]); });
    const size_t kept = static_cast<size_t>(std::rint(shape_.keep * static_cast<double>(x.size())));
    for (size_t i = kept; i < order.size(); ++i) codes.values[order[i]] = 0;
    return codes;
  }

  // With the norm of the layer's own, where it has one; the transform is that of o and down.
  Row linear(const Row& input, const std::string& name, bool last = false) const {
    const TinyMatrix& m = model_.matrices.at(name);
    const Row normed = norm(input, name + ".rms_norm");
    const Row x = last ? transformed(normed) : normed;
    Row y;
    if (m.ternary.empty()) {
      for (int64_t n = 0; n < m.out; ++n) y.push_back(lane_dot(x, m.values.data() + n * m.in));
      return y;
    }
    const auto [codes, scale] = quantized(x);
    const auto sum_of = [&codes, &m](int64_t n, int64_t begin, int64_t end) {
      int sum = 0;
      for (int64_t k = begin; k < end; ++k) {
        sum += codes[static_cast<size_t>(k)] * m.ternary[static_cast<size_t>(n * m.in + k)];
      }
      return static_cast<float>(sum);
    };
    const int64_t spans = static_cast<int64_t>(m.scales.size()) / m.out;
    // Blocks of whole rows are row scales where the file does not say otherwise.
    if (shape_.span == 0 || (spans == 1 && !shape_.states_span)) {
      for (int64_t n = 0; n < m.out; ++n) {
        y.push_back(sum_of(n, 0, m.in) * (scale * m.scales[static_cast<size_t>(n)]));
      }
      return y;
    }
    for (int64_t n = 0; n < m.out; ++n) {
      float total = 0.0f;
      for (int64_t i = 0; i < spans; ++i) {
        const float sum = sum_of(n, i * shape_.span, (i + 1) * shape_.span);
        total = std::fma(sum, m.scales[static_cast<size_t>(n * spans + i)], total);
      }
      y.push_back(total * scale);
    }
    return y;
  }

  void rotate(Row* x, size_t position) const {
    const size_t half = static_cast<size_t>(shape_.head_dim / 2);
    Row cosine(half), sine(half);
    bitnet::fill_rope_table(static_cast<int64_t>(position), 1, bitnet::Rope{shape_.head_dim, 10000.0},
                            cosine.data(), sine.data());
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
      const Row o = linear(a, prefix + "attn_output", true);
      for (size_t i = 0; i < o.size(); ++i) (*x)[t][i] += o[i];
    }
    for (Row& row : *x) {
      const Row h = norm(row, prefix + "ffn_norm");
      const Row u = linear(h, prefix + "ffn_up");
      Row g = shape_.gated ? linear(h, prefix + "ffn_gate") : u;
      const bool silu = shape_.architecture == "bitnet" || shape_.architecture == "llama";
      for (size_t i = 0; i < g.size(); ++i) {
        const float r = std::max(g[i], 0.0f);
        g[i] = silu ? g[i] / (1.0f + bitnet::canonical_exp(-g[i])) : r * r;
        if (shape_.gated) g[i] *= u[i];
      }
      const Row d = linear(norm(g, prefix + "ffn_sub_norm"), prefix + "ffn_down", true);
      for (size_t i = 0; i < d.size(); ++i) row[i] += d[i];
    }
  }

  const TinyModel& model_;
  const TinyShape& shape_;
};

}  // namespace check
