// The output head: logits = hidden . head^T (in integers where the model was trained so), and log-probabilities without ever holding [tokens, vocab] at
// once.
#pragma once

#include <cstdint>

#include "core/kernels.h"
#include "inference/aligned_buffer.h"
#include "inference/engine_options.h"
#include "inference/model.h"
#include "inference/workers.h"

namespace bitnet {

// The likeliest ids at every scored place: `count` of them, from the largest logit down, of equal ones those
// with the smaller ids first. `count` is at most the vocabulary.
struct TopTokens {
  int64_t count = 0;
  int32_t* ids = nullptr;  // [results][count]
  float* logprobs = nullptr;
};

class Head {
 public:
  // An id whose log-probability is asked for, and its place in the results.
  struct Target {
    int32_t id;
    int64_t result;
  };

  // The first three outlive this object.
  Head(const Model& model, const Kernels& kernels, const Workers& workers, HeadPrecision precision);

  // logits [tokens][vocab_size] of hidden [tokens][hidden_size]. Throws Aborted.
  void logits(const float* hidden, int64_t tokens, float* logits);
  // For every target of token t, targets[first[t] .. first[t + 1] - 1]: logprobs[result] = logit[id] - log
  // sum exp(logits), greedy[result] = 1 if id is the first largest logit; `top` likewise. Throws Aborted.
  void score(const float* hidden, int64_t tokens, const int64_t* first, const Target* targets,
             float* logprobs, uint8_t* greedy, const TopTokens& top);

 private:
  // The codes of hidden states, and the products with them.
  CodeRows quantized(const float* hidden, int64_t tokens);

  const Model& model_;
  const Kernels& kernels_;
  const Workers& workers_;
  const HeadPrecision precision_;
  AlignedBuffer chunk_;                         // logits of a few tokens
  AlignedBuffer codes_, act_scale_, code_sum_;  // of the hidden states, for int8
};

}  // namespace bitnet
