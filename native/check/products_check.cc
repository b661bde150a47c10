// The matrix kernels: ternary_gemm, linear_rows, decode_row, attention. Every variant must return the bits of
// the scalar one for any shape; the scalar one is compared with a plain evaluation in float64 or integers.
#include <limits>

#include "variants_under_test.h"

using namespace bitnet;
using namespace check;

namespace {

// ---- ternary_gemm ----

struct TernaryCase {
  int64_t rows, cols, tokens;
};

// Who shares a scale: the matrix, a row, or a span of columns.
constexpr int64_t kMatrixScale = 0, kRowScales = -1;

struct TernaryInput {
  std::vector<int8_t> ternary;   // [rows][cols]
  std::vector<uint8_t> storage;  // panel, 64-byte aligned inside
  std::vector<float> weight_scale, panel_scales;
  std::vector<uint16_t> half_scales;
  std::vector<int32_t> part_sums;
  TernaryPanel panel;
  int64_t x_stride;
  std::vector<int8_t> x;
  std::vector<float> act_scale;
  std::vector<int32_t> code_sum;

  TernaryInput(Random& random, const TernaryCase& shape, bool extreme, int64_t scales, bool half = false) {
    const bool per_row = scales == kRowScales;
    const int64_t spans = scales > 0 ? shape.cols / scales : 1;
    ternary.resize(static_cast<size_t>(shape.rows * shape.cols));
    // Extreme input drives every partial sum to its bound: codes 2 and activations -128 or 127.
    for (int8_t& t : ternary) t = static_cast<int8_t>(extreme ? 1 : random.below(3) - 1);
    storage.resize(static_cast<size_t>(panel_bytes(shape.rows, shape.cols) + 63));
    uint8_t* codes = storage.data() + (64 - reinterpret_cast<uintptr_t>(storage.data()) % 64) % 64;
    pack_panel(ternary.data(), shape.cols, shape.rows, shape.cols, 0, panel_groups(shape.rows), codes);
    for (int64_t n = 0; n < (scales == kMatrixScale ? 1 : shape.rows * spans); ++n) {
      const float scale = 0.37f + 0.3f * random.unit();
      weight_scale.push_back(half ? f16_to_f32(f32_to_f16(scale)) : scale);
    }
    if (scales > 0) {
      panel_scales.resize(static_cast<size_t>(round_up(shape.rows, kPanelRows) * spans));
      fill_span_scales(weight_scale.data(), shape.rows, spans, 0, panel_groups(shape.rows),
                       panel_scales.data());
      for (const float scale : panel_scales) half_scales.push_back(f32_to_f16(scale));
      const void* values = half ? static_cast<const void*>(half_scales.data()) : panel_scales.data();
      panel = {codes, shape.rows, shape.cols, nullptr, 0, {values, scales, half}};
    } else {
      panel_scales.resize(static_cast<size_t>(panel_scale_count(shape.rows, per_row)));
      fill_panel_scales(weight_scale.data(), shape.rows, per_row, panel_scales.data());
      panel = {codes, shape.rows, shape.cols, panel_scales.data(), panel_scale_step(per_row)};
    }
    x_stride = padded_cols(shape.cols);
    x.assign(static_cast<size_t>(x_stride * shape.tokens), 0);
    for (int64_t t = 0; t < shape.tokens; ++t) {
      int32_t sum = 0;
      for (int64_t k = 0; k < shape.cols; ++k) {
        int8_t& code = x[static_cast<size_t>(t * x_stride + k)];
        code = static_cast<int8_t>(extreme ? (t % 2 ? 127 : -128) : random.below(256) - 128);
        sum += code;
      }
      code_sum.push_back(sum);
      act_scale.push_back(0.01f + std::fabs(random.unit()));
    }
    if (scales <= 0) return;
    const int64_t parts = code_parts(shape.cols);
    part_sums.resize(static_cast<size_t>(shape.tokens * parts));
    for (int64_t t = 0; t < shape.tokens; ++t) {
      sum_code_parts(x.data() + t * x_stride, shape.cols, part_sums.data() + t * parts);
    }
  }

  std::vector<float> product(const Kernels& kernels, int64_t tokens, int64_t group_begin,
                             int64_t group_end) const {
    const int64_t stride = panel.rows + 3;
    std::vector<float> y(static_cast<size_t>(tokens * stride), -7.0f);
    ternary_product(kernels, panel, group_begin, group_end,
                    {x.data(), x_stride, act_scale.data(), code_sum.data(), tokens, nullptr,
                     part_sums.empty() ? nullptr : part_sums.data()},
                    y.data(), stride);
    return y;
  }
};

constexpr TernaryCase kTernaryCases[] = {
    {1, 1, 1},      {16, 16, 1},   {17, 64, 1},    {40, 65, 2},     {33, 100, 3},  {16, 128, 4},
    {48, 200, 5},   {31, 256, 6},  {64, 257, 7},   {20, 320, 11},   {96, 500, 12}, {7, 512, 13},
    {50, 576, 24},  {16, 640, 25}, {35, 704, 37},  {16, 1000, 1},   {64, 1408, 1}, {32, 2560, 49},
    {16, 6912, 50}, {18, 64, 200}, {96, 192, 300}, {33, 1088, 519},
};

CHECK_TEST("ternary_gemm is the exact integer product, in every variant and shape") {
  Random random(11);
  for (const TernaryCase& shape : kTernaryCases) {
    for (int kind = 0; kind < 4; ++kind) {
      const bool extreme = kind % 2 == 1, per_row = kind / 2 == 1;
      const TernaryInput input(random, shape, extreme, per_row ? kRowScales : kMatrixScale);
      const std::vector<float> expected = input.product(scalar(), shape.tokens, 0, panel_groups(shape.rows));
      for (int64_t t = 0; t < shape.tokens; ++t) {
        for (int64_t n = 0; n < shape.rows; ++n) {
          int32_t sum = 0;
          for (int64_t k = 0; k < shape.cols; ++k) {
            sum += input.x[static_cast<size_t>(t * input.x_stride + k)] *
                   input.ternary[static_cast<size_t>(n * shape.cols + k)];
          }
          const float weight_scale = input.weight_scale[static_cast<size_t>(per_row ? n : 0)];
          const float y = static_cast<float>(sum) * (input.act_scale[static_cast<size_t>(t)] * weight_scale);
          const float got = expected[static_cast<size_t>(t * (shape.rows + 3) + n)];
          expect(float_bits(y) == float_bits(got), "scalar: %.9g, not %.9g", got, y);
        }
      }
      for_each_variant([&](const Kernels& kernels) {
        expect_same_bits(expected, input.product(kernels, shape.tokens, 0, panel_groups(shape.rows)),
                         kernels.name, "ternary_gemm");
      });
    }
  }
}

constexpr TernaryCase kSpanCases[] = {
    {1, 64, 1},     {16, 256, 1},   {17, 128, 2},   {40, 192, 3},   {33, 384, 4},
    {48, 256, 5},   {31, 512, 6},   {64, 768, 7},   {20, 320, 8},   {96, 576, 9},
    {7, 640, 12},   {50, 1024, 13}, {16, 1280, 24}, {35, 1536, 25}, {16, 4096, 1},
    {32, 2560, 33}, {18, 256, 200}, {96, 128, 300}, {33, 1792, 57}, {29, 2048, 519},
};

CHECK_TEST("ternary_gemm with scales of spans is a chain of fma over exact sums, in every variant") {
  Random random(19);
  for (const TernaryCase& shape : kSpanCases) {
    for (const int64_t span : {64, 128, 256}) {
      if (shape.cols % span) continue;
      for (int kind = 0; kind < 3; ++kind) {
        const TernaryInput input(random, shape, kind == 1, span, kind == 2);
        const int64_t groups = panel_groups(shape.rows), spans = shape.cols / span;
        const std::vector<float> expected = input.product(scalar(), shape.tokens, 0, groups);
        for (int64_t t = 0; t < shape.tokens; ++t) {
          for (int64_t n = 0; n < shape.rows; ++n) {
            float total = 0.0f;
            for (int64_t i = 0; i < spans; ++i) {
              int32_t sum = 0;
              for (int64_t k = i * span; k < (i + 1) * span; ++k) {
                sum += input.x[static_cast<size_t>(t * input.x_stride + k)] *
                       input.ternary[static_cast<size_t>(n * shape.cols + k)];
              }
              const float scale = input.weight_scale[static_cast<size_t>(n * spans + i)];
              total = std::fma(static_cast<float>(sum), scale, total);
            }
            const float y = total * input.act_scale[static_cast<size_t>(t)];
            const float got = expected[static_cast<size_t>(t * (shape.rows + 3) + n)];
            expect(float_bits(y) == float_bits(got), "scalar: %.9g, not %.9g", got, y);
          }
        }
        for_each_variant([&](const Kernels& kernels) {
          expect_same_bits(expected, input.product(kernels, shape.tokens, 0, groups), kernels.name,
                           "ternary_gemm with spans");
        });
      }
    }
  }
}

CHECK_TEST("ternary_gemm writes only the rows of its groups") {
  Random random(12);
  for (const int64_t scales : {kMatrixScale, kRowScales, int64_t{64}}) {
    const TernaryInput input(random, {70, 192, 9}, false, scales);
    for (const int64_t begin : {0, 1, 3}) {
      for (const int64_t end : {1, 3, 4, 5}) {
        if (begin >= end) continue;
        const std::vector<float> expected = input.product(scalar(), 9, begin, end);
        for_each_variant([&](const Kernels& kernels) {
          expect_same_bits(expected, input.product(kernels, 9, begin, end), kernels.name, "ternary_gemm");
        });
      }
    }
  }
}

// ---- linear_rows and decode_row ----

CHECK_TEST("linear_rows gives the same bits for every type, shape and part of the rows") {
  Random random(13);
  for (const RowType type : kRowTypes) {
    for (const int64_t cols : {1, 8, 15, 16, 17, 32, 50, 96, 255, 256, 288, 320, 544, 768, 1024}) {
      if (cols % block_cols(type)) continue;
      for (const int64_t rows : {1, 2, 5, 8, 19}) {
        for (const int64_t tokens : {1, 2, 3, 4, 7, 12, 50}) {
          if (tokens > 12 && cols > 300) continue;
          const std::vector<uint8_t> w = stored_rows(random, type, rows, cols);
          const int64_t x_stride = cols + 1, y_stride = rows + 2;
          const std::vector<float> x = values(random, tokens * x_stride - 1);
          std::vector<float> expected(static_cast<size_t>(tokens * y_stride), -7.0f);
          const std::vector<float> untouched = expected;
          const int64_t begin = rows > 4 ? 1 : 0;
          scalar().linear_rows(w.data(), type, begin, rows, cols, x.data(), x_stride, tokens, expected.data(),
                               y_stride);
          for_each_variant([&](const Kernels& kernels) {
            std::vector<float> actual = untouched;
            kernels.linear_rows(w.data(), type, begin, rows, cols, x.data(), x_stride, tokens, actual.data(),
                                y_stride);
            expect_same_bits(expected, actual, kernels.name, "linear_rows");
          });
        }
      }
    }
  }
}

CHECK_TEST("linear_rows agrees with float64") {
  Random random(14);
  const int64_t cols = 777;
  const std::vector<float> w = values(random, cols), x = values(random, cols);
  double exact = 0, magnitude = 0;
  for (size_t k = 0; k < w.size(); ++k) {
    exact += static_cast<double>(w[k]) * x[k];
    magnitude += std::fabs(static_cast<double>(w[k]) * x[k]);
  }
  float y;
  scalar().linear_rows(w.data(), RowType::f32, 0, 1, cols, x.data(), cols, 1, &y, 1);
  expect(std::fabs(y - exact) < magnitude * 1e-6, "%.9g, not %.9g", y, exact);
}

CHECK_TEST("decode_row gives the same values for every type") {
  Random random(15);
  for (const RowType type : kRowTypes) {
    for (const int64_t cols : {1, 7, 16, 31, 32, 64, 100, 256, 320, 768}) {
      if (cols % block_cols(type)) continue;
      const std::vector<uint8_t> row = stored_rows(random, type, 1, cols);
      std::vector<float> expected(static_cast<size_t>(cols + 1), 3.0f), actual(expected);
      scalar().decode_row(row.data(), type, cols, expected.data());
      for_each_variant([&](const Kernels& kernels) {
        kernels.decode_row(row.data(), type, cols, actual.data());
        expect_same_bits(expected, actual, kernels.name, "decode_row");
      });
    }
  }
}

// ---- attention ----

struct AttentionInput {
  int64_t queries, first, head_dim, q_stride, value_stride, out_stride, key_count;
  std::vector<float> q, keys, values;

  AttentionInput(Random& random, int64_t queries, int64_t first, int64_t head_dim)
      : queries(queries),
        first(first),
        head_dim(head_dim),
        q_stride(head_dim + 5),
        value_stride(round_up(head_dim, kLanes) + kLanes),
        out_stride(head_dim + 3),
        key_count(first + queries) {
    q = check::values(random, queries * q_stride);
    keys = check::values(random, round_up(key_count, kLanes) * head_dim);
    values.assign(static_cast<size_t>(key_count * value_stride), 0.0f);
    for (int64_t j = 0; j < key_count; ++j) {
      for (int64_t d = 0; d < head_dim; ++d)
        values[static_cast<size_t>(j * value_stride + d)] = random.value();
    }
  }

  // out rows, then log_sum.
  std::vector<float> run(const Kernels& kernels, int64_t begin, int64_t end) const {
    const int64_t count = end - begin;
    std::vector<float> scratch(static_cast<size_t>(count * round_up(first + end, kLanes)), 1e9f);
    std::vector<float> result(static_cast<size_t>(count * out_stride + count), -7.0f);
    kernels.attention(q.data() + begin * q_stride, q_stride, count, first + begin, keys.data(), values.data(),
                      value_stride, head_dim, 0.25f, scratch.data(), result.data(), out_stride,
                      result.data() + count * out_stride);
    return result;
  }
};

CHECK_TEST("attention gives the same bits for every shape") {
  Random random(16);
  for (const int64_t head_dim : {1, 8, 16, 20, 32, 64, 80, 128}) {
    for (const int64_t queries : {1, 2, 3, 5, 6, 7, 13, 40}) {
      for (const int64_t first : {0, 1, 14, 15, 16, 63, 150}) {
        if (queries > 12 && head_dim > 64) continue;
        const AttentionInput input(random, queries, first, head_dim);
        const std::vector<float> expected = input.run(scalar(), 0, queries);
        for_each_variant([&](const Kernels& kernels) {
          expect_same_bits(expected, input.run(kernels, 0, queries), kernels.name, "attention");
        });
      }
    }
  }
}

CHECK_TEST("attention does not depend on how the queries are cut") {
  Random random(17);
  const AttentionInput input(random, 45, 7, 32);
  for (const Variant& variant : kernel_variants()) {
    if (!variant.supported) continue;
    const std::vector<float> whole = input.run(*variant.kernels, 0, 45);
    for (int64_t begin = 0, step = 1; begin < 45; begin += step, step = step % 7 + 1) {
      const int64_t end = begin + step < 45 ? begin + step : 45;
      const std::vector<float> part = input.run(*variant.kernels, begin, end);
      const int64_t at = first_difference(part.data(), whole.data() + begin * input.out_stride,
                                          (end - begin) * input.out_stride);
      expect(at < 0, "%s: queries %lld to %lld differ", variant.kernels->name, static_cast<long long>(begin),
             static_cast<long long>(end));
    }
  }
}

CHECK_TEST("attention agrees with float64") {
  Random random(18);
  const AttentionInput input(random, 21, 3, 24);
  const std::vector<float> got = input.run(scalar(), 0, 21);
  for (int64_t i = 0; i < 21; ++i) {
    const int64_t visible = input.first + i + 1;
    std::vector<double> score(static_cast<size_t>(visible));
    double largest = -1e300, total = 0;
    for (int64_t j = 0; j < visible; ++j) {
      double sum = 0;
      for (int64_t d = 0; d < input.head_dim; ++d) {
        sum += static_cast<double>(input.q[static_cast<size_t>(i * input.q_stride + d)]) *
               input.keys[static_cast<size_t>((j / kLanes * input.head_dim + d) * kLanes + j % kLanes)];
      }
      score[static_cast<size_t>(j)] = sum * 0.25;
      largest = std::fmax(largest, sum * 0.25);
    }
    for (double& s : score) total += (s = std::exp(s - largest));
    for (int64_t d = 0; d < input.head_dim; ++d) {
      double out = 0;
      for (int64_t j = 0; j < visible; ++j) {
        out += score[static_cast<size_t>(j)] * input.values[static_cast<size_t>(j * input.value_stride + d)];
      }
      const float value = got[static_cast<size_t>(i * input.out_stride + d)];
      expect(std::fabs(value - out / total) < 3e-6, "out[%d][%d] = %.9g, not %.9g", int(i), int(d), value,
             out / total);
    }
    const float log_sum = got[static_cast<size_t>(21 * input.out_stride + i)];
    expect(std::fabs(log_sum - (largest + std::log(total))) < 3e-6, "log_sum[%d] = %.9g", int(i), log_sum);
  }
}

}  // namespace

int main() { return run_variant_tests(); }
