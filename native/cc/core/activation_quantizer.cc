#include "core/activation_quantizer.h"

#include <cstring>

namespace bitnet {
namespace {

constexpr float kSqrt7 = 2.6457513110645906f;
constexpr float kSmallest = 1e-5f;

// The bits of a magnitude are ordered as it is; those of NaN lie above all others.
inline uint32_t magnitude_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits & 0x7fffffffu;
}

// Digits of a magnitude, from the highest: how far they are shifted, and how many bits they have.
struct Digit {
  int shift, bits;
};
constexpr Digit kDigits[] = {{20, 11}, {10, 10}, {0, 10}};

// The magnitude of the `count`-th largest value, as bits, digit by digit; *rest becomes how many of that
// magnitude belong to the `count` largest.
uint32_t threshold_bits(const float* x, int64_t cols, int64_t count, int64_t* rest) {
  uint32_t found = 0;
  for (const Digit& digit : kDigits) {
    int64_t counts[1 << 11] = {};
    const int above = digit.shift + digit.bits;
    const uint32_t mask = (1u << digit.bits) - 1u;
    for (int64_t i = 0; i < cols; ++i) {
      const uint32_t bits = magnitude_bits(x[i]);
      if (bits >> above == found >> above) ++counts[bits >> digit.shift & mask];
    }
    uint32_t value = mask;
    for (; counts[value] < count; --value) count -= counts[value];
    found |= value << digit.shift;
  }
  *rest = count;
  return found;
}

// Zeroes the codes of all but the `count` largest magnitudes, of equal ones the first.
int32_t keep_largest(const float* x, int64_t cols, int64_t count, int8_t* codes) {
  int64_t rest;
  const uint32_t threshold = threshold_bits(x, cols, count, &rest);
  int32_t sum = 0;
  for (int64_t i = 0; i < cols; ++i) {
    const uint32_t bits = magnitude_bits(x[i]);
    if (bits < threshold || (bits == threshold && rest-- <= 0)) codes[i] = 0;
    sum += codes[i];
  }
  return sum;
}

}  // namespace

void quantize_activations(const Kernels& kernels, const ActivationQuantizer& quantizer, const float* x,
                          int64_t cols, int8_t* codes, float* act_scale, int32_t* code_sum) {
  switch (quantizer.codes) {
    case ActivationCodes::none:
      return;
    case ActivationCodes::absmax_int8:
      kernels.quantize_row(x, cols, codes, act_scale, code_sum);
      break;
    case ActivationCodes::absmax_int4: {
      const float largest = kernels.abs_max_row(x, cols);
      kernels.code_row(x, cols, 7.0f / largest, -8.0f, 7.0f, codes, code_sum);
      *act_scale = largest / 7.0f;
      break;
    }
    case ActivationCodes::absmean_int4: {
      const float mean = static_cast<float>(kernels.abs_sum_row(x, cols) / static_cast<double>(cols));
      kernels.code_row(x, cols, kSqrt7 / (mean + kSmallest), -8.0f, 7.0f, codes, code_sum);
      *act_scale = mean / kSqrt7;
      break;
    }
  }
  const int64_t kept = quantizer.kept(cols);
  if (kept < cols) *code_sum = keep_largest(x, cols, kept, codes);
}

}  // namespace bitnet
