// Interleaved rows: the layout, and every variant's products against the scalar product of the row-major
// rows.
#include "core/row_panel.h"
#include "variants_under_test.h"

using namespace bitnet;
using namespace check;

namespace {

// A panel of its own, whose memory ends with the last unit.
struct Interleaved {
  std::vector<uint8_t> bytes;
  RowPanel rows;

  Interleaved(RowType type, const std::vector<uint8_t>& stored, int64_t count, int64_t cols)
      : rows{nullptr, type, count, cols} {
    bytes.assign(static_cast<size_t>(rows.bytes()), 0xab);
    for (int64_t group = 0; group < rows.groups(); ++group) {
      interleave_rows(rows, stored.data(), group, bytes.data() + group * rows.group_bytes());
    }
    rows.data = bytes.data();
  }
};

CHECK_TEST("a unit of a row lies where the layout says") {
  Random random(31);
  for (const RowType type : kRowTypes) {
    const int64_t rows = 7, cols = 3 * unit_cols(type);
    const std::vector<uint8_t> stored = stored_rows(random, type, rows, cols);
    const Interleaved panel(type, stored, rows, cols);
    const int64_t unit = unit_bytes(type);
    expect(static_cast<int64_t>(panel.bytes.size()) == 2 * 3 * 4 * unit, "%zu bytes", panel.bytes.size());
    for (int64_t n = 0; n < 8; ++n) {
      for (int64_t u = 0; u < 3; ++u) {
        const uint8_t* at = panel.bytes.data() + ((n / 4 * 3 + u) * 4 + n % 4) * unit;
        std::vector<uint8_t> expected(static_cast<size_t>(unit), 0);
        if (n < rows) std::memcpy(expected.data(), stored.data() + (n * 3 + u) * unit, expected.size());
        expect(std::memcmp(at, expected.data(), expected.size()) == 0, "row %d, unit %d", static_cast<int>(n),
               static_cast<int>(u));
      }
    }
  }
}

CHECK_TEST("decode_panel_row gives the values of the stored row") {
  Random random(32);
  for (const RowType type : kRowTypes) {
    for (const int64_t cols : {1, 16, 50, 256, 768}) {
      if (cols % block_cols(type)) continue;
      const int64_t rows = 6;
      const std::vector<uint8_t> stored = stored_rows(random, type, rows, cols);
      const Interleaved panel(type, stored, rows, cols);
      std::vector<float> expected(static_cast<size_t>(cols)), actual(expected);
      for (int64_t n = 0; n < rows; ++n) {
        scalar().decode_row(stored.data() + n * row_bytes(type, cols), type, cols, expected.data());
        decode_panel_row(active_kernels(), panel.rows, n, actual.data());
        expect_same_bits(expected, actual, "active", "decode_panel_row");
      }
    }
  }
}

CHECK_TEST("panel_rows gives the bits of linear_rows for every type, shape and part of the rows") {
  Random random(33);
  for (const RowType type : kRowTypes) {
    for (const int64_t cols : {1, 15, 16, 17, 32, 50, 255, 256, 544, 768, 1024}) {
      if (cols % block_cols(type)) continue;
      for (const int64_t rows : {1, 4, 6, 19, 36}) {
        for (const int64_t tokens : {1, 2, 3, 4, 5, 8, 9, 13, 70}) {
          if (tokens > 13 && cols > 544) continue;
          const std::vector<uint8_t> stored = stored_rows(random, type, rows, cols);
          const Interleaved panel(type, stored, rows, cols);
          const int64_t x_stride = cols + 1, y_stride = rows + 2, begin = rows > 4 ? 4 : 0;
          const std::vector<float> x = values(random, tokens * x_stride - 1);
          std::vector<float> expected(static_cast<size_t>(tokens * y_stride), -7.0f);
          const std::vector<float> untouched = expected;
          scalar().linear_rows(stored.data(), type, begin, rows, cols, x.data(), x_stride, tokens,
                               expected.data(), y_stride);
          const auto check = [&](const Kernels& kernels) {
            std::vector<float> actual = untouched;
            kernels.panel_rows(panel.rows, begin, rows, x.data(), x_stride, tokens, actual.data(), y_stride);
            expect_same_bits(expected, actual, kernels.name, "panel_rows");
          };
          if (tokens < 4) check(scalar());
          for_each_variant(check);
        }
      }
    }
  }
}

CHECK_TEST(
    "q8_rows gives the same bits for every shape and part of the rows, and the product of its operands") {
  Random random(16);
  for (const int64_t cols : {32, 64, 288, 1024}) {
    for (const int64_t rows : {1, 2, 5, 19}) {
      for (const int64_t tokens : {1, 3, 4, 6}) {
        std::vector<uint8_t> w = stored_rows(random, RowType::q8_0, rows, cols);
        w[2] = 0x80;  // -128, which our own files never hold
        const Interleaved panel(RowType::q8_0, w, rows, cols);
        const int64_t x_stride = padded_cols(cols), y_stride = rows + 2;
        std::vector<int8_t> x(static_cast<size_t>(tokens * x_stride));
        for (int8_t& code : x) code = static_cast<int8_t>(random.below(255) - 127);
        const std::vector<float> scale = values(random, tokens);
        const int64_t begin = rows > 4 ? 4 : 0;
        std::vector<float> expected(static_cast<size_t>(tokens * y_stride), -7.0f);
        const std::vector<float> untouched = expected;
        const auto run = [&](const Kernels& kernels, std::vector<float>* y) {
          kernels.q8_rows(panel.rows, begin, rows, x.data(), x_stride, scale.data(), tokens, y->data(),
                          y_stride);
        };
        run(scalar(), &expected);
        std::vector<float> row(static_cast<size_t>(cols));
        for (int64_t n = begin; n < rows; ++n) {
          scalar().decode_row(w.data() + n * row_bytes(RowType::q8_0, cols), RowType::q8_0, cols, row.data());
          for (int64_t t = 0; t < tokens; ++t) {
            double exact = 0, magnitude = 0;
            for (int64_t k = 0; k < cols; ++k) {
              const double term = static_cast<double>(row[static_cast<size_t>(k)]) *
                                  x[static_cast<size_t>(t * x_stride + k)] * scale[static_cast<size_t>(t)];
              exact += term;
              magnitude += std::fabs(term);
            }
            const float got = expected[static_cast<size_t>(t * y_stride + n)];
            expect(std::fabs(got - exact) <= 1e-6 * magnitude, "%.9g, not %.9g", got, exact);
          }
        }
        for_each_variant([&](const Kernels& kernels) {
          std::vector<float> actual = untouched;
          run(kernels, &actual);
          expect_same_bits(expected, actual, kernels.name, "q8_rows");
        });
      }
    }
  }
}

}  // namespace

int main() { return run_variant_tests(); }
