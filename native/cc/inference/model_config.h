// What a GGUF file says of its model, checked: every size is in range before anything is built from it.
#pragma once

#include <cstdint>
#include <string>

#include "core/activation_quantizer.h"
#include "core/rope_table.h"
#include "inference/gguf_file.h"

namespace bitnet {

enum class HiddenAct { relu2, silu, gelu_tanh };
// RMSNorm before attention and feed-forward only; before the o and down projections too; or in every linear
// layer and nowhere else; or before attention and feed-forward, and after them, before the residual.
enum class NormPlacement { pre, sub, every_linear, pre_post };
// Linear layers that may have a bias; whether they do, the tensors of the file say.
enum class Biases { none, qkv, any };

// Ours, of models that no other program's graph is.
constexpr const char* kOwnArchitecture = "bitnet-lab";

// Who shares a scale of the linear weights, where the file says it.
constexpr int64_t kScaleUnstated = -1, kScalePerMatrix = 0, kScalePerRow = 1;

struct ModelConfig {
  std::string architecture;  // of families.h, or our own
  int64_t vocab_size;
  int64_t context_length;
  int64_t hidden_size;
  int64_t layers;
  int64_t intermediate_size;
  int64_t heads;
  int64_t kv_heads;  // each serves heads / kv_heads query heads
  int64_t head_dim;  // even
  float rms_norm_eps;
  Rope rope;
  // Positions that a query sees in layers that do not see all of them, itself included; 0: there are none.
  int64_t window;
  int64_t window_pattern;  // every layer of that number, from 1, sees all
  Rope window_rope;        // of layers with a window
  float embedding_scale;   // of embeddings that were looked up
  HiddenAct hidden_act;
  bool ternary_weights;             // linear weights are ternary codes with scales
  int64_t scale_group;              // kScaleUnstated, kScalePerMatrix, kScalePerRow, or 64, 128, 256 columns
  ActivationQuantizer activations;  // of the inputs of linear layers
  bool int8_head;                   // the head's inputs are absmax int8, and its matrix is int8 rows
  NormPlacement norm_placement;
  bool gated;     // down(act(gate) * up), not down(act(up))
  bool hadamard;  // transform of the inputs of the o and down projections
  bool qk_norm;   // RMSNorm of each query and key head before its rotation
  Biases biases;
  // The rows of q and k are stored in the order of interleaved rotary embedding (the `llama` architecture).
  bool interleaved_rope;

  int64_t qkv_width() const { return (heads + 2 * kv_heads) * head_dim; }
  int64_t attention_width() const { return heads * head_dim; }
  // What the feed-forward block multiplies its input with: gate | up, or up.
  int64_t feed_forward_inputs() const { return gated ? 2 * intermediate_size : intermediate_size; }
  bool has_window(int64_t layer) const { return window > 0 && (layer + 1) % window_pattern != 0; }
  bool integer_products() const { return ternary_weights && activations.quantizes(); }
};

// Throws GgufError that names the key when one is missing, out of range, or asks for something not supported.
ModelConfig read_model_config(const GgufFile& file);

}  // namespace bitnet
