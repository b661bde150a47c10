// Small random models as GGUF files in memory, every weight type and architecture; for check programs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/float16.h"
#include "inference/gguf_file.h"
#include "variants_under_test.h"

namespace check {

struct TinyShape {
  std::string architecture = "bitnet-b1.58";
  bitnet::GgmlType linear_type = bitnet::GgmlType::tq2_0;
  bitnet::GgmlType embedding_type = bitnet::GgmlType::f16;
  bool sub_norms = true;
  bool tied = true;
  bool ternary = true;      // weights and activations quantized
  bool row_scales = false;  // of ternary weights: one per row, not one per matrix
  int64_t span = 0;         // of ternary weights: neighbours of a row that share a scale
  bool states_span = true;  // a key says so
  bool own_norms = false;   // in every linear layer, and no others
  bool gated = true;
  bool hadamard = false;
  std::string activations = "absmax_int8";
  double keep = 1.0;       // share of the activations that stay
  bool int8_head = false;  // embedding and head are Q8_0 with a scale per row, and a key says so
  int64_t vocab = 61, hidden = 256, layers = 3, heads = 4, kv_heads = 2, head_dim = 64, ffn = 512,
          context = 256;
};

// A matrix before packing: ternary * scale of the row or span, or `values` (as the stored type rounds them).
struct TinyMatrix {
  int64_t out = 0, in = 0;
  std::vector<int8_t> ternary;
  std::vector<float> scales;
  std::vector<float> values;

  size_t weights_per_scale() const { return ternary.size() / scales.size(); }
};

struct TinyModel {
  TinyShape shape;
  std::map<std::string, TinyMatrix> matrices;  // by GGUF name without ".weight"
  std::map<std::string, std::vector<float>> gains;
  std::vector<uint8_t> file;
};

class ByteWriter {
 public:
  template <typename T>
  void number(T value) {
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&value);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof value);
  }
  void text(const std::string& value) {
    number<uint64_t>(value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  void pad(size_t alignment) { bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment); }
  std::vector<uint8_t>& bytes() { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

// ---- packing: straight from the layouts in inference/ternary_tensor.h ----

inline void pack_ternary(const TinyMatrix& m, bitnet::GgmlType type, ByteWriter* out) {
  const size_t block = type == bitnet::GgmlType::i2_s ? 128 : type == bitnet::GgmlType::q2_0 ? 64 : 256;
  for (size_t base = 0; base < m.ternary.size(); base += block) {
    const uint16_t scale = bitnet::f32_to_f16(m.scales[base / m.weights_per_scale()]);
    const auto code = [&](size_t i) { return static_cast<unsigned>(m.ternary[base + i] + 1); };
    if (type == bitnet::GgmlType::i2_s) {
      for (size_t j = 0; j < 32; ++j) {
        unsigned byte = 0;
        for (size_t n = 0; n < 4; ++n) byte |= code(n * 32 + j) << (6 - 2 * n);
        out->number(static_cast<uint8_t>(byte));
      }
    } else if (type == bitnet::GgmlType::q2_0) {
      out->number(scale);
      for (size_t j = 0; j < block; j += 4) {
        out->number(static_cast<uint8_t>(code(j) | code(j + 1) << 2 | code(j + 2) << 4 | code(j + 3) << 6));
      }
    } else if (type == bitnet::GgmlType::tq2_0) {
      for (size_t j = 0; j < 64; ++j) {
        unsigned byte = 0;
        for (size_t n = 0; n < 4; ++n) byte |= code(j / 32 * 128 + n * 32 + j % 32) << (2 * n);
        out->number(static_cast<uint8_t>(byte));
      }
      out->number(scale);
    } else {
      const auto digits = [&](size_t first, size_t step, size_t count) {
        unsigned value = 0;
        for (size_t n = 0; n < 5; ++n) value = value * 3 + (n < count ? code(first + n * step) : 0);
        out->number(static_cast<uint8_t>((value * 256 + 242) / 243));
      };
      for (size_t j = 0; j < 32; ++j) digits(j, 32, 5);
      for (size_t j = 0; j < 16; ++j) digits(160 + j, 16, 5);
      for (size_t j = 0; j < 4; ++j) digits(240 + j, 4, 4);
      out->number(scale);
    }
  }
  if (type == bitnet::GgmlType::i2_s) {
    out->number(m.scales[0]);
    for (int i = 0; i < 28; ++i) out->number<uint8_t>(0);
  }
}

// Rounds the values to the type, and writes them.
inline void pack_floats(std::vector<float>* values, bitnet::GgmlType type, ByteWriter* out) {
  for (size_t base = 0; base < values->size(); base += 32) {
    const size_t count = std::min<size_t>(32, values->size() - base);
    float largest = 0;
    for (size_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs((*values)[base + i]));
    const uint16_t d = bitnet::f32_to_f16(largest / 127.0f);
    if (type == bitnet::GgmlType::q8_0) out->number(d);
    for (size_t i = 0; i < count; ++i) {
      float& value = (*values)[base + i];
      if (type == bitnet::GgmlType::q8_0) {
        const float q = largest > 0 ? std::rint(value * (127.0f / largest)) : 0.0f;
        out->number(static_cast<int8_t>(q));
        value = q * bitnet::f16_to_f32(d);
      } else if (type == bitnet::GgmlType::f16) {
        out->number(bitnet::f32_to_f16(value));
        value = bitnet::f16_to_f32(bitnet::f32_to_f16(value));
      } else if (type == bitnet::GgmlType::bf16) {
        out->number(bitnet::f32_to_bf16(value));
        value = bitnet::bf16_to_f32(bitnet::f32_to_bf16(value));
      } else {
        out->number(value);
      }
    }
  }
}

// Rounds rows to int8 codes and one scale each, and writes them as Q8_0.
inline void pack_int8_rows(std::vector<float>* values, size_t cols, ByteWriter* out) {
  for (size_t row = 0; row < values->size(); row += cols) {
    float largest = 0;
    for (size_t i = row; i < row + cols; ++i) largest = std::max(largest, std::fabs((*values)[i]));
    const uint16_t d = bitnet::f32_to_f16(largest / 127.0f);
    for (size_t i = row; i < row + cols; ++i) {
      if (i % 32 == 0) out->number(d);
      const float code = std::rint((*values)[i] * (1.0f / (largest / 127.0f)));
      out->number(static_cast<int8_t>(code));
      (*values)[i] = code * bitnet::f16_to_f32(d);
    }
  }
}

// The row type of a type of blocks, or none.
inline const bitnet::RowType* block_type(bitnet::GgmlType type) {
  static constexpr bitnet::RowType kQ6K = bitnet::RowType::q6_k, kQ4K = bitnet::RowType::q4_k,
                                   kQ20 = bitnet::RowType::q2_0;
  switch (type) {
    case bitnet::GgmlType::q6_k:
      return &kQ6K;
    case bitnet::GgmlType::q4_k:
      return &kQ4K;
    case bitnet::GgmlType::q2_0:
      return &kQ20;
    default:
      return nullptr;
  }
}

// Random blocks of about the size of `values`, which become what they decode to.
inline void pack_random_blocks(Random& random, std::vector<float>* values, bitnet::RowType row,
                               ByteWriter* out) {
  const int64_t count = static_cast<int64_t>(values->size());
  std::vector<uint8_t> bytes(static_cast<size_t>(bitnet::row_bytes(row, count)));
  fill_blocks(random, row, &bytes, 1e-4f);
  scalar().decode_row(bytes.data(), row, count, values->data());
  out->bytes().insert(out->bytes().end(), bytes.begin(), bytes.end());
}

class TinyModelWriter {
 public:
  explicit TinyModelWriter(const TinyShape& shape) : random_(5) {
    model_.shape = shape;
    matrix("token_embd", shape.vocab, shape.hidden, shape.embedding_type, false, false);
    if (!shape.tied) matrix("output", shape.vocab, shape.hidden, shape.embedding_type, false, false);
    gain("output_norm", shape.hidden);
    const int64_t width = shape.heads * shape.head_dim, kv_width = shape.kv_heads * shape.head_dim;
    const bool interleaved = shape.architecture == "llama";
    for (int64_t n = 0; n < shape.layers; ++n) {
      const std::string prefix = "blk." + std::to_string(n) + ".";
      if (!shape.own_norms) {
        gain(prefix + "attn_norm", shape.hidden);
        gain(prefix + "ffn_norm", shape.hidden);
      }
      if (shape.sub_norms) {
        gain(prefix + "attn_sub_norm", width);
        gain(prefix + "ffn_sub_norm", shape.ffn);
      }
      linear(prefix + "attn_q", width, shape.hidden, interleaved);
      linear(prefix + "attn_k", kv_width, shape.hidden, interleaved);
      linear(prefix + "attn_v", kv_width, shape.hidden, false);
      linear(prefix + "attn_output", shape.hidden, width, false);
      if (shape.gated) linear(prefix + "ffn_gate", shape.ffn, shape.hidden, false);
      linear(prefix + "ffn_up", shape.ffn, shape.hidden, false);
      linear(prefix + "ffn_down", shape.hidden, shape.ffn, false);
    }
  }

  TinyModel finish() {
    ByteWriter header = metadata();
    for (const Stored& tensor : stored_) {
      header.text(tensor.name);
      header.number(static_cast<uint32_t>(tensor.dimensions.size()));
      for (const int64_t size : tensor.dimensions) header.number(static_cast<uint64_t>(size));
      header.number(static_cast<uint32_t>(tensor.type));
      header.number(tensor.offset);
    }
    header.pad(32);
    model_.file = header.bytes();
    model_.file.insert(model_.file.end(), data_.bytes().begin(), data_.bytes().end());
    return std::move(model_);
  }

 private:
  struct Stored {
    std::string name;
    std::vector<int64_t> dimensions;
    bitnet::GgmlType type;
    uint64_t offset;
  };

  void begin(const std::string& name, const std::vector<int64_t>& dimensions, bitnet::GgmlType type) {
    data_.pad(32);
    stored_.push_back({name, dimensions, type, data_.bytes().size()});
  }

  void gain(const std::string& name, int64_t size) {
    begin(name + ".weight", {size}, bitnet::GgmlType::f32);
    std::vector<float>& values = model_.gains[name];
    for (int64_t i = 0; i < size; ++i) values.push_back(1.0f + 0.2f * random_.unit());
    pack_floats(&values, bitnet::GgmlType::f32, &data_);
  }

  void linear(const std::string& name, int64_t out, int64_t in, bool interleaved) {
    if (model_.shape.own_norms) gain(name + ".rms_norm", in);
    matrix(name, out, in, model_.shape.linear_type, model_.shape.ternary, interleaved);
  }

  void matrix(const std::string& name, int64_t out, int64_t in, bitnet::GgmlType type, bool ternary,
              bool interleaved) {
    begin(name + ".weight", {in, out}, type);
    TinyMatrix& m = model_.matrices[name];
    m.out = out;
    m.in = in;
    const size_t count = static_cast<size_t>(out * in);
    if (ternary) {
      for (size_t i = 0; i < count; ++i) m.ternary.push_back(static_cast<int8_t>(random_.below(3) - 1));
      const int64_t spans = model_.shape.span ? in / model_.shape.span : 1;
      for (int64_t i = 0; i < out * spans; ++i) m.scales.push_back(next_scale(type, i == 0 ? nullptr : &m));
      // A row of zeros has a scale that nothing shows.
      if (model_.shape.row_scales || model_.shape.span) std::fill_n(m.ternary.begin() + in, in, int8_t{0});
    } else {
      for (size_t i = 0; i < count; ++i) m.values.push_back(0.08f * random_.unit());
    }
    TinyMatrix file = m;
    if (interleaved) interleave(&file);
    if (ternary && type != bitnet::GgmlType::f16 && type != bitnet::GgmlType::f32) {
      pack_ternary(file, type, &data_);
    } else if (ternary) {
      for (size_t i = 0; i < count; ++i) {
        file.values.push_back(static_cast<float>(file.ternary[i]) *
                              file.scales[i / file.weights_per_scale()]);
      }
      pack_floats(&file.values, type, &data_);
    } else {
      if (const bitnet::RowType* blocks = block_type(type)) {
        pack_random_blocks(random_, &file.values, *blocks, &data_);
      } else if (type == bitnet::GgmlType::q8_0 && model_.shape.int8_head) {
        pack_int8_rows(&file.values, static_cast<size_t>(in), &data_);
      } else {
        pack_floats(&file.values, type, &data_);
      }
      if (!interleaved) m.values = file.values;
    }
  }

  // Of the next row or span of `m` (null: the first one of a matrix).
  float next_scale(bitnet::GgmlType type, const TinyMatrix* m) {
    if (m && !model_.shape.row_scales && !model_.shape.span) return m->scales[0];
    const float scale = 0.02f + 0.01f * random_.unit();
    return type == bitnet::GgmlType::i2_s ? scale : bitnet::f16_to_f32(bitnet::f32_to_f16(scale));
  }

  // Rotate-half row order to the order of interleaved rotary embedding (llama.cpp's `permute`).
  void interleave(TinyMatrix* m) const {
    const int64_t head_dim = model_.shape.head_dim;
    const TinyMatrix source = *m;
    for (int64_t row = 0; row < m->out; ++row) {
      const int64_t within = row % head_dim;
      const int64_t to = row - within + within % (head_dim / 2) * 2 + within / (head_dim / 2);
      const int64_t spans = static_cast<int64_t>(m->scales.size()) / m->out;
      for (int64_t i = 0; i < spans; ++i) {
        m->scales[static_cast<size_t>(to * spans + i)] = source.scales[static_cast<size_t>(row * spans + i)];
      }
      for (int64_t k = 0; k < m->in; ++k) {
        const size_t a = static_cast<size_t>(row * m->in + k), b = static_cast<size_t>(to * m->in + k);
        if (!m->ternary.empty()) m->ternary[b] = source.ternary[a];
        if (!m->values.empty()) m->values[b] = source.values[a];
      }
    }
  }

  ByteWriter metadata() const {
    const TinyShape& s = model_.shape;
    ByteWriter out;
    uint64_t count = 0;
    ByteWriter entries;
    const auto key = [&](const std::string& name, bitnet::GgufValueType type) {
      entries.text(name);
      entries.number(static_cast<uint32_t>(type));
      ++count;
    };
    const auto text = [&](const std::string& name, const std::string& value) {
      key(name, bitnet::GgufValueType::string);
      entries.text(value);
    };
    const auto size = [&](const std::string& name, int64_t value) {
      key(s.architecture + "." + name, bitnet::GgufValueType::u32);
      entries.number(static_cast<uint32_t>(value));
    };
    text("general.architecture", s.architecture);
    size("context_length", s.context);
    size("embedding_length", s.hidden);
    size("block_count", s.layers);
    size("feed_forward_length", s.ffn);
    size("attention.head_count", s.heads);
    size("attention.head_count_kv", s.kv_heads);
    size("rope.dimension_count", s.head_dim);
    size("vocab_size", s.vocab);
    if (s.span && s.states_span) {
      key("bitnet-lab.quantization.scale_group", bitnet::GgufValueType::u32);
      entries.number(static_cast<uint32_t>(s.span));
    }
    key(s.architecture + ".attention.layer_norm_rms_epsilon", bitnet::GgufValueType::f32);
    entries.number(1e-5f);
    key(s.architecture + ".rope.freq_base", bitnet::GgufValueType::f32);
    entries.number(10000.0f);
    key("tokenizer.ggml.tokens", bitnet::GgufValueType::array);
    entries.number(static_cast<uint32_t>(bitnet::GgufValueType::string));
    entries.number(static_cast<uint64_t>(s.vocab));
    for (int64_t i = 0; i < s.vocab; ++i) entries.text("token" + std::to_string(i));
    if (s.int8_head) text("bitnet-lab.head.activation_quantizer", "absmax_int8");
    if (s.architecture == "bitnet-lab") {
      text("bitnet-lab.hidden_act", "relu2");
      text("bitnet-lab.weight_quantizer", s.ternary ? "absmean_ternary" : "none");
      text("bitnet-lab.activation_quantizer", s.ternary ? s.activations : "none");
      if (s.keep < 1.0) {
        key("bitnet-lab.activation_keep", bitnet::GgufValueType::f64);
        entries.number(s.keep);
      }
      if (s.own_norms) text("bitnet-lab.norm_placement", "every_linear");
      if (!s.gated) text("bitnet-lab.feed_forward", "mlp");
      if (s.hadamard) {
        key("bitnet-lab.use_hadamard", bitnet::GgufValueType::boolean);
        entries.number(uint8_t{1});
      }
    }
    out.number(uint32_t{0x46554747});
    out.number(uint32_t{3});
    out.number(static_cast<uint64_t>(stored_.size()));
    out.number(count);
    out.bytes().insert(out.bytes().end(), entries.bytes().begin(), entries.bytes().end());
    return out;
  }

  Random random_;
  TinyModel model_;
  std::vector<Stored> stored_;
  ByteWriter data_;
};

inline TinyModel tiny_model(const TinyShape& shape) { return TinyModelWriter(shape).finish(); }

}  // namespace check
