// Codes and the scale of the activations of one token, by every activation quantizer: what training and
// inference multiply. Orders are those of docs/numerics.md; twins of the files in src/quantizers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/kernels.h"

namespace bitnet {

enum class ActivationCodes : int {
  none,
  absmax_int8,   // m = max(max|x|, 1e-5): x * (127 / m) to -128 .. 127, scale m / 127
  absmax_int4,   // the same with 7: -8 .. 7
  absmean_int4,  // b = mean|x|: x * (sqrt(7) / (b + 1e-5)) to -8 .. 7, scale b / sqrt(7)
};

struct ActivationQuantizer {
  ActivationCodes codes = ActivationCodes::none;
  // Share of a row's activations, the largest ones, that stay; the codes of the others become 0.
  double keep = 1.0;

  bool quantizes() const { return codes != ActivationCodes::none; }
  // How many of a row of `cols` activations stay.
  int64_t kept(int64_t cols) const {
    return std::max(int64_t{1}, static_cast<int64_t>(std::rint(keep * static_cast<double>(cols))));
  }
};

// codes has padded_cols(cols) bytes, the padding is zeroed; *code_sum is the sum of the codes. `quantizer`
// quantizes.
void quantize_activations(const Kernels& kernels, const ActivationQuantizer& quantizer, const float* x,
                          int64_t cols, int8_t* codes, float* act_scale, int32_t* code_sum);

}  // namespace bitnet
