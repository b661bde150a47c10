// The way back through what stands before a product, token by token: transform, norm and activation are
// computed once more, and with them the codes that dW multiplies. See rms_norm.h and gated_activation.h; the
// Hadamard transform is symmetric, its own gradient.
#pragma once

#include <cstdint>

#include "training/arena.h"
#include "training/bit_linear.h"

namespace bitnet {

// Codes of the activations [tokens][stride] and the scale of each token.
struct TokenCodes {
  int8_t* codes;
  int64_t stride;
  float* scale;
};

class InputGrad {
 public:
  // drows [tokens][cols] is the gradient of the product's input, and dx where input.is_plain().
  InputGrad(const LinearInput& input, const ActivationQuantizer& quantizer, int64_t tokens, int64_t cols,
            const float* drows, float* dx, ArenaScope& scope);

  // dx of tokens [begin, end), from a multiple of kGainRows on, whose drows must be there; with `codes` also
  // their codes. Tokens may come in any order and on any thread.
  void run(int64_t begin, int64_t end, const TokenCodes* codes) const;
  // dgain, when all tokens are done.
  void sum_gains(float* dgain) const;

 private:
  struct Scratch;
  void token(int64_t t, float* gain_sum, const TokenCodes* codes, const Scratch& scratch) const;

  const LinearInput& input_;
  const ActivationQuantizer& quantizer_;
  int64_t tokens_, cols_;
  const float* drows_;
  float* dx_;
  float* gain_sums_;  // of each kGainRows tokens
};

}  // namespace bitnet
