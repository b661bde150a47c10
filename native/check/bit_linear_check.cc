// BitLinear with all that is fused into it against its parts, its definitions and float64, in every variant:
// absmean weights with one scale per matrix, row or span, given ternary values, and float operands.
#include <algorithm>

#include "linear_case.h"

using namespace bitnet;
using namespace check;

namespace {

// Ternary values of weight i and the multiplier of each row, or [rows][spans], from the definitions.
struct PlainTernary {
  std::vector<int32_t> ternary;
  Row multiplier;
  int64_t spans;  // of a row; 0: scales are of rows
};

PlainTernary plain_ternary(const Linear& linear, size_t i) {
  const int64_t rows = linear.shape.rows[i], cols = linear.shape.cols;
  const int64_t span = span_cols_of(linear.views()[i], linear.shape.quantizers.weights);
  PlainTernary result;
  result.spans = span ? cols / span : 0;
  if (!linear.ternary.empty()) {
    result.ternary = linear.ternary[i];
    result.multiplier = linear.multipliers[i];
    if (!span) result.multiplier.resize(static_cast<size_t>(rows), linear.multipliers[i][0]);
    return result;
  }
  const float* w = linear.weights[i].data();
  // Weights that share a scale, and those whose sum is one of 16 lanes.
  const bool by_row = linear.shape.quantizers.weights == WeightSource::absmean_row;
  const int64_t count = span ? span : by_row ? cols : rows * cols, lanes = span ? span : cols;
  for (int64_t first = 0; first < rows * cols; first += count) {
    double sum = 0;
    for (int64_t k = first; k < first + count; k += lanes) sum += scalar().abs_sum_row(w + k, lanes);
    const float scale = std::max(static_cast<float>(sum / static_cast<double>(count)), 1e-5f);
    for (int64_t k = first; k < first + count; ++k) {
      const float rounded = std::rint(w[k] * (1.0f / scale));
      result.ternary.push_back(static_cast<int32_t>(std::clamp(rounded, -1.0f, 1.0f)));
    }
    const float half = f16_to_f32(f32_to_f16(scale));
    result.multiplier.insert(result.multiplier.end(),
                             static_cast<size_t>(std::max<int64_t>(span ? 1 : count / cols, 1)), half);
  }
  return result;
}

// The product of one row of codes and row n of a weight.
float plain_product(const std::vector<int8_t>& codes, float act_scale, const PlainTernary& weight, int64_t n,
                    int64_t cols) {
  const auto sum_of = [&](int64_t begin, int64_t end) {
    int32_t sum = 0;
    for (int64_t k = begin; k < end; ++k) {
      sum += codes[static_cast<size_t>(k)] * weight.ternary[static_cast<size_t>(n * cols + k)];
    }
    return static_cast<float>(sum);
  };
  if (weight.spans == 0) return sum_of(0, cols) * (act_scale * weight.multiplier[static_cast<size_t>(n)]);
  const int64_t span = cols / weight.spans;
  float total = 0.0f;
  for (int64_t i = 0; i < weight.spans; ++i) {
    const float scale = weight.multiplier[static_cast<size_t>(n * weight.spans + i)];
    total = std::fma(sum_of(i * span, (i + 1) * span), scale, total);
  }
  return total * act_scale;
}

// The forward product from single kernels and plain sums.
Row expected_forward(const Linear& linear) {
  const LinearCase& s = linear.shape;
  Row y = linear.residual, row(static_cast<size_t>(s.cols));
  std::vector<int8_t> codes(static_cast<size_t>(padded_cols(s.cols)));
  for (int64_t t = 0; t < s.tokens; ++t) {
    const float* x = linear.x.data() + t * s.width();
    if (s.gated) {
      scalar().relu2_gate(x, x + s.cols, s.cols, row.data());
    } else {
      row.assign(x, x + s.cols);
    }
    if (s.squared) scalar().squared_relu(row.data(), s.cols, row.data());
    if (s.normed) scalar().rms_norm_row(row.data(), linear.gain.data(), s.cols, 1e-5f, row.data());
    if (s.hadamard) scalar().hadamard_row(row.data(), s.cols, row.data());
    float act_scale;
    int32_t code_sum;
    quantize_activations(scalar(), s.quantizers.activations, row.data(), s.cols, codes.data(), &act_scale,
                         &code_sum);
    float* out = y.data() + t * s.outputs();
    for (size_t i = 0; i < s.rows.size(); ++i) {
      const PlainTernary weight = plain_ternary(linear, i);
      for (int64_t n = 0; n < s.rows[i]; ++n) {
        *out++ += plain_product(codes, act_scale, weight, n, s.cols);
      }
    }
  }
  return y;
}

CHECK_TEST("bit_linear has the bits of gate, norm, quantization, product and residual one by one") {
  for (const LinearCase& shape : linear_cases()) {
    if (!shape.quantizers.both()) continue;
    const Linear linear(shape, 41);
    const Row expected = expected_forward(linear);
    for_all_variants([&](const Kernels& kernels) {
      for (const int threads : {1, 2, 3}) {
        const Setting setting(kernels.name, threads);
        expect_same_bits(expected, linear.forward(), kernels.name, "bit_linear");
      }
    });
  }
}

CHECK_TEST("ternary_codes are the definition's, with one scale per matrix, row or span") {
  for (const auto source :
       {WeightSource::absmean_tensor, WeightSource::absmean_row, WeightSource::absmean_group_64}) {
    LinearCase shape;
    shape.quantizers.weights = source;
    shape.cols = 128;
    Linear linear(shape, 48);
    for (int64_t k = 0; k < shape.cols; ++k) linear.weights[0][static_cast<size_t>(k)] *= 1e-6f;  // the limit
    for (size_t i = 0; i < linear.weights.size(); ++i) {
      const PlainTernary expected = plain_ternary(linear, i);
      const size_t scales = source == WeightSource::absmean_tensor ? 1 : expected.multiplier.size();
      for_all_variants([&](const Kernels& kernels) {
        const Setting setting(kernels.name, 2);
        std::vector<int32_t> ternary(expected.ternary.size());
        Row multiplier(scales);
        ternary_codes(linear.views()[i], shape.cols, source, ScaleDtype::f16, ternary.data(),
                      multiplier.data());
        expect(ternary == expected.ternary, "%s: other values", kernels.name);
        for (size_t n = 0; n < scales; ++n) {
          expect(multiplier[n] == expected.multiplier[n], "%s: scale %zu is %.9g, not %.9g", kernels.name, n,
                 static_cast<double>(multiplier[n]), static_cast<double>(expected.multiplier[n]));
        }
      });
    }
  }
}

CHECK_TEST(
    "row scales of equal rows, and given values of an absmean matrix, have the bits of a matrix scale") {
  LinearCase tensor, by_row, given;
  by_row.quantizers.weights = WeightSource::absmean_row;
  given.quantizers.weights = WeightSource::codes;
  Linear linear(tensor, 49), rows(by_row, 49), codes(given, 49);
  for (size_t i = 0; i < linear.weights.size(); ++i) {
    Row& w = linear.weights[i];
    // Every row a copy of the first, of powers of two, so that the sum of all rows is exact.
    for (size_t k = 0; k < w.size(); ++k) {
      w[k] = k < static_cast<size_t>(tensor.cols)
                 ? std::ldexp(1.0f, static_cast<int>(k % 5)) * (k % 3 ? 1 : -1)
                 : w[k - static_cast<size_t>(tensor.cols)];
    }
    rows.weights[i] = w;
    const PlainTernary plain = plain_ternary(linear, i);
    codes.ternary[i] = plain.ternary;
    codes.multipliers[i] = plain.multiplier;
  }
  rows.x = codes.x = linear.x;
  rows.residual = codes.residual = linear.residual;
  rows.dy = codes.dy = linear.dy;
  for_all_variants([&](const Kernels& kernels) {
    const Setting setting(kernels.name, 2);
    for (const Linear* other : {&rows, &codes}) {
      expect_same_bits(linear.forward(), other->forward(), kernels.name, "bit_linear");
      for (const auto precision :
           {BackwardPrecision::f32, BackwardPrecision::bf16, BackwardPrecision::int8}) {
        expect_same_bits(linear.backward(precision), other->backward(precision), kernels.name, "a gradient");
      }
    }
  });
}

CHECK_TEST("all_ternary finds the one value that is not") {
  std::vector<int32_t> ternary(40000);
  for (size_t i = 0; i < ternary.size(); ++i) ternary[i] = static_cast<int32_t>(i % 3) - 1;
  const int64_t count = static_cast<int64_t>(ternary.size());
  expect(all_ternary(ternary.data(), count), "refuses -1, 0, 1");
  for (const int32_t wrong : {2, -2, 256, INT32_MIN, INT32_MAX}) {
    for (const size_t at : {size_t{0}, size_t{20001}, ternary.size() - 1}) {
      const int32_t before = ternary[at];
      ternary[at] = wrong;
      expect(!all_ternary(ternary.data(), count), "%d at %zu", static_cast<int>(wrong), at);
      ternary[at] = before;
    }
  }
}

// |a - b| / |b|, Euclidean.
double distance(const Row& a, const Row& b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    difference += d * d;
    norm += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return std::sqrt(difference / (norm > 0 ? norm : 1));
}

CHECK_TEST("bit_linear_grad: every variant and precision near the scalar float32 gradient") {
  for (const LinearCase& shape : linear_cases()) {
    const Linear linear(shape, 42);
    Row exact;
    {
      const Setting setting("scalar", 1);
      exact = linear.backward(BackwardPrecision::f32);
    }
    const bool integer = shape.quantizers.both();
    for_all_variants([&](const Kernels& kernels) {
      const Setting setting(kernels.name, 2);
      const double f32 = distance(linear.backward(BackwardPrecision::f32), exact);
      expect(f32 < 1e-5, "%s: f32 differs by %g", kernels.name, f32);
      const double bf16 = distance(linear.backward(BackwardPrecision::bf16), exact);
      expect(bf16 > 1e-5 && bf16 < 5e-3, "%s: bf16 differs by %g", kernels.name, bf16);
      if (!integer) return;
      const double int8 = distance(linear.backward(BackwardPrecision::int8), exact);
      expect(int8 > 1e-4 && int8 < 3e-2, "%s: int8 differs by %g", kernels.name, int8);
    });
  }
}

CHECK_TEST("int8 gradients draw other numbers for another key") {
  const LinearCase shape;
  const Linear linear(shape, 43);
  const Row first = linear.backward(BackwardPrecision::int8, 1);
  expect(first_difference(first.data(), linear.backward(BackwardPrecision::int8, 1).data(), 100) < 0,
         "the same key gave other values");
  expect(distance(first, linear.backward(BackwardPrecision::int8, 2)) > 1e-4, "the key changes nothing");
}

CHECK_TEST("scales kept from the forward pass change no bit of the gradients") {
  for_all_variants([&](const Kernels& kernels) {
    const Setting setting(kernels.name, 2);
    for (const LinearCase& shape : linear_cases()) {
      if (!shape.quantizers.both()) continue;
      const Linear linear(shape, 47);
      Row scales = linear.scales();
      for (const auto precision :
           {BackwardPrecision::f32, BackwardPrecision::bf16, BackwardPrecision::int8}) {
        expect_same_bits(linear.backward(precision), linear.backward(precision, 5, scales.data()),
                         kernels.name, "a gradient with kept scales");
      }
    }
  });
}

CHECK_TEST("gradients of not-a-number and infinity stay visible") {
  const LinearCase shape;
  for (const float bad : {std::nanf(""), INFINITY}) {
    for (const auto precision : {BackwardPrecision::f32, BackwardPrecision::bf16, BackwardPrecision::int8}) {
      Linear linear(shape, 44);
      linear.dy[7] = bad;
      const Row result = linear.backward(precision);
      bool visible = false;
      for (const float value : result) visible = visible || !std::isfinite(value);
      expect(visible, "precision %d hides %g", static_cast<int>(precision), static_cast<double>(bad));
    }
  }
}

}  // namespace

int main() { return run_variant_tests(); }
