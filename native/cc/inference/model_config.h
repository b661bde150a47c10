// What a GGUF file says of its model, checked: every size is in range before anything is built from it.
#pragma once

#include <cstdint>
#include <string>

#include "inference/gguf_file.h"

namespace bitnet {

enum class HiddenAct { relu2, silu };

struct ModelConfig {
  std::string architecture;  // bitnet-b1.58, bitnet-25, bitnet, llama or bitnet-lab
  int64_t vocab_size;
  int64_t context_length;
  int64_t hidden_size;
  int64_t layers;
  int64_t intermediate_size;
  int64_t heads;
  int64_t kv_heads;  // each serves heads / kv_heads query heads
  int64_t head_dim;  // even
  float rms_norm_eps;
  double rope_theta;
  HiddenAct hidden_act;
  bool ternary_weights;   // linear weights are absmean ternary
  bool int8_activations;  // inputs of linear layers are absmax int8, one scale per token
  bool int8_head;         // the head's inputs are, too, and its matrix is int8 rows
  bool use_sub_norms;     // RMSNorm before the o and down projections
  // The rows of q and k are stored in the order of interleaved rotary embedding (the `llama` architecture).
  bool interleaved_rope;

  int64_t qkv_width() const { return (heads + 2 * kv_heads) * head_dim; }
  int64_t attention_width() const { return heads * head_dim; }
};

// Throws GgufError that names the key when one is missing, out of range, or asks for something not supported.
ModelConfig read_model_config(const GgufFile& file);

}  // namespace bitnet
