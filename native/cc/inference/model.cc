#include "inference/model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <set>

#include "inference/i2_s_layout.h"
#include "inference/panel_scales.h"
#include "inference/row_conversion.h"
#include "inference/ternary_tensor.h"
#include "inference/workers.h"

namespace bitnet {
namespace {

constexpr int64_t kCopiedRows = 64;              // by one thread at a time
constexpr int64_t kHeadPart = int64_t{4} << 20;  // bytes copied before their pages are given back

std::string shape_text(const std::vector<uint64_t>& dimensions) {
  std::string text = "[";
  for (const uint64_t size : dimensions) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

// The row of the file that holds row `row` of the weight: interleaved rotary embedding pairs elements (2i, 2i
// + 1) of a head where rotate-half pairs (i, i + head_dim / 2).
int64_t stored_row(int64_t row, int64_t interleaved_head_dim) {
  if (interleaved_head_dim == 0) return row;
  const int64_t half = interleaved_head_dim / 2;
  const int64_t within = row % interleaved_head_dim;
  return row - within + within % half * 2 + within / half;
}

}  // namespace

// Two passes over the linear weights: the first checks them and plans the arena, the second fills it.
struct Model::Loader {
  struct Pending {
    Linear* linear;
    const GgufTensor* tensor;
    int64_t head_dim;  // of interleaved rows, else 0
    size_t offset;     // in the arena
    size_t bytes;      // in the arena; 0: the rows stay in the file
  };

  Model& model;
  const GgufFile& file;
  const ModelConfig& config;
  const Kernels& kernels;
  Workers workers;
  std::vector<Pending> pending;
  size_t arena_bytes = 0;
  std::set<std::string> used;

  const GgufTensor& require(const std::string& name, const std::vector<uint64_t>& dimensions) {
    const GgufTensor* tensor = file.tensor(name);
    if (!tensor) throw GgufError("tensor \"" + name + "\" is missing");
    if (tensor->dimensions != dimensions) {
      throw GgufError("tensor \"" + name + "\" has shape " + shape_text(tensor->dimensions) +
                      ", the metadata ask for " + shape_text(dimensions));
    }
    used.insert(name);
    return *tensor;
  }

  std::vector<float> row(const std::string& name, int64_t size) {
    const GgufTensor& tensor = require(name, {static_cast<uint64_t>(size)});
    std::vector<float> values(static_cast<size_t>(size));
    const RowType type = float_row_type(tensor);
    if (block_cols(type) > 1 || is_converted(tensor.type)) {
      throw GgufError("tensor \"" + name + "\" must be F32, F16 or BF16, not " + ggml_type_name(tensor.type));
    }
    kernels.decode_row(file.tensor_data(tensor), type, size, values.data());
    return values;
  }

  // The gains of a norm.
  std::vector<float> gains(const std::string& name, int64_t size) {
    model.parameters_ += static_cast<uint64_t>(size);
    return row(name, size);
  }

  // A bias of a layer that may have none, as the rows of its weight are ordered.
  std::vector<float> bias(const std::string& name, int64_t out, bool allowed, int64_t interleaved_head_dim) {
    if (!allowed || !file.tensor(name)) return {};
    const std::vector<float> stored = row(name, out);
    std::vector<float> values(stored.size());
    for (int64_t i = 0; i < out; ++i) {
      values[static_cast<size_t>(i)] = stored[static_cast<size_t>(stored_row(i, interleaved_head_dim))];
    }
    model.parameters_ += static_cast<uint64_t>(out);
    return values;
  }

  void add(Linear* linear, const std::string& name, int64_t out, int64_t in, bool interleaved, bool is_qkv) {
    const std::string weight = name + ".weight";
    const GgufTensor& tensor = require(weight, {static_cast<uint64_t>(in), static_cast<uint64_t>(out)});
    linear->out = out;
    linear->in = in;
    linear->ternary = config.integer_products();
    if (file.tensor(name + ".scale")) linear->multiplier = row(name + ".scale", 1)[0];
    const int64_t head_dim = interleaved ? config.head_dim : 0;
    const bool biased = config.biases == Biases::any || (config.biases == Biases::qkv && is_qkv);
    linear->bias = bias(name + ".bias", out, biased, head_dim);
    if (!config.ternary_weights) linear->row_type = float_row_type(tensor);

    size_t bytes = 0;
    if (linear->ternary) {
      bytes = static_cast<size_t>(panel_bytes(out, in));
    } else if (config.ternary_weights || head_dim || is_converted(tensor.type)) {
      bytes = static_cast<size_t>(out * row_bytes(linear->row_type, in));
    }
    pending.push_back({linear, &tensor, head_dim, arena_bytes, bytes});
    arena_bytes += static_cast<size_t>(round_up(static_cast<int64_t>(bytes), 64));
    model.parameters_ += static_cast<uint64_t>(out * in);
    if (model.weight_type_.empty()) model.weight_type_ = ggml_type_name(tensor.type);
  }

  // A tensor that this engine would leave out is part of a model that it would compute wrongly.
  void reject_unknown() const {
    for (const auto& entry : file.tensors()) {
      if (used.count(entry.first)) continue;
      throw GgufError("tensor " + quoted(entry.first) +
                      " is not known to this engine: the model is not a plain \"" + config.architecture +
                      "\"");
    }
  }

  void fill() {
    model.arena_ = AlignedBuffer(arena_bytes, AlignedBuffer::Pages::huge);
    for (const Pending& item : pending) {
      if (item.bytes == 0) {
        item.linear->rows = file.tensor_data(*item.tensor);
        continue;
      }
      if (config.ternary_weights) {
        unpack_ternary(item);
      } else {
        copy_rows(item);
      }
      file.release_pages(*item.tensor);
    }
  }

  void copy_rows(const Pending& item) {
    Linear* linear = item.linear;
    const GgmlType type = item.tensor->type;
    const int64_t bytes = row_bytes(linear->row_type, linear->in),
                  stored = stored_row_bytes(type, linear->in);
    const uint8_t* source = file.tensor_data(*item.tensor);
    uint8_t* target = model.arena_.data() + item.offset;
    workers.each((linear->out + kCopiedRows - 1) / kCopiedRows, [&](int64_t part) {
      const int64_t end = std::min(linear->out, (part + 1) * kCopiedRows);
      for (int64_t row = part * kCopiedRows; row < end; ++row) {
        const uint8_t* from = source + stored_row(row, item.head_dim) * stored;
        if (is_converted(type)) {
          convert_row(type, from, linear->in, target + row * bytes);
        } else {
          std::copy_n(from, bytes, target + row * bytes);
        }
      }
    });
    linear->rows = target;
  }

  // Ternary weights become a panel, or float32 rows when the activations stay float.
  void unpack_ternary(const Pending& item) {
    Linear* linear = item.linear;
    const TernaryTensor source(file, *item.tensor, is_span(config.scale_group) ? config.scale_group : 0,
                               kernels);
    uint8_t* target = model.arena_.data() + item.offset;
    const int64_t groups = panel_groups(linear->out);
    UnitScales scales{std::vector<float>(static_cast<size_t>(linear->out * source.units())), linear->out,
                      source.units(), source.unit_cols()};
    std::mutex mutex;
    std::string error;
    int64_t error_group = groups;
    workers.each(groups, [&](int64_t group) {
      try {
        unpack_group(item, source, group, target, scales.values.data() + group * kPanelRows * scales.units);
      } catch (const std::exception& problem) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (group < error_group) {
          error_group = group;
          error = problem.what();
        }
      }
    });
    if (!error.empty()) throw GgufError(error);

    if (linear->ternary) {
      linear->panel = {target, linear->out, linear->in, nullptr, 0};
      model.scales_.push_back(
          set_panel_scales(scales, config.scale_group, linear->multiplier, source, &linear->panel));
      model.has_spans_ = model.has_spans_ || linear->panel.has_spans();
    } else {
      linear->rows = target;
    }
  }

  void unpack_group(const Pending& item, const TernaryTensor& source, int64_t group, uint8_t* target,
                    float* scales) {
    const Linear& linear = *item.linear;
    const int64_t units = source.units();
    const int64_t first = group * kPanelRows;
    const int64_t rows = std::min(kPanelRows, linear.out - first);
    // Interleaved rows come from elsewhere in the matrix.
    if (linear.ternary && source.packs_rows() && item.head_dim == 0) {
      uint8_t* packed = target + group * panel_group_bytes(linear.in);
      if (rows < kPanelRows) std::memset(packed, 0x55, static_cast<size_t>(panel_group_bytes(linear.in)));
      for (int64_t r = 0; r < rows; ++r) source.pack_row(first + r, packed, scales + r * units);
      return;
    }
    std::vector<int8_t> ternary(static_cast<size_t>(rows * linear.in));
    std::vector<float> values(static_cast<size_t>(linear.in));
    for (int64_t r = 0; r < rows; ++r) {
      source.decode_row(stored_row(first + r, item.head_dim), ternary.data() + r * linear.in,
                        scales + r * units, values.data());
    }
    if (linear.ternary) {
      pack_panel(ternary.data(), linear.in, rows, linear.in, 0, 1,
                 target + group * panel_group_bytes(linear.in));
      return;
    }
    float* floats = reinterpret_cast<float*>(target) + first * linear.in;
    for (int64_t i = 0; i < rows * linear.in; ++i) {
      floats[i] = static_cast<float>(ternary[static_cast<size_t>(i)]) * scales[i / source.unit_cols()];
    }
  }

  const GgufTensor& vocabulary_matrix(const std::string& name) {
    model.parameters_ += static_cast<uint64_t>(config.vocab_size * config.hidden_size);
    return require(name,
                   {static_cast<uint64_t>(config.hidden_size), static_cast<uint64_t>(config.vocab_size)});
  }

  // An embedding that is only looked up: read by row from the mapped file.
  Linear mapped_rows(const GgufTensor& tensor) {
    Linear linear;
    linear.out = config.vocab_size;
    linear.in = config.hidden_size;
    linear.row_type = float_row_type(tensor);
    linear.rows = file.tensor_data(tensor);
    return linear;
  }

  // interleave_rows of rows that are converted first.
  void interleave_converted(const GgufTensor& tensor, int64_t group, uint8_t* target) const {
    const RowPanel& head = model.head_;
    const int64_t first = group * kRowGroup, count = std::min(kRowGroup, head.rows - first);
    const int64_t bytes = row_bytes(head.type, head.cols), stored = stored_row_bytes(tensor.type, head.cols);
    std::vector<uint8_t> rows(static_cast<size_t>(count * bytes));
    for (int64_t r = 0; r < count; ++r) {
      convert_row(tensor.type, file.tensor_data(tensor) + (first + r) * stored, head.cols,
                  rows.data() + r * bytes);
    }
    interleave_rows({nullptr, head.type, count, head.cols}, rows.data(), 0, target);
  }

  // Copies the head into one stream, in parts that give their pages of the file back at once.
  void fill_head(const GgufTensor& tensor) {
    RowPanel& head = model.head_;
    const uint8_t* rows = file.tensor_data(tensor);
    const int64_t part_groups = std::max<int64_t>(1, kHeadPart / head.group_bytes());
    const uint64_t bytes = static_cast<uint64_t>(kRowGroup * stored_row_bytes(tensor.type, head.cols));
    workers.each((head.groups() + part_groups - 1) / part_groups, [&](int64_t part) {
      const int64_t begin = part * part_groups, end = std::min(head.groups(), begin + part_groups);
      for (int64_t group = begin; group < end; ++group) {
        uint8_t* target = model.head_rows_.data() + group * head.group_bytes();
        if (is_converted(tensor.type)) {
          interleave_converted(tensor, group, target);
        } else {
          interleave_rows(head, rows, group, target);
        }
      }
      file.release_pages(
          tensor, static_cast<uint64_t>(begin) * bytes,
          std::min(static_cast<uint64_t>(end) * bytes, tensor.bytes) - static_cast<uint64_t>(begin) * bytes);
    });
    file.release_pages(tensor);  // the pages that two parts share
  }
};

Model::Model(std::unique_ptr<GgufFile> file, int threads, const std::atomic<bool>* abort)
    : file_(std::move(file)), config_(read_model_config(*file_)) {
  Loader loader{*this, *file_, config_, active_kernels(), Workers(threads), {}, 0, {}};
  loader.workers.set_abort(abort);
  const ModelConfig& c = config_;
  const bool own_norms = c.norm_placement == NormPlacement::every_linear;
  // A count of layers that the file cannot hold must not make us allocate.
  if (static_cast<uint64_t>(c.layers) > file_->tensors().size()) {
    const char* first = own_norms ? ".attn_q.rms_norm.weight" : ".attn_norm.weight";
    throw GgufError("tensor \"blk." + std::to_string(c.layers - 1) + first + "\" is missing");
  }
  layers_.resize(static_cast<size_t>(c.layers));
  for (int64_t n = 0; n < c.layers; ++n) {
    const std::string prefix = "blk." + std::to_string(n) + ".";
    Layer& layer = layers_[static_cast<size_t>(n)];
    if (!own_norms) {
      layer.attn_norm = loader.gains(prefix + "attn_norm.weight", c.hidden_size);
      layer.ffn_norm = loader.gains(prefix + "ffn_norm.weight", c.hidden_size);
    }
    if (c.norm_placement == NormPlacement::pre_post) {
      layer.post_attn_norm = loader.gains(prefix + "post_attention_norm.weight", c.hidden_size);
      layer.post_ffn_norm = loader.gains(prefix + "post_ffw_norm.weight", c.hidden_size);
    }
    if (c.qk_norm) {
      layer.q_norm = loader.gains(prefix + "attn_q_norm.weight", c.head_dim);
      layer.k_norm = loader.gains(prefix + "attn_k_norm.weight", c.head_dim);
    }
    const auto add = [&](Linear* linear, const char* suffix, int64_t out, int64_t in,
                         bool interleaved = false, const char* sub_norm = nullptr) {
      const bool has_sub_norm = sub_norm && c.norm_placement == NormPlacement::sub;
      const std::string tensor = prefix + suffix;
      if (own_norms) linear->norm = loader.gains(tensor + ".rms_norm.weight", in);
      if (has_sub_norm) linear->norm = loader.gains(prefix + sub_norm + ".weight", in);
      const bool is_qkv = linear == &layer.q || linear == &layer.k || linear == &layer.v;
      loader.add(linear, tensor, out, in, interleaved, is_qkv);
    };
    const int64_t kv_width = c.kv_heads * c.head_dim;
    add(&layer.q, "attn_q", c.attention_width(), c.hidden_size, c.interleaved_rope);
    add(&layer.k, "attn_k", kv_width, c.hidden_size, c.interleaved_rope);
    add(&layer.v, "attn_v", kv_width, c.hidden_size);
    add(&layer.o, "attn_output", c.hidden_size, c.attention_width(), false, "attn_sub_norm");
    if (c.gated) add(&layer.gate, "ffn_gate", c.intermediate_size, c.hidden_size);
    add(&layer.up, "ffn_up", c.intermediate_size, c.hidden_size);
    add(&layer.down, "ffn_down", c.hidden_size, c.intermediate_size, false, "ffn_sub_norm");
  }
  output_norm_ = loader.gains("output_norm.weight", c.hidden_size);
  const GgufTensor* head = &loader.vocabulary_matrix("token_embd.weight");
  if (file_->tensor("output.weight")) {
    embedding_ = loader.mapped_rows(*head);
    embedding_type_ = head->type;
    head = &loader.vocabulary_matrix("output.weight");
  }
  head_ = {nullptr, float_row_type(*head), c.vocab_size, c.hidden_size};
  if (!c.rope.factors.empty()) loader.used.insert("rope_freqs.weight");
  loader.reject_unknown();
  check_i2_s_sizes(*file_);
  check_i2_s_order(*file_, c.layers, c.hidden_size, c.intermediate_size);
  if (c.int8_head) {
    int8_head_ = Int8Head(*file_, *head, loader.workers);
  } else {
    head_rows_ = AlignedBuffer(static_cast<size_t>(head_.bytes()), AlignedBuffer::Pages::huge);
    head_.data = head_rows_.data();
    loader.fill_head(*head);
  }
  loader.fill();
}

void Model::embed(const Kernels& kernels, int32_t id, float* out) const {
  if (tied() && config_.int8_head) return decode_int8_row(int8_head_.rows(), id, out);
  if (tied()) return decode_panel_row(kernels, head_, id, out);
  const uint8_t* row =
      static_cast<const uint8_t*>(embedding_.rows) + id * stored_row_bytes(embedding_type_, embedding_.in);
  if (!is_converted(embedding_type_)) return kernels.decode_row(row, embedding_.row_type, embedding_.in, out);
  std::vector<uint8_t> converted(static_cast<size_t>(row_bytes(embedding_.row_type, embedding_.in)));
  convert_row(embedding_type_, row, embedding_.in, converted.data());
  kernels.decode_row(converted.data(), embedding_.row_type, embedding_.in, out);
}

void Model::lock_memory() {
  locks_.emplace_back(arena_.data(), arena_.size());
  for (const AlignedBuffer& scales : scales_) locks_.emplace_back(scales.data(), scales.size());
  locks_.emplace_back(head_rows_.data(), head_rows_.size());
  locks_.emplace_back(int8_head_.codes().data(), int8_head_.codes().size());
  locks_.emplace_back(int8_head_.scales().data(), int8_head_.scales().size());
  const auto lock_rows = [&](const Linear& linear) {
    const uint8_t* rows = static_cast<const uint8_t*>(linear.rows);
    const bool in_arena = rows >= arena_.data() && rows < arena_.data() + arena_.size();
    if (rows && !in_arena) {
      locks_.emplace_back(rows, static_cast<size_t>(linear.out * row_bytes(linear.row_type, linear.in)));
    }
  };
  lock_rows(embedding_);
  for (const Layer& layer : layers_) {
    for (const Linear* linear : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down})
      lock_rows(*linear);
  }
}

}  // namespace bitnet
