#include "core/activation_quantizer.h"

#include <cstring>

namespace bitnet {
namespace {

constexpr float kSqrt7 = 2.6457513110645906f;
constexpr float kSmallest = 1e-5f;

// The bits of a magnitude are ordered as it is; those of NaN lie above all others.
inline int32_t magnitude_bits(float value) {
  int32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits & 0x7fffffff;
}

int32_t count_at_least(const float* x, int64_t cols, int32_t bits) {
  int32_t count = 0;
  for (int64_t i = 0; i < cols; ++i) count += magnitude_bits(x[i]) >= bits ? 1 : 0;
  return count;
}

// Zeroes the codes of all but the `kept` largest magnitudes, of equal ones the first. The smallest that stays
// is found bit by bit: a pass only counts, and compilers make vectors of it.
int32_t keep_largest(const float* x, int64_t cols, int64_t kept, int8_t* codes) {
  int32_t smallest = 0;
  int64_t found = cols;  // magnitudes of at least `smallest`
  for (int32_t bit = 1 << 30; bit != 0 && found != kept; bit >>= 1) {
    const int64_t count = count_at_least(x, cols, smallest | bit);
    if (count < kept) continue;
    smallest |= bit;
    found = count;
  }
  int32_t sum = 0;
  for (int64_t i = 0; i < cols; ++i) {
    codes[i] = magnitude_bits(x[i]) >= smallest ? codes[i] : int8_t{0};
    sum += codes[i];
  }
  for (int64_t i = cols - 1; found > kept; --i) {
    if (magnitude_bits(x[i]) != smallest) continue;
    sum -= codes[i];
    codes[i] = 0;
    --found;
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
