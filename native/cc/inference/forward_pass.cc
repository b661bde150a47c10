#include "inference/forward_pass.h"

#include <algorithm>
#include <cmath>

#include "core/code_blocks.h"
#include "core/rope_table.h"
#include "core/window_attention.h"

namespace bitnet {
namespace {

// Query rows that share one pass over the keys; bounds the scores in memory to this many rows.
constexpr int64_t kQueryBlock = 16;

AlignedBuffer float_buffer(int64_t count) {
  return AlignedBuffer(static_cast<size_t>(count) * sizeof(float));
}

}  // namespace

ForwardPass::ForwardPass(const Model& model, const Kernels& kernels, const Workers& workers)
    : model_(model),
      config_(model.config()),
      kernels_(kernels),
      workers_(workers),
      attention_scale_(static_cast<float>(1.0 / std::sqrt(static_cast<double>(config_.head_dim)))),
      scores_(workers.threads()) {}

void ForwardPass::reserve(int64_t rows, int64_t positions) {
  const ModelConfig& c = config_;
  if (rows > capacity_) {
    const int64_t widest = std::max({c.hidden_size, c.attention_width(), c.intermediate_size});
    x_ = float_buffer(rows * c.hidden_size);
    hidden_ = float_buffer(rows * c.hidden_size);
    qkv_ = float_buffer(rows * c.qkv_width());
    attention_ = float_buffer(rows * c.attention_width());
    gate_up_ = float_buffer(rows * c.feed_forward_inputs());
    projected_ = float_buffer(rows * c.hidden_size);
    codes_ = AlignedBuffer(static_cast<size_t>(rows * padded_cols(widest)));
    if (kernels_.needs_packing(rows)) {
      packed_codes_ = AlignedBuffer(static_cast<size_t>(packed_code_bytes(rows, widest)));
    }
    act_scale_ = float_buffer(rows);
    code_sum_ = AlignedBuffer(static_cast<size_t>(rows) * sizeof(int32_t));
    if (model_.has_spans()) {
      part_sums_ = AlignedBuffer(static_cast<size_t>(rows * code_parts(widest)) * sizeof(int32_t));
    }
    capacity_ = rows;
  }
  if (positions > rope_positions_) {
    const int64_t grown = std::max(positions, std::min(2 * rope_positions_, c.context_length));
    const int64_t half = c.head_dim / 2;
    const auto grow = [&](const Rope& rope, std::vector<float>* cosine, std::vector<float>* sine) {
      cosine->resize(static_cast<size_t>(grown * half));
      sine->resize(static_cast<size_t>(grown * half));
      fill_rope_table(rope_positions_, grown - rope_positions_, rope, cosine->data() + rope_positions_ * half,
                      sine->data() + rope_positions_ * half);
    };
    grow(c.rope, &cosine_, &sine_);
    if (c.window > 0) grow(c.window_rope, &window_cosine_, &window_sine_);
    rope_positions_ = grown;
  }
  scores_.reserve(kQueryBlock * round_up(positions, kLanes) + window_scratch(c.window, c.head_dim));
}

const float* ForwardPass::run(const int32_t* ids, const std::vector<Segment>& segments,
                              const std::vector<int64_t>& wanted) {
  rows_ = 0;
  int64_t positions = 0;
  for (const Segment& segment : segments) {
    rows_ += segment.count;
    positions = std::max(positions, segment.first + segment.count);
  }
  reserve(rows_, positions);
  segments_ = &segments;
  wanted_ = &wanted;
  attention_tasks_.clear();
  for (const Segment& s : segments) {
    for (int64_t i = 0; i < s.count; i += kQueryBlock) {
      attention_tasks_.push_back(
          {s.row + i, s.cache, s.block, s.first + i, std::min(kQueryBlock, s.count - i)});
    }
  }

  embed(ids);
  const int64_t layers = config_.layers;
  for (int64_t n = 0; n < layers; ++n) {
    attention_block(n, n + 1 == layers);
    if (rows_ == 0) return hidden_.floats();
    feed_forward_block(model_.layers()[static_cast<size_t>(n)]);
  }
  const int64_t width = config_.hidden_size;
  workers_.split(rows_, 1, rows_ * width * 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      kernels_.rms_norm_row(x_.floats() + i * width, model_.output_norm().data(), width, config_.rms_norm_eps,
                            hidden_.floats() + i * width);
    }
  });
  return hidden_.floats();
}

void ForwardPass::embed(const int32_t* ids) {
  const int64_t width = config_.hidden_size;
  workers_.split(rows_, 1, rows_ * width, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      float* x = x_.floats() + i * width;
      model_.embed(kernels_, ids[i], x);
      if (config_.embedding_scale == 1.0f) continue;
      for (int64_t j = 0; j < width; ++j) x[j] *= config_.embedding_scale;
    }
  });
}

void ForwardPass::attention_block(int64_t index, bool last) {
  const Layer& layer = model_.layers()[static_cast<size_t>(index)];
  const int64_t hidden = config_.hidden_size;
  const int64_t width = config_.attention_width();

  const Linear* qkv[] = {&layer.q, &layer.k, &layer.v};
  project(qkv, 3, layer.attn_norm, qkv_.floats(), config_.qkv_width());
  rotate_and_store(index);
  if (last) {
    keep_wanted_rows(*wanted_);
    if (rows_ == 0) return;
  }
  attend(index);

  workers_.split(rows_, 1, rows_ * width * 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      finish_input(attention_.floats() + i * width, layer.o, i);
    }
  });
  const Linear* o[] = {&layer.o};
  apply(o, 1, attention_.floats(), width, projected_.floats(), hidden);
  norm_projected(layer.post_attn_norm);
}

void ForwardPass::norm_projected(const std::vector<float>& gain) {
  if (gain.empty()) return;
  const int64_t hidden = config_.hidden_size;
  workers_.split(rows_, 1, rows_ * hidden * 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      float* row = projected_.floats() + i * hidden;
      kernels_.rms_norm_row(row, gain.data(), hidden, config_.rms_norm_eps, row);
    }
  });
}

void ForwardPass::feed_forward_block(const Layer& layer) {
  const int64_t hidden = config_.hidden_size;
  const int64_t width = config_.intermediate_size, stride = config_.feed_forward_inputs();

  const Linear* gate_up[] = {&layer.gate, &layer.up};
  const int gates = config_.gated ? 1 : 0;
  project(gate_up + 1 - gates, 1 + gates, layer.ffn_norm, gate_up_.floats(), stride, true);

  const auto gate = config_.hidden_act == HiddenAct::relu2  ? kernels_.relu2_gate
                    : config_.hidden_act == HiddenAct::silu ? kernels_.silu_gate
                                                            : kernels_.gelu_gate;
  workers_.split(rows_, 1, rows_ * width * 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      float* row = gate_up_.floats() + i * stride;  // the product replaces the gate
      if (config_.gated) {
        gate(row, row + width, width, row);
      } else {
        kernels_.squared_relu(row, width, row);
      }
      finish_input(row, layer.down, i);
    }
  });
  const Linear* down[] = {&layer.down};
  apply(down, 1, gate_up_.floats(), stride, projected_.floats(), hidden);
  norm_projected(layer.post_ffn_norm);
  workers_.split(rows_, 1, rows_ * hidden, [&](int64_t begin, int64_t end) {
    kernels_.add(x_.floats() + begin * hidden, projected_.floats() + begin * hidden, (end - begin) * hidden,
                 x_.floats() + begin * hidden);
  });
}

void ForwardPass::project(const Linear* const* linears, int count, const std::vector<float>& gain, float* y,
                          int64_t y_stride, bool add_projected) {
  const int64_t hidden = config_.hidden_size;
  const bool shared = !gain.empty();
  const int each = shared ? count : 1;  // linears with the same input
  for (int n = 0; n < count; n += each) {
    const float* gains = shared ? gain.data() : linears[n]->norm.data();
    workers_.split(rows_, 1, rows_ * hidden * 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        float* x = x_.floats() + i * hidden;
        float* row = hidden_.floats() + i * hidden;
        if (add_projected && n == 0) kernels_.add(x, projected_.floats() + i * hidden, hidden, x);
        kernels_.rms_norm_row(x, gains, hidden, config_.rms_norm_eps, row);
        quantize_input(row, hidden, i);
      }
    });
    apply(linears + n, each, hidden_.floats(), hidden, y, y_stride);
    y += linears[n]->out;
  }
}

void ForwardPass::norm_heads(const Layer& layer, float* q) const {
  const ModelConfig& c = config_;
  for (int64_t head = 0; head < c.heads + c.kv_heads; ++head) {
    const std::vector<float>& gain = head < c.heads ? layer.q_norm : layer.k_norm;
    float* row = q + head * c.head_dim;
    kernels_.rms_norm_row(row, gain.data(), c.head_dim, c.rms_norm_eps, row);
  }
}

void ForwardPass::rotate_and_store(int64_t index) {
  const ModelConfig& c = config_;
  const Layer& layer = model_.layers()[static_cast<size_t>(index)];
  const int64_t half = c.head_dim / 2;
  const bool windowed = c.has_window(index);
  const float* const cosine = windowed ? window_cosine_.data() : cosine_.data();
  const float* const sine = windowed ? window_sine_.data() : sine_.data();
  // Parts are whole cache blocks of a segment, so that no two threads write to one cache line of keys.
  for (const Segment& s : *segments_) {
    const int64_t lead = s.first % kCacheBlock;
    workers_.split(lead + s.count, kCacheBlock, s.count * c.qkv_width() * 4, [&](int64_t begin, int64_t end) {
      for (int64_t i = std::max(begin - lead, int64_t{0}); i < end - lead; ++i) {
        const int64_t position = s.first + i;
        float* q = qkv_.floats() + (s.row + i) * c.qkv_width();
        const float* k = q + c.attention_width();
        if (c.qk_norm) norm_heads(layer, q);
        kernels_.rope_row(q, c.heads + c.kv_heads, c.head_dim, cosine + position * half,
                          sine + position * half);
        s.cache->store(kernels_, index, s.block, position, k, k + c.kv_heads * c.head_dim);
      }
    });
  }
}

void ForwardPass::attend(int64_t index) {
  const ModelConfig& c = config_;
  const int64_t group = c.heads / c.kv_heads;
  int64_t work = 0;
  for (const AttentionTask& task : attention_tasks_) work += task.count * (task.first + task.count);
  const WindowAttention attention{kernels_, c.head_dim, c.has_window(index) ? c.window : 0, attention_scale_};
  const auto attend_head = [&](const AttentionTask& task, int64_t head, const float* keys,
                               const float* values, float* scores, float* window_space) {
    attention.run(qkv_.floats() + task.row * c.qkv_width() + head * c.head_dim, c.qkv_width(), task.count,
                  task.first, keys, values, task.cache->value_stride(), scores, window_space,
                  attention_.floats() + task.row * c.attention_width() + head * c.head_dim,
                  c.attention_width(), nullptr);
  };
  int64_t positions = 0;
  for (const AttentionTask& task : attention_tasks_) positions = std::max(positions, task.first + task.count);
  const int64_t score_floats = kQueryBlock * round_up(positions, kLanes);
  const int64_t window_floats = window_scratch(attention.window, c.head_dim);
  const int64_t tasks = static_cast<int64_t>(attention_tasks_.size());
  work *= c.heads * c.head_dim * 2;
  const KvCache& any = *attention_tasks_.front().cache;
  if (any.is_float32()) {
    workers_.split(tasks * c.heads, 1, work, [&](int64_t begin, int64_t end) {
      const ScratchSlots::Claim scratch(scores_);
      for (int64_t i = begin; i < end; ++i) {
        const AttentionTask& task = attention_tasks_[static_cast<size_t>(i / c.heads)];
        const int64_t head = i % c.heads;
        attend_head(task, head, task.cache->keys(index, head / group, task.block),
                    task.cache->values(index, head / group, task.block), scratch.data(),
                    scratch.data() + score_floats);
      }
    });
    return;
  }
  // Keys and values are decoded once for the query heads that share them.
  scores_.reserve(score_floats + window_floats + any.decoded_keys(positions) + any.decoded_values(positions));
  workers_.split(tasks * c.kv_heads, 1, work, [&](int64_t begin, int64_t end) {
    const ScratchSlots::Claim scratch(scores_);
    for (int64_t i = begin; i < end; ++i) {
      const AttentionTask& task = attention_tasks_[static_cast<size_t>(i / c.kv_heads)];
      const int64_t kv_head = i % c.kv_heads, visible = task.first + task.count;
      float* window_space = scratch.data() + score_floats;
      float* keys = window_space + window_floats;
      float* values = keys + any.decoded_keys(visible);
      task.cache->decode(kernels_, index, kv_head, task.block, visible, keys, values);
      for (int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
        attend_head(task, head, keys, values, scratch.data(), window_space);
      }
    }
  });
}

// After the keys and values of the last layer are stored, only the wanted rows matter: they move to the
// front.
void ForwardPass::keep_wanted_rows(const std::vector<int64_t>& wanted) {
  const int64_t count = static_cast<int64_t>(wanted.size());
  if (count == rows_) return;
  attention_tasks_.clear();
  size_t next = 0;
  for (const Segment& s : *segments_) {
    for (; next < wanted.size() && wanted[next] < s.row + s.count; ++next) {
      const int64_t to = static_cast<int64_t>(next);
      const int64_t position = s.first + wanted[next] - s.row;
      std::copy_n(x_.floats() + wanted[next] * config_.hidden_size, config_.hidden_size,
                  x_.floats() + to * config_.hidden_size);
      std::copy_n(qkv_.floats() + wanted[next] * config_.qkv_width(), config_.attention_width(),
                  qkv_.floats() + to * config_.qkv_width());
      AttentionTask* previous = attention_tasks_.empty() ? nullptr : &attention_tasks_.back();
      if (previous && previous->cache == s.cache && previous->block == s.block &&
          previous->first + previous->count == position && previous->count < kQueryBlock) {
        ++previous->count;
      } else {
        attention_tasks_.push_back({to, s.cache, s.block, position, 1});
      }
    }
  }
  rows_ = count;
}

void ForwardPass::finish_input(float* row, const Linear& linear, int64_t index) {
  if (!linear.norm.empty()) {
    kernels_.rms_norm_row(row, linear.norm.data(), linear.in, config_.rms_norm_eps, row);
  }
  if (config_.hadamard) kernels_.hadamard_row(row, linear.in, row);
  quantize_input(row, linear.in, index);
}

void ForwardPass::quantize_input(float* row, int64_t cols, int64_t index) {
  if (!config_.activations.quantizes()) return;
  int8_t* codes = reinterpret_cast<int8_t*>(codes_.data()) + index * padded_cols(cols);
  float* scale = act_scale_.floats() + index;
  quantize_activations(kernels_, config_.activations, row, cols, codes, scale,
                       reinterpret_cast<int32_t*>(code_sum_.data()) + index);
  if (model_.has_spans()) {
    sum_code_parts(codes, cols, reinterpret_cast<int32_t*>(part_sums_.data()) + index * code_parts(cols));
  }
  if (config_.ternary_weights) return;
  for (int64_t i = 0; i < cols; ++i) row[i] = static_cast<float>(codes[i]) * *scale;
}

void ForwardPass::apply(const Linear* const* linears, int count, const float* x, int64_t x_stride, float* y,
                        int64_t y_stride) {
  const int64_t cols = linears[0]->in;
  const CodeRows rows = {reinterpret_cast<const int8_t*>(codes_.data()),
                         padded_cols(cols),
                         act_scale_.floats(),
                         reinterpret_cast<const int32_t*>(code_sum_.data()),
                         rows_,
                         nullptr,
                         model_.has_spans() ? reinterpret_cast<const int32_t*>(part_sums_.data()) : nullptr};
  const CodeBlocks blocks(kernels_, rows, cols, packed_codes_.data());
  if (config_.ternary_weights) {
    workers_.split(blocks.pack_parts(), 1, rows_ * cols, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) blocks.pack(part);
    });
  }
  int64_t units = 0, outputs = 0;
  for (int n = 0; n < count; ++n) {
    units += panel_groups(linears[n]->out);
    outputs += linears[n]->out;
  }
  // Kernels for many tokens multiply two groups at a time.
  workers_.split(units, 2, rows_ * outputs * cols, [&](int64_t begin, int64_t end) {
    int64_t base = 0;  // first group of this linear
    float* target = y;
    for (int n = 0; n < count; ++n) {
      const Linear& linear = *linears[n];
      const int64_t groups = panel_groups(linear.out);
      const int64_t first = std::max(begin - base, int64_t{0});
      const int64_t last = std::min(end - base, groups);
      const int64_t row_end = std::min(last * kPanelRows, linear.out);
      if (first < last && linear.ternary) {
        for (int64_t i = 0; i < blocks.count(); ++i) {
          kernels_.ternary_gemm(linear.panel, first, last, blocks.block(i),
                                target + blocks.first_token(i) * y_stride, y_stride);
        }
      } else if (first < last) {
        kernels_.linear_rows(linear.rows, linear.row_type, first * kPanelRows, row_end, linear.in, x,
                             x_stride, rows_, target, y_stride);
        if (linear.multiplier != 1.0f) {
          for (int64_t t = 0; t < rows_; ++t) {
            for (int64_t i = first * kPanelRows; i < row_end; ++i)
              target[t * y_stride + i] *= linear.multiplier;
          }
        }
      }
      if (!linear.bias.empty()) {
        for (int64_t t = 0; t < rows_; ++t) {
          for (int64_t i = first * kPanelRows; i < row_end; ++i) target[t * y_stride + i] += linear.bias[i];
        }
      }
      base += groups;
      target += linear.out;
    }
  });
}

}  // namespace bitnet
