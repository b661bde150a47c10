// A model ready to run: the weights of a GGUF file, ternary matrices repacked for the kernels.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/kernels.h"
#include "core/row_panel.h"
#include "core/ternary_panel.h"
#include "inference/aligned_buffer.h"
#include "inference/gguf_file.h"
#include "inference/int8_head.h"
#include "inference/memory_lock.h"
#include "inference/model_config.h"

namespace bitnet {

// y = x W^T + bias. Either `panel` (ternary codes, int8 activations) or `rows` (float weights as stored) is set.
struct Linear {
  int64_t out = 0;
  int64_t in = 0;
  bool ternary = false;
  TernaryPanel panel{};
  const void* rows = nullptr;
  RowType row_type = RowType::f32;
  float multiplier = 1.0f;  // of a float product; a ternary one has it inside its scales
  std::vector<float> norm;  // gain of the RMSNorm of its own input; empty: none
  std::vector<float> bias;  // of each output; empty: none
};

struct Layer {
  std::vector<float> attn_norm, ffn_norm;  // gains; empty where every linear layer has a norm of its own
  std::vector<float> q_norm, k_norm;       // of each head, [head_dim]; empty: none
  std::vector<float> post_attn_norm, post_ffn_norm;  // of what is added to the residual; empty: none
  Linear q, k, v, o, gate, up, down;                 // no gate: its `out` is 0
};

class Model {
 public:
  // Loads with `threads` threads. Throws GgufError naming the key or tensor that is missing or wrong, and
  // Aborted soon after *abort becomes true (null: never).
  Model(std::unique_ptr<GgufFile> file, int threads, const std::atomic<bool>* abort = nullptr);

  // Keeps all weights resident from now on. Throws std::runtime_error if the system refuses.
  void lock_memory();

  const GgufFile& file() const { return *file_; }
  const ModelConfig& config() const { return config_; }
  const std::vector<Layer>& layers() const { return layers_; }
  const std::vector<float>& output_norm() const { return output_norm_; }
  // [vocab][hidden]; without data where int8_head() multiplies.
  const RowPanel& head() const { return head_; }
  // The head that was trained to multiply integers; null: head() multiplies.
  const Int8Rows* int8_head() const { return config_.int8_head ? &int8_head_.rows() : nullptr; }
  // Whether the head is the embedding, too.
  bool tied() const { return embedding_.rows == nullptr; }
  // Whether linear weights have scales of spans.
  bool has_spans() const { return has_spans_; }
  // The embedding of token `id`, hidden_size values.
  void embed(const Kernels& kernels, int32_t id, float* out) const;
  // GGUF type of the linear weights, as stored.
  const std::string& weight_type() const { return weight_type_; }
  // Bytes of memory that the weights take besides the mapped file.
  uint64_t packed_bytes() const {
    uint64_t bytes = arena_.size() + head_rows_.size() + int8_head_.size();
    for (const AlignedBuffer& scales : scales_) bytes += scales.size();
    return bytes;
  }
  // Weights, the embedding counted once when it is also the head.
  uint64_t parameters() const { return parameters_; }

 private:
  struct Loader;

  std::unique_ptr<GgufFile> file_;
  ModelConfig config_;
  AlignedBuffer arena_;                // all repacked weights of the layers
  std::vector<AlignedBuffer> scales_;  // of each panel
  AlignedBuffer head_rows_;            // interleaved
  std::vector<Layer> layers_;
  std::vector<float> output_norm_;
  Linear embedding_;                         // in the mapped file; no rows where it is the head
  GgmlType embedding_type_ = GgmlType::f32;  // of its rows there
  RowPanel head_{};
  Int8Head int8_head_;
  std::string weight_type_;
  bool has_spans_ = false;
  uint64_t parameters_ = 0;
  std::vector<MemoryLock> locks_;  // after what they lock
};

}  // namespace bitnet
