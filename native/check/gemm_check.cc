// gemm_f32: against float64, against itself on other thread counts and variants, and the operand views.
// gemm_bf16: the same, but for the order of its sums, which may differ between variants.
// gemm_i8: exact in every variant and on any number of threads.
#include "core/float16.h"
#include "core/gemm_bf16.h"
#include "core/gemm_f32.h"
#include "core/gemm_i8.h"
#include "variants_under_test.h"

using namespace bitnet;
using namespace check;

namespace {

struct Shape {
  int64_t m, n, k;
};

constexpr Shape kShapes[] = {{1, 1, 1},    {1, 17, 5},    {6, 16, 256},   {7, 33, 257},
                             {13, 31, 60}, {97, 65, 300}, {120, 258, 80}, {200, 48, 520}};

// Restores the default variant when a test ends.
struct VariantInUse {
  explicit VariantInUse(const char* name) { select_variant(name); }
  ~VariantInUse() { select_variant(""); }
};

// Element (i, j) of an operand, in float64.
double element(const GemmOperand& operand, int64_t i, int64_t j) {
  const int64_t at = i * operand.row_stride + j * operand.col_stride;
  double value = operand.type == GemmType::i8
                     ? static_cast<const int8_t*>(operand.data)[at]
                     : static_cast<double>(static_cast<const float*>(operand.data)[at]);
  if (operand.row_scale) value *= operand.row_scale[i];
  if (operand.col_scale) value *= operand.col_scale[j];
  return operand.round_bf16 ? bf16_to_f32(f32_to_bf16(static_cast<float>(value))) : value;
}

// Random operands of one shape in every combination of order, type and scales that training uses.
struct Operands {
  std::vector<float> a, b, scale_m, scale_n, scale_k;
  std::vector<int8_t> codes, left_codes;

  Operands(Random& random, const Shape& shape)
      : a(values(random, shape.m * shape.k)),
        b(values(random, shape.k * shape.n)),
        scale_m(values(random, shape.m)),
        scale_n(values(random, shape.n)),
        scale_k(values(random, shape.k)),
        codes(static_cast<size_t>(shape.k * shape.n)),
        left_codes(static_cast<size_t>(shape.m * shape.k)) {
    for (int8_t& code : codes) code = static_cast<int8_t>(random.below(256) - 128);
    for (int8_t& code : left_codes) code = static_cast<int8_t>(random.below(256) - 128);
  }

  // int8 codes on the left; B's are as many.
  GemmOperand bare_codes_a(const Shape& s) const { return {left_codes.data(), s.k, 1, GemmType::i8}; }

  std::vector<std::pair<GemmOperand, GemmOperand>> pairs(const Shape& s) const {
    const GemmOperand plain_a{a.data(), s.k, 1}, transposed_a{a.data(), 1, s.m};
    const GemmOperand plain_b{b.data(), s.n, 1}, transposed_b{b.data(), 1, s.k};
    GemmOperand codes_by_row{codes.data(), s.n, 1, GemmType::i8, scale_k.data()};
    GemmOperand codes_scaled_twice{codes.data(), 1, s.k, GemmType::i8, scale_k.data(), scale_n.data()};
    GemmOperand scaled_a{a.data(), s.k, 1, GemmType::f32, scale_m.data(), scale_k.data()};
    GemmOperand rounded_a = plain_a, rounded_b = transposed_b, rounded_scaled_a{a.data(), 1, s.m};
    rounded_a.round_bf16 = rounded_b.round_bf16 = rounded_scaled_a.round_bf16 = true;
    rounded_scaled_a.col_scale = scale_k.data();
    const GemmOperand bare_codes{codes.data(), s.n, 1, GemmType::i8};
    return {{plain_a, plain_b},      {transposed_a, transposed_b},
            {plain_a, codes_by_row}, {transposed_a, codes_by_row},
            {scaled_a, plain_b},     {plain_a, codes_scaled_twice},
            {rounded_a, plain_b},    {rounded_scaled_a, bare_codes},
            {rounded_a, rounded_b},  {bare_codes_a(s), rounded_b}};
  }
};

std::vector<float> product(int threads, const Shape& s, const GemmOperand& a, const GemmOperand& b,
                           bool accumulate) {
  const int64_t ldc = s.n + 3;
  std::vector<float> c(static_cast<size_t>(s.m * ldc), 0.5f);
  gemm_f32(threads, s.m, s.n, s.k, a, b, c.data(), ldc, accumulate);
  return c;
}

CHECK_TEST("gemm_f32 agrees with float64 for every operand view") {
  Random random(31);
  for (const Shape& s : kShapes) {
    const Operands operands(random, s);
    for (const auto& [a, b] : operands.pairs(s)) {
      for (const bool accumulate : {false, true}) {
        const std::vector<float> c = product(1, s, a, b, accumulate);
        for (int64_t i = 0; i < s.m; ++i) {
          for (int64_t j = 0; j < s.n + 3; ++j) {
            const float got = c[static_cast<size_t>(i * (s.n + 3) + j)];
            if (j >= s.n) {
              expect(got == 0.5f, "wrote past the row");
              continue;
            }
            double exact = accumulate ? 0.5 : 0.0, magnitude = 1.0;
            for (int64_t p = 0; p < s.k; ++p) {
              const double term = element(a, i, p) * element(b, p, j);
              exact += term;
              magnitude += std::fabs(term);
            }
            expect(std::fabs(got - exact) <= 1e-6 * magnitude, "%.9g, not %.9g", got, exact);
          }
        }
      }
    }
  }
}

CHECK_TEST("gemm_f32 gives the same bits on any number of threads") {
  Random random(32);
  for (const Shape& s : kShapes) {
    const Operands operands(random, s);
    for (const auto& [a, b] : operands.pairs(s)) {
      const std::vector<float> expected = product(1, s, a, b, true);
      for (const int threads : {2, 3, 5}) {
        expect_same_bits(expected, product(threads, s, a, b, true), active_kernels().name, "gemm_f32");
      }
    }
  }
}

CHECK_TEST("gemm_f32 gives the same bits in every variant") {
  Random random(33);
  for (const Shape& s : kShapes) {
    const Operands operands(random, s);
    for (const auto& [a, b] : operands.pairs(s)) {
      std::vector<float> expected;
      {
        const VariantInUse variant("scalar");
        expected = product(1, s, a, b, true);
      }
      for_each_variant([&](const Kernels& kernels) {
        const VariantInUse variant(kernels.name);
        expect_same_bits(expected, product(2, s, a, b, true), kernels.name, "gemm_f32");
      });
    }
  }
}

// The left operands of gemm_bf16 (floats and bfloat16, either order, with scales or none) by its right ones.
struct Bf16Operands {
  Operands base;
  std::vector<uint16_t> rounded;

  Bf16Operands(Random& random, const Shape& s) : base(random, s) {
    for (const float value : base.a) rounded.push_back(f32_to_bf16(value));
  }

  std::vector<std::pair<GemmOperand, GemmOperand>> pairs(const Shape& s) const {
    GemmOperand rows{base.a.data(), s.k, 1}, turned{base.a.data(), 1, s.m};
    const GemmOperand floats{base.b.data(), s.n, 1}, codes{base.codes.data(), s.n, 1, GemmType::i8};
    const GemmOperand rounded_rows{rounded.data(), s.k, 1, GemmType::bf16};
    const GemmOperand rounded_turned{rounded.data(), 1, s.m, GemmType::bf16};
    std::vector<std::pair<GemmOperand, GemmOperand>> list{
        {rows, floats}, {rounded_rows, floats}, {rounded_turned, codes}, {turned, floats}};
    rows.col_scale = turned.col_scale = base.scale_k.data();
    list.insert(list.end(), {{rows, codes}, {turned, codes}});
    return list;
  }
};

std::vector<float> bf16_product(int threads, const Shape& s, const GemmOperand& a, const GemmOperand& b,
                                bool accumulate) {
  const int64_t ldc = s.n + 3;
  std::vector<float> c(static_cast<size_t>(s.m * ldc), 0.5f);
  PackBuffer buffer;
  const Bf16Right right = pack_bf16_right(threads, b, s.k, s.n, buffer.bytes(bf16_right_bytes(s.k, s.n)));
  gemm_bf16(threads, s.m, a, right, c.data(), ldc, accumulate);
  return c;
}

double rounded_element(GemmOperand operand, int64_t i, int64_t j) {
  if (operand.type == GemmType::bf16) {
    return bf16_to_f32(
        static_cast<const uint16_t*>(operand.data)[i * operand.row_stride + j * operand.col_stride]);
  }
  operand.round_bf16 = operand.type == GemmType::f32;
  return element(operand, i, j);
}

CHECK_TEST("gemm_bf16 agrees with float64 in every variant, with the same bits on any number of threads") {
  Random random(35);
  constexpr Shape kBf16Shapes[] = {{1, 1, 1},    {1, 17, 5},    {17, 16, 32},  {7, 33, 257},  {33, 31, 60},
                                   {97, 65, 70}, {120, 58, 80}, {40, 48, 640}, {560, 70, 530}};
  for (const Shape& s : kBf16Shapes) {
    const Bf16Operands operands(random, s);
    for (const auto& [a, b] : operands.pairs(s)) {
      std::vector<double> exact(static_cast<size_t>(s.m * s.n)), magnitude(exact.size(), 1.0);
      for (int64_t i = 0; i < s.m; ++i) {
        for (int64_t p = 0; p < s.k; ++p) {
          const double left = rounded_element(a, i, p);
          for (int64_t j = 0; j < s.n; ++j) {
            const double term = left * rounded_element(b, p, j);
            exact[static_cast<size_t>(i * s.n + j)] += term;
            magnitude[static_cast<size_t>(i * s.n + j)] += std::fabs(term);
          }
        }
      }
      const auto compare = [&](const Kernels& kernels) {
        const VariantInUse variant(kernels.name);
        for (const bool accumulate : {false, true}) {
          const std::vector<float> c = bf16_product(1, s, a, b, accumulate);
          for (int64_t i = 0; i < s.m; ++i) {
            for (int64_t j = 0; j < s.n + 3; ++j) {
              const float got = c[static_cast<size_t>(i * (s.n + 3) + j)];
              const size_t at = static_cast<size_t>(i * s.n + j);
              const double right = j >= s.n ? 0.5 : exact[at] + (accumulate ? 0.5 : 0.0);
              expect(std::fabs(got - right) <= (j >= s.n ? 0.0 : 1e-6 * magnitude[at]), "%s: %.9g, not %.9g",
                     kernels.name, got, right);
            }
          }
          for (const int threads : {2, 3}) {
            expect_same_bits(c, bf16_product(threads, s, a, b, accumulate), kernels.name, "gemm_bf16");
          }
        }
      };
      compare(scalar());
      for_each_variant(compare);
    }
  }
}

CHECK_TEST("gemm_f32 of an empty sum clears or keeps the result") {
  std::vector<float> c(6, 2.0f);
  const GemmOperand nothing{c.data(), 1, 1};
  gemm_f32(1, 2, 2, 0, nothing, nothing, c.data(), 3, true);
  expect(c == std::vector<float>(6, 2.0f), "accumulating nothing changed the result");
  gemm_f32(1, 2, 2, 0, nothing, nothing, c.data(), 3, false);
  expect(c == std::vector<float>({0, 0, 2, 0, 0, 2}), "an empty sum is not 0");
}

// Codes of one token-major operand, rows padded with zeros.
struct CodeMatrix {
  int64_t width, stride;
  std::vector<int8_t> codes;

  CodeMatrix(Random& random, int64_t depth, int64_t columns)
      : width(columns), stride(padded_cols(columns)), codes(static_cast<size_t>(depth * stride)) {
    for (int64_t p = 0; p < depth; ++p) {
      for (int64_t i = 0; i < width; ++i) {
        codes[static_cast<size_t>(p * stride + i)] = static_cast<int8_t>(
            random.below(8) == 0 ? (random.below(2) ? 127 : -127) : random.below(255) - 127);
      }
    }
  }
};

CHECK_TEST("gemm_i8 is exact in every variant on any number of threads") {
  Random random(34);
  constexpr Shape kInt8Shapes[] = {{1, 1, 1},      {6, 16, 256},  {7, 33, 257},   {48, 32, 4},
                                   {49, 31, 5},    {97, 65, 300}, {200, 48, 520}, {1600, 70, 130},
                                   {60, 40, 4500}, {30, 300, 258}};
  for (const Shape& s : kInt8Shapes) {
    const CodeMatrix a(random, s.k, s.m), b(random, s.k, s.n);
    std::vector<int8_t> turned;  // a's rows as columns
    for (int64_t i = 0; i < s.m; ++i) {
      for (int64_t p = 0; p < s.k; ++p) turned.push_back(a.codes[static_cast<size_t>(p * a.stride + i)]);
    }
    const std::vector<float> scale = values(random, s.m);
    const int64_t ldc = s.n + 3;
    std::vector<float> expected(static_cast<size_t>(s.m * ldc), 0.5f);
    for (int64_t i = 0; i < s.m; ++i) {
      for (int64_t j = 0; j < s.n; ++j) {
        int32_t sum = 0;
        for (int64_t p = 0; p < s.k; ++p) {
          sum +=
              a.codes[static_cast<size_t>(p * a.stride + i)] * b.codes[static_cast<size_t>(p * b.stride + j)];
        }
        expected[static_cast<size_t>(i * ldc + j)] = static_cast<float>(sum) * scale[static_cast<size_t>(i)];
      }
    }
    const auto compare = [&](const Kernels& kernels) {
      const VariantInUse variant(kernels.name);
      for (const int threads : {1, 2, 3}) {
        std::vector<float> c(static_cast<size_t>(s.m * ldc), 0.5f);
        gemm_i8(threads, s.m, s.n, s.k, a.codes.data(), a.stride, b.codes.data(), b.stride, scale.data(),
                c.data(), ldc);
        expect_same_bits(expected, c, kernels.name, "gemm_i8");
        if (!kernels.int8_panels) continue;
        std::fill(c.begin(), c.end(), 0.5f);
        gemm_i8_rows(threads, s.m, s.n, s.k, turned.data(), s.k, b.codes.data(), b.stride, scale.data(),
                     c.data(), ldc);
        expect_same_bits(expected, c, kernels.name, "gemm_i8_rows");
      }
    };
    compare(scalar());
    for_each_variant(compare);
  }
}

}  // namespace

int main() { return run_variant_tests(); }
