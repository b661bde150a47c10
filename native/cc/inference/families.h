// Families of models of other programs: what the graph of each `general.architecture` is. The configuration side is
// src/config/families; a test compares both.
#pragma once

#include <string>

#include "inference/model_config.h"

namespace bitnet {

struct Family {
  const char* architecture;
  NormPlacement norm_placement;
  HiddenAct hidden_act;
  bool bitnet_layers;  // ternary weights and int8 activations, whatever a key says
  bool qk_norm;
  // Gemma 3's: layers with a window and a rotary base of their own, embeddings times sqrt(hidden_size).
  bool windows;
  Biases biases;
  // llama.cpp's converter reorders the rows of q and k for rotary embedding of neighbours.
  bool interleaved_rope;
};

// Throws GgufError naming the architecture if this engine computes none of that name.
const Family& family_of(const std::string& architecture);

// All of them.
struct FamilyList {
  const Family* first;
  const Family* last;
  const Family* begin() const { return first; }
  const Family* end() const { return last; }
};
FamilyList families();

}  // namespace bitnet
