// Int8 rows: quantization, the layout, and every variant's exact product.
#include "core/int8_rows.h"
#include "variants_under_test.h"

using namespace bitnet;
using namespace check;

namespace {

// Int8 rows of their own.
struct Packed {
  std::vector<int8_t> row_major;
  PackBuffer codes, sums;
  std::vector<float> scales;
  Int8Rows rows;

  Packed(Random& random, int64_t count, int64_t cols, bool extreme)
      : row_major(static_cast<size_t>(count * cols)), rows{nullptr, nullptr, nullptr, count, cols} {
    for (int8_t& code : row_major) {
      code = static_cast<int8_t>(extreme ? (random.below(2) ? 127 : -128) : random.below(255) - 127);
    }
    scales = values(random, rows.padded_rows());
    int8_t* panels = reinterpret_cast<int8_t*>(codes.bytes(rows.bytes()));
    int32_t* all_sums = reinterpret_cast<int32_t*>(sums.bytes(4 * rows.padded_rows()));
    for (int64_t panel = 0; panel < rows.panels(); ++panel) {
      const int64_t first = panel * kPanelRows;
      pack_int8_panel(row_major.data() + first * cols, cols, std::min(kPanelRows, count - first), cols,
                      panels + panel * rows.panel_bytes(), all_sums + first);
    }
    rows.codes = panels;
    rows.scales = scales.data();
    rows.sums = all_sums;
  }
};

struct Tokens {
  PackBuffer memory;
  std::vector<float> act_scale;
  std::vector<int32_t> code_sum;
  CodeRows rows;

  Tokens(Random& random, int64_t count, int64_t cols, bool extreme) : code_sum(static_cast<size_t>(count)) {
    const int64_t stride = padded_cols(cols);
    int8_t* codes = reinterpret_cast<int8_t*>(memory.bytes(count * stride));
    std::memset(codes, 0, static_cast<size_t>(count * stride));
    for (int64_t t = 0; t < count; ++t) {
      for (int64_t k = 0; k < cols; ++k) {
        const int64_t code = extreme ? (random.below(2) ? 127 : -127) : random.below(255) - 127;
        codes[t * stride + k] = static_cast<int8_t>(code);
        code_sum[static_cast<size_t>(t)] += static_cast<int32_t>(code);
      }
    }
    act_scale = values(random, count);
    rows = {codes, stride, act_scale.data(), code_sum.data(), count};
  }
};

CHECK_TEST("a row's codes and scale: those of the definition, and of their own values once more") {
  Random random(61);
  for (const int64_t cols : {1, 5, 64, 257}) {
    const std::vector<float> w = values(random, cols);
    float largest = 0;
    for (const float value : w) largest = std::max(largest, std::fabs(value));
    std::vector<int8_t> codes(static_cast<size_t>(cols)), again(codes);
    const float d = quantize_int8_row(w.data(), cols, codes.data());
    expect(d == f16_to_f32(f32_to_f16(largest / 127.0f)), "scale %.9g", d);
    std::vector<float> back(w);
    for (size_t k = 0; k < codes.size(); ++k) {
      const float code = std::rint(w[k] * (1.0f / (largest / 127.0f)));
      expect(largest == 0 || static_cast<float>(codes[k]) == code, "code %d", codes[k]);
      back[k] = static_cast<float>(codes[k]) * d;
    }
    expect(quantize_int8_row(back.data(), cols, again.data()) == d && again == codes, "not idempotent");
  }
  const float tiny[] = {1e-9f, -1e-9f};  // whose scale is 0 as a float16
  int8_t codes[2] = {7, 7};
  expect(quantize_int8_row(tiny, 2, codes) == 0.0f && codes[0] == 0 && codes[1] == 0, "a scale of 0");
}

CHECK_TEST("codes lie where the layout says, and decode to code * d") {
  Random random(62);
  for (const int64_t cols : {1, 64, 66}) {
    const Packed w(random, 19, cols, false);
    std::vector<float> row(static_cast<size_t>(cols));
    for (int64_t n = 0; n < 32; ++n) {
      if (n < 19) decode_int8_row(w.rows, n, row.data());
      int32_t sum = 0;
      for (int64_t k = 0; k < padded_cols(cols); ++k) {
        const int8_t code = n < 19 && k < cols ? w.row_major[static_cast<size_t>(n * cols + k)] : int8_t{0};
        const int64_t at = n / 16 * padded_cols(cols) * 16 + k / 4 * 64 + n % 16 * 4 + k % 4;
        expect(w.rows.codes[at] == code, "row %d, column %d", static_cast<int>(n), static_cast<int>(k));
        sum += code;
        if (n < 19 && k < cols) {
          expect(row[static_cast<size_t>(k)] == static_cast<float>(code) * w.scales[static_cast<size_t>(n)],
                 "value of row %d", static_cast<int>(n));
        }
      }
      expect(w.rows.sums[n] == sum, "sum of row %d", static_cast<int>(n));
    }
  }
}

void check_products(Random& random, int64_t rows, int64_t cols, int64_t tokens, bool extreme) {
  const Packed w(random, rows, cols, extreme);
  const Tokens x(random, tokens, cols, extreme);
  const int64_t begin = rows > 16 ? 16 : 0, y_stride = rows + 3;
  std::vector<float> expected(static_cast<size_t>(tokens * y_stride), -7.0f);
  const std::vector<float> untouched = expected;
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t n = begin; n < rows; ++n) {
      int64_t sum = 0;
      for (int64_t k = 0; k < cols; ++k) {
        sum += x.rows.codes[t * x.rows.stride + k] * w.row_major[static_cast<size_t>(n * cols + k)];
      }
      expected[static_cast<size_t>(t * y_stride + n)] =
          static_cast<float>(static_cast<int32_t>(sum)) *
          (x.act_scale[static_cast<size_t>(t)] * w.scales[static_cast<size_t>(n)]);
    }
  }
  const auto check = [&](const Kernels& kernels) {
    std::vector<float> actual = untouched;
    kernels.int8_rows(w.rows, begin, rows, x.rows, actual.data(), y_stride);
    expect_same_bits(expected, actual, kernels.name, "int8_rows");
    actual = untouched;
    multiply_int8_rows(kernels, w.rows, begin, rows, x.rows, actual.data(), y_stride);
    expect_same_bits(expected, actual, kernels.name, "multiply_int8_rows");
  };
  check(scalar());
  for_each_variant(check);
}

CHECK_TEST("every variant's product is the exact one, for every shape and part of the rows") {
  Random random(63);
  for (const int64_t cols : {1, 30, 64, 100, 256, 544}) {
    for (const int64_t rows : {1, 7, 16, 17, 33, 53}) {
      for (const int64_t tokens : {1, 2, 3, 4, 5, 7, 8, 9, 17, 70}) {
        if (tokens > 9 && cols > 256) continue;
        check_products(random, rows, cols, tokens, false);
      }
    }
  }
}

CHECK_TEST("sums of the widest rows and largest codes do not overflow") {
  Random random(64);
  for (const int64_t tokens : {1, 9}) check_products(random, 17, kMaxInt8RowCols, tokens, true);
}

}  // namespace

int main() { return run_variant_tests(); }
