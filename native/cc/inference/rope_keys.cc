#include "inference/rope_keys.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace bitnet {
namespace {

constexpr const char* kFactorsTensor = "rope_freqs.weight";
constexpr double kTwoPi = 6.283185307179586;
constexpr int64_t kMaxContext = int64_t{1} << 24;

enum class Scaling { none, linear, yarn };

std::vector<float> stored_factors(const GgufFile& file, int64_t half) {
  const GgufTensor* tensor = file.tensor(kFactorsTensor);
  if (!tensor) return {};
  if (tensor->type != GgmlType::f32 || tensor->dimensions.size() != 1 ||
      tensor->dimensions[0] != static_cast<uint64_t>(half)) {
    throw GgufError(std::string("tensor \"") + kFactorsTensor + "\" must be F32 [" + std::to_string(half) +
                    "]");
  }
  std::vector<float> factors(static_cast<size_t>(half));
  std::memcpy(factors.data(), file.tensor_data(*tensor), factors.size() * sizeof(float));
  for (const float factor : factors) {
    if (!(factor > 0.0f) || !std::isfinite(factor)) {
      throw GgufError(std::string("tensor \"") + kFactorsTensor + "\" holds a factor that is not positive");
    }
  }
  return factors;
}

// Dimensions that turn beta_fast times in the original context keep their frequency, those of beta_slow turns or
// fewer are interpolated.
std::vector<float> yarn_factors(const Keys& keys, const std::string& scaling, const Rope& rope,
                                double factor) {
  const double context =
      static_cast<double>(keys.count(scaling + "original_context_length", kMaxContext, true));
  const double fast = keys.positive(scaling + "yarn_beta_fast", 32);
  const double slow = keys.positive(scaling + "yarn_beta_slow", 1);
  const double dim = static_cast<double>(rope.head_dim);
  const auto dimension_of = [&](double turns) {
    return (dim * series_log(context / (turns * kTwoPi))) / (2 * series_log(rope.theta));
  };
  const double low = std::max(std::floor(dimension_of(fast)), 0.0);
  const double high = std::min(std::ceil(dimension_of(slow)), dim - 1);
  std::vector<float> factors(static_cast<size_t>(rope.head_dim / 2));
  for (size_t i = 0; i < factors.size(); ++i) {
    const double along = (static_cast<double>(i) - low) / std::max(high - low, 0.001);
    const double ramp = std::min(std::max(along, 0.0), 1.0);
    factors[i] = static_cast<float>(1.0 / (ramp / factor + (1.0 - ramp)));
  }
  return factors;
}

}  // namespace

Rope read_rope(const GgufFile& file, const Keys& keys, const std::string& prefix, int64_t head_dim) {
  Rope rope{head_dim, keys.positive(prefix + "rope.freq_base", 10000.0), {}, 1.0f};
  const std::string scaling = prefix + "rope.scaling.";
  // llama.cpp's converters write "linear" with the factor 1, and its reader takes a factor alone for that.
  static constexpr Word<Scaling> words[] = {
      {"none", Scaling::none}, {"linear", Scaling::linear}, {"yarn", Scaling::yarn}};
  const Scaling type = choose(keys, scaling + "type", words, nullptr, "linear");
  const double factor = type == Scaling::none ? 1.0 : keys.positive(scaling + "factor", 1.0);
  rope.factors = stored_factors(file, head_dim / 2);
  if (factor == 1.0) return rope;
  if (!rope.factors.empty()) {
    throw GgufError("metadata \"" + scaling + "factor\" and tensor \"" + kFactorsTensor +
                    "\" both scale the rotary embedding");
  }
  if (type == Scaling::linear) {
    rope.factors.assign(static_cast<size_t>(head_dim / 2), static_cast<float>(factor));
    return rope;
  }
  rope.factors = yarn_factors(keys, scaling, rope, factor);
  if (factor > 1.0) rope.magnitude = static_cast<float>(0.1 * series_log(factor) + 1.0);
  return rope;
}

}  // namespace bitnet
