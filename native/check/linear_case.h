// Inputs of BitLinear products of odd sizes, with all that is fused into them, for check programs.
#pragma once

#include <vector>

#include "core/thread_pool.h"
#include "training/bit_linear.h"
#include "variants_under_test.h"

namespace check {

using Row = std::vector<float>;

inline Row zeros(int64_t count) { return Row(static_cast<size_t>(count)); }

// Restores the default variant and one thread when a test ends.
struct Setting {
  Setting(const char* variant, int threads) {
    bitnet::select_variant(variant);
    bitnet::set_training_threads(threads);
  }
  ~Setting() {
    bitnet::select_variant("");
    bitnet::set_training_threads(1);
  }
};

// body(variant) for every variant that runs here, scalar too.
template <typename Body>
void for_all_variants(const Body& body) {
  body(scalar());
  for_each_variant(body);
}

struct LinearCase {
  int64_t tokens = 83, cols = 70;
  std::vector<int64_t> rows{45, 17, 33};
  bool gated = false, normed = false, squared = false, hadamard = false;
  int64_t span = 0;  // of given ternary values
  bitnet::LinearQuantizers quantizers{
      bitnet::WeightSource::absmean_tensor, {bitnet::ActivationCodes::absmax_int8}, bitnet::ScaleDtype::f16};

  int64_t width() const { return gated ? 2 * cols : cols; }
  int64_t outputs() const {
    int64_t sum = 0;
    for (const int64_t each : rows) sum += each;
    return sum;
  }
};

// Inputs of one product, and calls of it.
struct Linear {
  const LinearCase& shape;
  Row x, gain, residual, dy;
  std::vector<Row> weights, multipliers;
  std::vector<std::vector<int32_t>> ternary;  // given ones

  Linear(const LinearCase& linear, uint64_t seed) : shape(linear) {
    Random random(seed);
    x = values(random, shape.tokens * shape.width());
    gain = values(random, shape.cols);
    residual = values(random, shape.tokens * shape.outputs());
    dy = values(random, shape.tokens * shape.outputs());
    for (const int64_t rows : shape.rows) {
      weights.push_back(values(random, rows * shape.cols));
      if (shape.quantizers.weights != bitnet::WeightSource::codes) continue;
      ternary.emplace_back();
      for (int64_t i = 0; i < rows * shape.cols; ++i) {
        ternary.back().push_back(static_cast<int32_t>(random.below(3) - 1));
      }
      if (shape.span) {
        multipliers.emplace_back();
        for (int64_t n = 0; n < rows * (shape.cols / shape.span); ++n) {
          multipliers.back().push_back(0.5f + 0.4f * random.unit());
        }
        continue;
      }
      // One scale and one per row in turn, in one product.
      multipliers.push_back(values(random, multipliers.size() % 2 == 0 ? rows : 1));
    }
  }

  bitnet::LinearInput input() const {
    bitnet::LinearInput result{};
    result.x = x.data();
    if (shape.gated) result.activation = bitnet::InputActivation::relu2;
    if (shape.squared) result.activation = bitnet::InputActivation::squared_relu;
    result.hadamard = shape.hadamard;
    result.gain = shape.normed ? gain.data() : nullptr;
    result.epsilon = 1e-5f;
    return result;
  }

  std::vector<bitnet::LinearWeight> views() const {
    std::vector<bitnet::LinearWeight> list;
    for (size_t i = 0; i < weights.size(); ++i) {
      list.push_back({weights[i].data(), shape.rows[i]});
      if (ternary.empty()) continue;
      list[i] = {nullptr,
                 shape.rows[i],
                 ternary[i].data(),
                 multipliers[i].data(),
                 shape.span == 0 && multipliers[i].size() > 1,
                 shape.span};
    }
    return list;
  }

  // The scales that the forward pass keeps.
  Row scales() const {
    const auto list = views();
    const int count = static_cast<int>(list.size());
    Row memory = zeros(
        bitnet::LinearScales::size(list.data(), count, shape.cols, shape.quantizers.weights, shape.tokens));
    Row y = zeros(shape.tokens * shape.outputs());
    const bitnet::LinearScales kept = bitnet::LinearScales::in(memory.data(), shape.tokens);
    bitnet::bit_linear(input(), shape.tokens, shape.cols, list.data(), count, shape.quantizers, nullptr,
                       y.data(), &kept);
    return memory;
  }

  Row forward() const {
    Row y = zeros(shape.tokens * shape.outputs());
    const auto list = views();
    bitnet::bit_linear(input(), shape.tokens, shape.cols, list.data(), static_cast<int>(list.size()),
                       shape.quantizers, residual.data(), y.data());
    return y;
  }

  // dx, dgain and the stacked dweights, one after the other.
  Row backward(bitnet::BackwardPrecision precision, uint32_t key = 5, float* kept = nullptr) const {
    Row dx = zeros(shape.tokens * shape.width()), dgain = zeros(shape.cols);
    std::vector<Row> dweights;
    std::vector<float*> pointers;
    for (const Row& each : weights) dweights.push_back(zeros(static_cast<int64_t>(each.size())));
    for (Row& each : dweights) pointers.push_back(each.data());
    const auto list = views();
    const int count = static_cast<int>(list.size());
    const bitnet::LinearScales scales =
        kept ? bitnet::LinearScales::in(kept, shape.tokens) : bitnet::LinearScales{};
    bitnet::bit_linear_grad(input(), shape.tokens, shape.cols, list.data(), count, shape.quantizers,
                            {precision, key}, dy.data(), {dx.data(), dgain.data(), pointers.data()},
                            kept ? &scales : nullptr);
    if (shape.normed) dx.insert(dx.end(), dgain.begin(), dgain.end());
    for (const Row& each : dweights) dx.insert(dx.end(), each.begin(), each.end());
    return dx;
  }
};

inline std::vector<LinearCase> linear_cases() {
  LinearCase plain, normed, gated, both, floats, half_float, by_row, given, given_half_float;
  normed.normed = gated.gated = both.normed = both.gated = floats.normed = floats.gated = true;
  by_row.normed = given.gated = true;
  floats.quantizers = {bitnet::WeightSource::values, {}, bitnet::ScaleDtype::f32};
  half_float.quantizers = {bitnet::WeightSource::absmean_row, {}, bitnet::ScaleDtype::bf16};
  by_row.quantizers.weights = bitnet::WeightSource::absmean_row;
  given.quantizers.weights = bitnet::WeightSource::codes;
  given_half_float.quantizers = {bitnet::WeightSource::codes, {}, bitnet::ScaleDtype::f32};
  LinearCase squared, rotated, four_bits, rotated_floats;
  squared.squared = squared.normed = rotated.hadamard = rotated.gated = four_bits.hadamard = true;
  rotated.normed = rotated_floats.squared = rotated_floats.hadamard = true;
  rotated.quantizers.activations = {bitnet::ActivationCodes::absmax_int8, 0.4};
  four_bits.quantizers.activations = {bitnet::ActivationCodes::absmax_int4};
  squared.quantizers.activations = {bitnet::ActivationCodes::absmean_int4};
  rotated_floats.quantizers = floats.quantizers;
  four_bits.cols = 96;
  LinearCase spans, wide_spans, given_spans, span_values;
  spans.quantizers.weights = bitnet::WeightSource::absmean_group_64;
  wide_spans.quantizers.weights = bitnet::WeightSource::absmean_group_256;
  given_spans.quantizers.weights = bitnet::WeightSource::codes;
  span_values.quantizers = {bitnet::WeightSource::absmean_group_128, {}, bitnet::ScaleDtype::f32};
  spans.cols = 192;
  wide_spans.cols = given_spans.cols = span_values.cols = 256;
  given_spans.span = 128;
  spans.gated = wide_spans.normed = true;
  plain.rows = {129};
  both.tokens = 300;
  return {plain,      normed,           gated,      both,    floats,    half_float,     by_row,
          given,      given_half_float, squared,    rotated, four_bits, rotated_floats, spans,
          wide_spans, given_spans,      span_values};
}

}  // namespace check
