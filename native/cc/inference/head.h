// The output head: logits = hidden . head^T, and log-probabilities without ever holding [tokens, vocab] at
// once.
#pragma once

#include <cstdint>

#include "core/kernels.h"
#include "inference/aligned_buffer.h"
#include "inference/engine_options.h"
#include "inference/model.h"
#include "inference/workers.h"

namespace bitnet {

class Head {
 public:
  // The first three outlive this object.
  Head(const Model& model, const Kernels& kernels, const Workers& workers, HeadPrecision precision);

  // logits [tokens][vocab_size] of hidden [tokens][hidden_size]. Throws Aborted.
  void logits(const float* hidden, int64_t tokens, float* logits);
  // logprobs[t] = logit[targets[t]] - log sum exp(logits); greedy[t] = 1 if targets[t] is the first largest
  // logit. Throws Aborted.
  void score(const float* hidden, int64_t tokens, const int32_t* targets, float* logprobs, uint8_t* greedy);

 private:
  const Model& model_;
  const Kernels& kernels_;
  const Workers& workers_;
  const HeadPrecision precision_;
  AlignedBuffer chunk_;              // logits of a few tokens
  AlignedBuffer codes_, act_scale_;  // of the hidden states, for int8
};

}  // namespace bitnet
