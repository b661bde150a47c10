// Kernels over one row: every variant must return the bits of the scalar one, for any length and alignment.
#include <limits>

#include "core/activation_quantizer.h"
#include "variants_under_test.h"

using namespace bitnet;
using namespace check;

namespace {

constexpr int64_t kLengths[] = {1,  2,  3,  7,  8,   9,   15,  16,  17,   31,  32,
                                33, 63, 64, 65, 100, 127, 256, 257, 1000, 2560};
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Inputs that meet rounding boundaries: plain values, exact halves of a code, huge, tiny and not finite ones.
std::vector<float> awkward_values(Random& random, int64_t count, int64_t offset, bool finite) {
  std::vector<float> list = values(random, count, offset);
  for (float& v : list) {
    switch (random.below(24)) {
      case 0:
        v = static_cast<float>(random.below(255) - 127) + 0.5f;
        break;
      case 1:
        v = -0.0f;
        break;
      case 2:
        v = random.unit() * 1e-41f;
        break;
      case 3:
        v = random.unit() * 1e30f;
        break;
      case 4:
        if (!finite) v = kInfinity;
        break;
      case 5:
        if (!finite) v = kNan;
        break;
      default:
        break;
    }
  }
  return list;
}

template <typename Body>
void for_rows(uint64_t seed, const Body& body) {
  Random random(seed);
  for (const int64_t n : kLengths) {
    for (const int64_t offset : {0, 1, 3}) body(random, n, offset);
  }
}

CHECK_TEST("quantize_row gives the same codes, scale and sum") {
  for_rows(1, [](Random& random, int64_t n, int64_t offset) {
    for (const int kind : {0, 1, 2}) {
      std::vector<float> x =
          kind == 0 ? values(random, n, offset) : awkward_values(random, n, offset, kind == 1);
      std::vector<int8_t> expected(static_cast<size_t>(padded_cols(n)), 77), actual(expected);
      float expected_scale, actual_scale;
      int32_t expected_sum, actual_sum;
      scalar().quantize_row(x.data() + offset, n, expected.data(), &expected_scale, &expected_sum);
      for_each_variant([&](const Kernels& kernels) {
        std::fill(actual.begin(), actual.end(), static_cast<int8_t>(55));
        kernels.quantize_row(x.data() + offset, n, actual.data(), &actual_scale, &actual_sum);
        expect(expected == actual, "%s: codes differ, n = %lld", kernels.name, static_cast<long long>(n));
        expect(float_bits(expected_scale) == float_bits(actual_scale), "%s: scale differs", kernels.name);
        expect(expected_sum == actual_sum, "%s: sum %d, not %d", kernels.name, actual_sum, expected_sum);
      });
    }
  });
}

CHECK_TEST("quantize_row follows its definition") {
  // absmax 127 makes the inverse scale 1: halves round to even.
  const float x[6] = {127.0f, 0.5f, 1.5f, -2.5f, -127.0f, -0.49f};
  int8_t codes[64];
  float scale;
  int32_t sum;
  for (const Variant& variant : kernel_variants()) {
    if (!variant.supported) continue;
    variant.kernels->quantize_row(x, 6, codes, &scale, &sum);
    const int8_t expected[6] = {127, 0, 2, -2, -127, 0};
    expect(std::memcmp(codes, expected, 6) == 0, "%s: wrong codes", variant.kernels->name);
    expect(scale == 1.0f && sum == 0 && codes[6] == 0 && codes[63] == 0, "%s: wrong rest",
           variant.kernels->name);
    const float zeros[3] = {};
    variant.kernels->quantize_row(zeros, 3, codes, &scale, &sum);
    expect(scale == 1e-5f / 127.0f && sum == 0 && codes[0] == 0, "%s: wrong row of zeros",
           variant.kernels->name);
  }
}

CHECK_TEST("code_row and abs_max_row give the same codes, sum and magnitude") {
  for_rows(11, [](Random& random, int64_t n, int64_t offset) {
    const std::vector<float> x = awkward_values(random, n, offset, false);
    std::vector<int8_t> expected(static_cast<size_t>(padded_cols(n)), 77), actual(expected);
    int32_t expected_sum, actual_sum;
    scalar().code_row(x.data() + offset, n, 3.25f, -8.0f, 7.0f, expected.data(), &expected_sum);
    const float largest = scalar().abs_max_row(x.data() + offset, n);
    for_each_variant([&](const Kernels& kernels) {
      kernels.code_row(x.data() + offset, n, 3.25f, -8.0f, 7.0f, actual.data(), &actual_sum);
      expect(expected == actual && expected_sum == actual_sum, "%s: codes differ", kernels.name);
      expect(float_bits(kernels.abs_max_row(x.data() + offset, n)) == float_bits(largest), "%s: magnitude",
             kernels.name);
    });
  });
}

CHECK_TEST("activations of which the largest stay: as many, of equal ones the first") {
  const float x[8] = {1.0f, -3.0f, 0.5f, 3.0f, -2.0f, 2.0f, 0.0f, 2.0f};
  int8_t codes[64];
  float scale;
  int32_t sum;
  const auto kept = [&](double keep) {
    quantize_activations(scalar(), {ActivationCodes::absmax_int8, keep}, x, 8, codes, &scale, &sum);
    std::string stays;
    for (int i = 0; i < 8; ++i) stays += codes[i] != 0 ? '1' : '0';
    return stays;
  };
  expect(kept(0.01) == "01000000" && sum == -127, "one");
  expect(kept(0.375) == "01011000" && scale == 3.0f / 127.0f, "three");
  expect(kept(0.5) == "01011100", "four");
  expect(kept(1.0) == "11111101" && sum == 42 + 21 - 85 + 85 + 85, "all");
}

CHECK_TEST("hadamard_row gives the same bits, in place too") {
  for (const int64_t n : {1, 2, 3, 6, 8, 20, 24, 32, 48, 64, 96, 128, 320, 512, 1024, 2560, 6912}) {
    for (const int64_t offset : {0, 1, 3}) {
      Random random(static_cast<uint64_t>(n));
      std::vector<float> x = values(random, n, offset), expected(x), actual(x);
      scalar().hadamard_row(x.data() + offset, n, expected.data() + offset);
      for_each_variant([&](const Kernels& kernels) {
        actual = x;
        kernels.hadamard_row(actual.data() + offset, n, actual.data() + offset);
        expect(first_difference(expected.data() + offset, actual.data() + offset, n) < 0, "%s: n = %lld",
               kernels.name, static_cast<long long>(n));
      });
    }
  }
}

CHECK_TEST("abs_sum_row gives the same float64 bits") {
  for_rows(2, [](Random& random, int64_t n, int64_t offset) {
    const std::vector<float> w = awkward_values(random, n, offset, true);
    const double expected = scalar().abs_sum_row(w.data() + offset, n);
    for_each_variant([&](const Kernels& kernels) {
      const double actual = kernels.abs_sum_row(w.data() + offset, n);
      expect(expected == actual, "%s: %.17g, not %.17g", kernels.name, actual, expected);
    });
  });
}

CHECK_TEST("ternarize gives the same codes and writes nothing else") {
  for_rows(3, [](Random& random, int64_t n, int64_t offset) {
    const std::vector<float> w = awkward_values(random, n, offset, false);
    std::vector<int8_t> expected(static_cast<size_t>(n + 1), 9), actual(expected);
    scalar().ternarize(w.data() + offset, n, 1.25f, expected.data());
    for_each_variant([&](const Kernels& kernels) {
      std::fill(actual.begin(), actual.end(), static_cast<int8_t>(9));
      kernels.ternarize(w.data() + offset, n, 1.25f, actual.data());
      expect(expected == actual, "%s: codes differ, n = %lld", kernels.name, static_cast<long long>(n));
    });
  });
}

CHECK_TEST("rms_norm_row gives the same bits, also in place") {
  for_rows(4, [](Random& random, int64_t n, int64_t offset) {
    const std::vector<float> x = values(random, n, offset), gain = values(random, n, offset);
    std::vector<float> expected(static_cast<size_t>(n)), actual(expected);
    const float r = scalar().rms_norm_row(x.data() + offset, gain.data() + offset, n, 1e-5f, expected.data());
    for_each_variant([&](const Kernels& kernels) {
      const float same =
          kernels.rms_norm_row(x.data() + offset, gain.data() + offset, n, 1e-5f, actual.data());
      expect(float_bits(r) == float_bits(same), "%s: factor %.9g, not %.9g", kernels.name, same, r);
      expect_same_bits(expected, actual, kernels.name, "rms_norm_row");
      actual.assign(x.begin() + offset, x.end());
      kernels.rms_norm_row(actual.data(), gain.data() + offset, n, 1e-5f, actual.data());
      expect_same_bits(expected, actual, kernels.name, "rms_norm_row in place");
    });
  });
}

CHECK_TEST("rope_row gives the same bits") {
  Random random(5);
  for (const int64_t head_dim : {2, 4, 6, 16, 24, 32, 34, 64, 80, 128, 256}) {
    for (const int64_t heads : {1, 3}) {
      const std::vector<float> x = values(random, heads * head_dim), c = values(random, head_dim / 2),
                               s = values(random, head_dim / 2);
      std::vector<float> expected = x;
      scalar().rope_row(expected.data(), heads, head_dim, c.data(), s.data());
      for_each_variant([&](const Kernels& kernels) {
        std::vector<float> actual = x;
        kernels.rope_row(actual.data(), heads, head_dim, c.data(), s.data());
        expect_same_bits(expected, actual, kernels.name, "rope_row");
      });
    }
  }
}

CHECK_TEST("squared_relu gives the same bits, for any float") {
  for_rows(12, [](Random& random, int64_t n, int64_t offset) {
    const std::vector<float> x = awkward_values(random, n, offset, false);
    std::vector<float> expected(static_cast<size_t>(n)), actual(expected);
    scalar().squared_relu(x.data() + offset, n, expected.data());
    for_each_variant([&](const Kernels& kernels) {
      kernels.squared_relu(x.data() + offset, n, actual.data());
      expect(first_difference(expected.data(), actual.data(), n) < 0, "%s: n = %lld", kernels.name,
             static_cast<long long>(n));
    });
  });
}

CHECK_TEST("relu2_gate, silu_gate, gelu_gate and add give the same bits, for any float") {
  for_rows(6, [](Random& random, int64_t n, int64_t offset) {
    const std::vector<float> a = awkward_values(random, n, offset, false),
                             b = awkward_values(random, n, offset, false);
    struct Map {
      const char* name;
      void (*Kernels::*run)(const float*, const float*, int64_t, float*);
    };
    for (const Map& map : {Map{"relu2_gate", &Kernels::relu2_gate}, Map{"silu_gate", &Kernels::silu_gate},
                           Map{"gelu_gate", &Kernels::gelu_gate}, Map{"add", &Kernels::add}}) {
      std::vector<float> expected(static_cast<size_t>(n + 1), 5.0f), actual(expected);
      (scalar().*map.run)(a.data() + offset, b.data() + offset, n, expected.data());
      for_each_variant([&](const Kernels& kernels) {
        (kernels.*map.run)(a.data() + offset, b.data() + offset, n, actual.data());
        expect_same_bits(expected, actual, kernels.name, map.name);
      });
    }
  });
}

CHECK_TEST("silu_gate sees the same exp over its whole range") {
  // up = 1 and gate = -x make 1 / (1 + exp(x)) visible through x / (1 + exp(x)).
  std::vector<float> gate, up;
  for (float x = -100.0f; x < 100.0f; x += 0.00390625f) gate.push_back(x);
  for (const float x : {kExpMin, kExpMax, -kExpMin, -kExpMax, kInfinity, -kInfinity, kNan, 0.0f, -0.0f})
    gate.push_back(x);
  up.assign(gate.size(), 1.0f);
  const int64_t n = static_cast<int64_t>(gate.size());
  std::vector<float> expected(gate.size()), actual(gate.size());
  scalar().silu_gate(gate.data(), up.data(), n, expected.data());
  for_each_variant([&](const Kernels& kernels) {
    kernels.silu_gate(gate.data(), up.data(), n, actual.data());
    expect_same_bits(expected, actual, kernels.name, "silu_gate");
  });
}

CHECK_TEST("log_sum_exp gives the same bits") {
  for_rows(7, [](Random& random, int64_t n, int64_t offset) {
    std::vector<float> x = values(random, n, offset);
    for (float& v : x) v = v * 8.0f - 3.0f;
    if (n > 5) x[static_cast<size_t>(offset + 4)] = -kInfinity;
    const float expected = scalar().log_sum_exp(x.data() + offset, n);
    for_each_variant([&](const Kernels& kernels) {
      const float actual = kernels.log_sum_exp(x.data() + offset, n);
      expect(float_bits(expected) == float_bits(actual), "%s: %.9g, not %.9g, n = %lld", kernels.name, actual,
             expected, static_cast<long long>(n));
    });
  });
}

CHECK_TEST("log_sum_exp does not hide a NaN or an infinity") {
  for (const Variant& variant : kernel_variants()) {
    if (!variant.supported) continue;
    for (const float bad : {kNan, kInfinity}) {
      for (const size_t at : {size_t{0}, size_t{5}, size_t{20}}) {
        std::vector<float> x(21, 1.0f);
        x[at] = bad;
        const float result = variant.kernels->log_sum_exp(x.data(), 21);
        expect(!std::isfinite(result), "%s: %.9g for %.9g at %zu", variant.kernels->name, result, bad, at);
      }
    }
  }
}

}  // namespace

int main() { return run_variant_tests(); }
